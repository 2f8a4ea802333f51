internal import EventLoop
internal import Glibc
internal import HTTPExchange
internal import LabTime
internal import Wire

/// The sockets and the TLS of one client's connection to an HTTP service: reads, sends, and keeps the time. What is sent
/// to whom and when is the `Exchange`'s.
final class HTTPClientConnection {
    let service: HTTPService
    let address: IPAddress
    let port: UInt16
    var socket: EdgeSocket
    private(set) var exchange: Exchange
    /// The member that is asked.
    var server: ServerConnection?
    /// nil for a client without TLS.
    let tls: ClientTLS?
    private(set) var deadline: MovingDeadline!

    init(_ service: HTTPService, on socket: EdgeSocket, from address: IPAddress, _ port: UInt16, tls: ClientTLS?) {
        self.service = service
        self.socket = socket
        self.address = address
        self.port = port
        self.tls = tls
        exchange = Exchange(service.exchanges, client: service.text(of: address), at: .monotonic())
        deadline = MovingDeadline(in: service.thread.deadlines, owner: self)
        followDeadline()
    }

    var loop: EventLoop { service.thread.loop }

    /// Whether more of the answer can be taken now.
    var canTakeMore: Bool { !socket.hasWaiting }

    /// Hands an input to the exchange.
    func step(_ input: Exchange.Input) {
        var input = input
        while exchange.step(input, at: .monotonic(), over: self) == .goesOn { input = .next }
        if socket.isOpen { followDeadline() }
    }

    private func followDeadline() {
        if let due = exchange.deadline { deadline.set(due) } else { deadline.clear() }
    }

    /// Closes at once.
    func end() { step(.stop) }

    // MARK: Reading

    /// Reads in a row, so that others have their turn.
    private static let mostReads = 2

    private var readsClient: Bool { socket.isOpen && socket.isReadable && exchange.wantsClientBytes(over: self) }
    private var readsMember: Bool {
        socket.isOpen && server?.isReadable == true && exchange.wantsMemberBytes(over: self)
    }

    /// Reads both sides as far as the exchange wants.
    func read() {
        var (ofClient, ofMember) = (0, 0)
        while true {
            if ofClient < Self.mostReads, readsClient {
                ofClient += 1
                readClient()
            } else if ofMember < Self.mostReads, readsMember {
                ofMember += 1
                readMember()
            } else {
                break
            }
        }
        if readsClient { loop.serveAgain(socket.descriptor) }
        if readsMember { server?.serveAgain() }
    }

    private func readClient() {
        let memory = service.thread.input
        switch socket.read(into: memory) {
        case .bytes(let count): arrived(UnsafeRawBufferPointer(rebasing: memory[0..<count]))
        case .nothing: break
        case .end: clientEnded()
        case .failed: lost()
        }
    }

    private func readMember() {
        guard let server else { return }
        let memory = service.thread.input
        switch server.read(into: memory) {
        case .bytes(let count): step(.memberBytes(UnsafeRawBufferPointer(rebasing: memory[0..<count])))
        case .nothing: break
        case .end: memberEnded(server.failure)
        case .failed(let code): memberEnded(server.failure ?? code)
        }
    }

    /// - Parameter code: `errno` of what broke its connection; nil where the member has ended it
    private func memberEnded(_ code: Int32?) {
        server?.close()
        server = nil
        step(code.map { .memberLost(ExchangeFailure(exchanging: $0)) } ?? .memberEnd)
    }

    private func arrived(_ bytes: UnsafeRawBufferPointer) {
        guard !exchange.isClosing else { return }
        guard let tls else { return step(.clientBytes(bytes)) }
        tls.receive(bytes)
        sendCiphertext()
        if tls.handshakeHasEnded() { service.counters.tlsHandshakes.add() }
        while !exchange.isClosing {
            let hasMore = tls.takePlaintext { step(.clientBytes($0)) }
            if !hasMore { break }
        }
        if !exchange.isClosing, let error = tls.error { return tlsBroke(error, hasEnded: false) }
        if tls.peerHasSentCloseNotify, !exchange.clientHasEnded { step(.clientEnd) }
    }

    private func clientEnded() {
        if let tls, !exchange.isClosing, !exchange.clientHasEnded {
            tlsBroke(tls.missingCloseNotify, hasEnded: true)
        } else {
            step(.clientEnd)
        }
    }

    /// Nothing can be sent to the client or read from it any more.
    func lost() {
        if let tls, !exchange.isClosing, !exchange.isIdle || tls.isInHandshake { tlsFailed("reset") }
        step(.clientLost)
    }

    // MARK: TLS

    private func tlsBroke(_ error: any Error, hasEnded: Bool) {
        // Many clients close without close_notify; between two requests that cuts off nothing.
        if let tls, !(exchange.isIdle && !tls.isInHandshake && TLSFailure.isMissingCloseNotify(error)) {
            tlsFailed(TLSFailure.reason(for: error, isHandshake: tls.isInHandshake))
        }
        step(.clientSessionFailed(hasEnded: hasEnded))
    }

    func tlsFailed(_ reason: String) {
        tls?.handshakeFailed()
        service.tlsFailed(client: address, port: port, reason: reason)
    }
}
