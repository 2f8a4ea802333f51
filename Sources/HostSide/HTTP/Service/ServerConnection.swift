internal import CLinux
internal import Configuration
internal import EventLoop
internal import Glibc
internal import HTTPExchange

/// The socket of a connection to a member: carries one request at a time, each for one client's connection, and waits
/// for the next one where that is allowed.
final class ServerConnection {
    /// How long a member that was asked to close may take; so that TIME_WAIT is at its side and the source port free.
    private static let linger: Int64 = 1_000_000_000
    /// Reads in a row, so that others have their turn.
    private static let mostReads = 2

    /// By its place in the pool.
    let member: Int
    let source: SourceEndpoint
    /// Of the source among the service's.
    private let turn: Int
    private let connections: ServerConnections
    private var socket: EdgeSocket
    private var state: State
    /// Requests that it has carried, the present one included.
    private var requests = 0
    private var hasNoDelay = false
    /// Ends an idle connection, or one whose member does not close.
    private var deadline: MovingDeadline?

    private enum State {
        /// The member has not accepted.
        case connecting
        /// - Parameter sent: bytes of the first request's head that left while it was opened
        case connected(sent: Int)
        /// Waits for a request among the service's connections.
        case idle
        /// It is closed, or waits for the member's FIN.
        case leaving
    }

    private var partner: HTTPClientConnection?

    /// - Parameters:
    ///   - turn: of the source among the service's
    ///   - sent: bytes of the first request's head that are sent already; if any, the member has accepted it
    init(
        _ member: Int, on descriptor: Int32, from source: SourceEndpoint, turn: Int, sent: Int,
        of connections: ServerConnections
    ) {
        self.member = member
        socket = EdgeSocket(descriptor)
        self.source = source
        self.turn = turn
        state = sent > 0 ? .connected(sent: sent) : .connecting
        self.connections = connections
    }

    private var loop: EventLoop { connections.thread.loop }

    /// Waits for a request among the service's connections.
    var isIdle: Bool { if case .idle = state { true } else { false } }
    private var isLeaving: Bool { if case .leaving = state { true } else { false } }

    /// Whether it may carry a request, as far as is known.
    var isUsable: Bool { socket.isOpen && !socket.peerHasEnded && !socket.isBroken }

    /// Whether it takes more of a request now.
    var isWritable: Bool { !socket.hasWaiting }

    /// Whether reading may bring something.
    var isReadable: Bool { socket.isReadable }

    /// `errno` of what broke it while sending.
    var failure: Int32? { socket.failure }

    /// Whether it does not take all of a request at once, but goes on taking it.
    func memberHasTakenSome() -> Bool { socket.hasWaiting && socket.peerHasTakenSome() }

    // MARK: One request

    /// Carries a request of a client.
    func begin(_ partner: HTTPClientConnection) -> ConnectOutcome {
        self.partner = partner
        requests += 1
        deadline?.clear()
        switch state {
        case .connecting: return .pending(source)
        case .connected(let sent): return .connected(source, isReused: false, sent: sent)
        case .idle, .leaving:
            state = .connected(sent: 0)
            return .connected(source, isReused: true, sent: 0)
        }
    }

    func send(_ bytes: UnsafeRawBufferPointer) {
        socket.send(bytes)
        checkFailure()
    }

    func send(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ c: UnsafeRawBufferPointer) {
        socket.send(a, b, c)
        checkFailure()
    }

    /// Of a request in pieces the last one shall not wait for the acknowledgement of that before it.
    func sendsPieces() {
        guard !hasNoDelay else { return }
        hasNoDelay = true
        cl_disable_nagle(socket.descriptor)
    }

    func read(into memory: UnsafeMutableRawBufferPointer) -> EdgeSocket.Arrival { socket.read(into: memory) }

    func serveAgain() { loop.serveAgain(socket.descriptor) }

    /// A later turn handles what broke it: who sends is in the middle of something.
    private func checkFailure() {
        if socket.failure != nil { serveAgain() }
    }

    /// The partner has no more use for it: whatever is under way is void.
    func abandon() { close(withReset: true) }

    /// The answer is complete.
    /// - Parameters:
    ///   - isClean: no more than an answer came, and the request was sent to its end
    ///   - staysOpen: the member keeps it open
    func release(isClean: Bool, staysOpen: Bool) {
        partner = nil
        guard isClean else { return close(withReset: true) }
        if staysOpen, !isLeaving, let multiplexing = connections.multiplexing, requests < multiplexing.mostRequests,
            isUsable
        {
            // A FIN, or bytes that nobody asked for, end it.
            state = .idle
            setDeadline(in: connections.idleTime)
            connections.keep(self)
        } else {
            leave()
        }
        if socket.isReadable { serveAgain() }
    }

    // MARK: Without a request

    /// Waits a little for the member's FIN, which it was asked for, and closes. Often it is here already.
    private func leave() {
        state = .leaving
        if socket.peerHasEnded { return close() }
        setDeadline(in: Self.linger)
    }

    private func setDeadline(in nanoseconds: Int64) {
        guard socket.isOpen else { return }
        let deadline = deadline ?? MovingDeadline(in: connections.thread.deadlines, owner: self)
        self.deadline = deadline
        deadline.set(loop.turnBegan + nanoseconds)
    }

    /// Reads what nobody has asked for.
    private func readAlone() {
        var reads = 0
        while socket.isOpen, socket.isReadable {
            if reads == Self.mostReads { return serveAgain() }
            reads += 1
            switch socket.read(into: connections.thread.input) {
            // Between two requests a member has nothing to send.
            case .bytes: if !isLeaving { close(withReset: true) }
            case .nothing: break
            case .end, .failed: close()
            }
        }
    }

    func close(withReset: Bool = false) {
        partner = nil
        guard socket.isOpen else { return }
        connections.forget(self)
        state = .leaving
        deadline?.end()
        loop.forget(socket.descriptor)
        socket.close(withReset: withReset)
        connections.giveBack(turn, of: member)
    }
}

extension ServerConnection: DeadlineOwner {
    func deadlineHasPassed() { close() }
}

extension ServerConnection: ReadinessHandler {
    func ready(_ readiness: EventLoop.Readiness) {
        guard socket.isOpen else { return }
        connections.thread.memory.checkNothingIsLeft()
        socket.note(readiness)
        if isLeaving, socket.peerHasEnded { return close() }
        if case .connecting = state {
            guard hasConnected(readiness) else { return }
        } else if readiness.contains(.writable), socket.hasWaiting {
            let hasTakenSome = socket.sendWaiting()
            checkFailure()
            if socket.failure == nil, hasTakenSome { partner?.serverReports(.memberTookSome) }
        }
        if let partner { partner.read() } else { readAlone() }
    }

    private func hasConnected(_ readiness: EventLoop.Readiness) -> Bool {
        let code = socket.isBroken ? cl_socket_error(socket.descriptor) : 0
        if code != 0 {
            let partner = partner
            close()
            partner?.failedToConnect(ExchangeFailure(connecting: code))
            return false
        }
        guard readiness.contains(.writable) else { return false }
        state = .connected(sent: 0)
        connections.countConnected()
        partner?.serverReports(.memberConnected)
        return true
    }

    func loopEnds() { close() }
}
