internal import Configuration
internal import CLinux
internal import EventLoop
internal import LabEvents

/// A connection to a member: one request at a time, each for one client's connection.
final class ServerConnection: ReadinessHandler, DeadlineOwner {
    /// How long a member that was asked to close may take; so that TIME_WAIT is at its side and the source port free.
    private static let linger: Int64 = 1_000_000_000
    /// 1xx answers that one request may get.
    private static let mostInterim = 16
    /// Reads in a row, so that others have their turn.
    private static let mostReads = 2

    /// By its place in the pool.
    let member: Int
    let source: SourceEndpoint
    private let turn: Int
    private let connections: ServerConnections
    private var socket: EdgeSocket
    /// Waits for a request among the service's connections.
    var isIdle = false
    /// The member has accepted it.
    private(set) var isConnected: Bool
    /// Requests that it has carried, the present one included.
    private(set) var requests = 0

    private var partner: HTTPClientConnection?
    private var input = PendingInput()
    private var scanner = HeadScanner()
    private var body: BodyDecoder?
    private var isHEAD = false
    private var hasAnswered = false
    private var interim = 0
    private var requestIsComplete = false
    private var keepsOpen = false
    private var isLeaving = false
    private var isReading = false
    private var hasNoDelay = false
    /// Bytes of the first request's head that were sent while it was opened.
    private var sent: Int
    /// Ends an idle connection, or one whose member does not close.
    private var deadline: MovingDeadline?

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
        self.sent = sent
        isConnected = sent > 0
        self.connections = connections
    }

    /// Whether it may carry a request, as far as is known.
    var isUsable: Bool { socket.isOpen && !socket.peerHasEnded && !socket.isBroken }

    /// Whether it takes more of a request now.
    var isWritable: Bool { !socket.hasWaiting }

    /// Whether it does not take all of a request at once, but goes on taking it.
    func memberHasTakenSome() -> Bool { socket.hasWaiting && socket.peerHasTakenSome() }

    // MARK: One exchange

    /// Sends a request's head, as soon as the member has accepted the connection.
    func begin(_ partner: HTTPClientConnection, head: UnsafeRawBufferPointer, isHEAD: Bool) {
        self.partner = partner
        self.isHEAD = isHEAD
        requests += 1
        scanner = HeadScanner()
        body = nil
        hasAnswered = false
        interim = 0
        requestIsComplete = false
        deadline?.clear()
        guard isConnected else { return }
        if sent < head.count { send(UnsafeRawBufferPointer(rebasing: head[sent...])) }
        sent = 0
    }

    /// Sends a part of a request's body, which the partner gathers first where it is small.
    func send(_ bytes: UnsafeRawBufferPointer) {
        socket.send(bytes)
        noteFailure()
    }

    func send(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ c: UnsafeRawBufferPointer) {
        socket.send(a, b, c)
        noteFailure()
    }

    /// Of a request in pieces the last one shall not wait for the acknowledgement of that before it.
    func sendsPieces() {
        guard !hasNoDelay else { return }
        hasNoDelay = true
        cl_disable_nagle(socket.descriptor)
    }

    func requestEnded() { requestIsComplete = true }

    /// The partner takes more of the answer again.
    func resumeReading() { read() }

    /// The partner has no more use for it: whatever is under way is void.
    func abandon() {
        partner = nil
        close(withReset: true)
    }

    /// What broke it is told in the next turn: who sends is in the middle of something.
    private func noteFailure() {
        if socket.failure != nil { connections.means.loop.serveAgain(socket.descriptor) }
    }

    private func proceed() {
        while let partner, socket.isOpen {
            do throws(MessageFault) {
                if body == nil {
                    guard try readHead(partner) else { return }
                } else {
                    try readBody(partner)
                    guard body?.isComplete == true else { return }
                    complete()
                }
            } catch {
                return fail(ExchangeFailure(.memberGarbage, error.rawValue))
            }
        }
    }

    private func readBody(_ partner: HTTPClientConnection) throws(MessageFault) {
        var rest = input.bytes
        defer { input.consume(input.count - rest.count) }
        while let piece = try body!.next(&rest) { partner.received(piece) }
    }

    /// - Returns: whether a head was there
    private func readHead(_ partner: HTTPClientConnection) throws(MessageFault) -> Bool {
        let limits = connections.limits
        let bytes = input.bytes
        // What cannot become a status line is not waited for.
        guard "HTTP/".utf8.starts(with: bytes.prefix(5)) || bytes.isEmpty else { throw .malformedStatusLine }
        guard let length = try scanner.end(in: bytes) else {
            if bytes.count > limits.headerSize * 4 { throw .headTooLarge }
            return false
        }
        guard length <= limits.headerSize * 4 else { throw .headTooLarge }
        let whole = bytes.part(0..<length)
        let head = try ResponseHead(whole, mostFields: limits.headerCount * 4)
        // Nobody asked for another protocol.
        guard head.status != 101 else { throw .malformedStatusLine }
        guard head.status >= 200 || interim < Self.mostInterim else { throw .malformedStatusLine }
        let framing = head.framing(toHEAD: isHEAD)
        if head.status >= 200 {
            keepsOpen = head.fields.staysOpen && framing != .untilClose
            body = BodyDecoder(framing)
        } else {
            interim += 1
        }
        partner.received(head, whole, framing: framing)
        input.consume(length)
        scanner = HeadScanner()
        return true
    }

    private func complete() {
        guard let partner else { return }
        self.partner = nil
        body = nil
        let isClean = input.count == 0 && requestIsComplete
        var leaves = false
        if isClean, keepsOpen, !isLeaving, let multiplexing = connections.multiplexing,
            requests < multiplexing.mostRequests, isUsable
        {
            // A FIN, or bytes that nobody asked for, end it.
            setDeadline(in: connections.idleTime)
            connections.keep(self)
        } else if isClean {
            (isLeaving, leaves) = (true, true)
        } else {
            // More than an answer came, or the request was not read to its end.
            close(withReset: true)
        }
        partner.receivedEnd()
        if leaves { leave() }
    }

    /// Waits a little for the member's FIN, which it was asked for, and closes. Often it is here already.
    private func leave() {
        if socket.peerHasEnded { return close() }
        setDeadline(in: Self.linger)
    }

    private func setDeadline(in nanoseconds: Int64) {
        let deadline = deadline ?? MovingDeadline(in: connections.means.deadlines, owner: self)
        self.deadline = deadline
        deadline.set(connections.means.loop.turnBegan + nanoseconds)
    }

    func deadlineHasPassed() { close() }

    private func fail(_ failure: ExchangeFailure) {
        let partner = partner
        self.partner = nil
        close(withReset: true)
        partner?.failed(failure, beforeAnyByte: !hasAnswered)
    }

    // MARK: Socket

    func ready(_ readiness: EventLoop.Readiness) {
        guard socket.isOpen else { return }
        connections.means.checkNothingIsLeft()
        socket.note(readiness)
        if isLeaving, socket.peerHasEnded { return close() }
        if !isConnected {
            guard hasConnected(readiness) else { return }
        } else if readiness.contains(.writable), socket.hasWaiting {
            let hasTakenSome = socket.sendWaiting()
            noteFailure()
            if socket.failure == nil, hasTakenSome { partner?.serverHasTakenSome() }
        }
        read()
    }

    private func hasConnected(_ readiness: EventLoop.Readiness) -> Bool {
        let code = socket.isBroken ? cl_socket_error(socket.descriptor) : 0
        if code != 0 {
            let partner = partner
            self.partner = nil
            close()
            partner?.failedToConnect(ExchangeFailure(connecting: code))
            return false
        }
        guard readiness.contains(.writable) else { return false }
        isConnected = true
        connections.noteConnected()
        if let head = partner?.request.head { send(head.bytes) }
        partner?.connected()
        return true
    }

    private func read() {
        guard !isReading else { return }
        isReading = true
        defer { isReading = false }
        var reads = 0
        while socket.isOpen, socket.isReadable, partner?.canTakeMore != false {
            if reads == Self.mostReads { return connections.means.loop.serveAgain(socket.descriptor) }
            reads += 1
            let memory = connections.means.memberInput
            switch socket.read(into: memory) {
            case .bytes(let count):
                received(UnsafeRawBufferPointer(rebasing: memory[0..<count]))
                input.keep()
            case .nothing: break
            case .end: ended(socket.failure)
            case .failed(let code): ended(socket.failure ?? code)
            }
        }
    }

    private func received(_ bytes: UnsafeRawBufferPointer) {
        guard !isLeaving else { return }
        // Between two requests a member has nothing to say.
        guard partner != nil else { return close(withReset: true) }
        hasAnswered = true
        input.add(bytes)
        proceed()
        partner?.flush()
    }

    /// - Parameter code: `errno` of what broke it; nil where the member has ended it
    private func ended(_ code: Int32?) {
        let partner = partner
        self.partner = nil
        close()
        guard let partner else { return }
        if code == nil, body?.endsWithConnection == true { return partner.receivedEnd() }
        let failure =
            code.map { ExchangeFailure(exchanging: $0) }
            ?? ExchangeFailure(.memberClosedEarly, hasAnswered ? "within its answer" : "before its answer")
        partner.failed(failure, beforeAnyByte: !hasAnswered)
    }

    func loopEnds() { close() }

    private func close(withReset: Bool = false) {
        guard socket.isOpen else { return }
        isLeaving = true
        connections.forget(self)
        deadline?.end()
        connections.means.loop.forget(socket.descriptor)
        socket.close(withReset: withReset)
        connections.giveBack(turn, of: member)
    }
}
