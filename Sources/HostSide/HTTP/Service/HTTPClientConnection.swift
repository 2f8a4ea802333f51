internal import Configuration
internal import EventLoop
internal import LabEvents
internal import LabTime
internal import Wire

/// A client's connection to an HTTP service: one request after the other, each passed to a member and its answer
/// passed back, so that answers to pipelined requests come in their order.
///
/// Nothing is read from the client that could not be passed on: behind what one read brings of a further request, the
/// rest waits in the kernel, and so does a body whose member takes no more. A client that does not take its answers is
/// not read, nor is its member.
final class HTTPClientConnection {
    enum Phase {
        /// Between two requests.
        case idle
        /// Part of a head is there.
        case head
        /// A connection to a member is on its way.
        case connecting
        case exchanging
        /// The last answer is written; what still comes is not looked at.
        case closing
    }

    /// Empty lines before a request that are passed over: RFC 9112, 2.2.
    private static let mostEmptyLines = 4
    /// Pieces from here on are sent from where they are, without a copy.
    static let largePiece = 8192

    let service: HTTPService
    let address: IPAddress
    let port: UInt16
    var socket: EdgeSocket
    var phase = Phase.idle
    var input = PendingInput()
    var request = RequestInProgress()
    /// The request's body; nil before there is a request.
    var body: BodyDecoder?
    var server: ServerConnection?
    var answerFraming = AnswerFraming.none
    var answerHasBegun = false
    var inputHasEnded = false
    var isReading = false
    /// nil for a client that speaks without TLS.
    let tls: ClientTLS?
    private var scanner = HeadScanner()
    private var emptyLines = 0
    private var isProceeding = false
    private var mustProceedAgain = false
    private(set) var deadline: MovingDeadline!

    init(_ service: HTTPService, on socket: EdgeSocket, from address: IPAddress, _ port: UInt16, tls: ClientTLS?) {
        self.service = service
        self.socket = socket
        self.address = address
        self.port = port
        self.tls = tls
        deadline = MovingDeadline(in: service.means.deadlines, owner: self)
        setDeadline(in: service.timeouts.clientHeader)
    }

    var means: ServiceMeans { service.means }
    var timeouts: HTTPService.Timeouts { service.timeouts }

    func setDeadline(in nanoseconds: Int64) { deadline.set(means.loop.turnBegan + nanoseconds) }

    // MARK: Requests

    /// Does what the input and the phase allow. A loop, not a recursion, however many requests have come at once.
    func proceed() {
        guard !isProceeding else {
            mustProceedAgain = true
            return
        }
        isProceeding = true
        defer { isProceeding = false }
        repeat {
            mustProceedAgain = false
            switch phase {
            case .idle, .head: readHead()
            case .connecting: break
            case .exchanging: passBody()
            case .closing: break
            }
        } while mustProceedAgain
    }

    private func readHead() {
        // Who does not take his answers gets no more of them.
        guard !socket.hasWaiting else { return }
        if phase == .idle, input.count > 0 {
            phase = .head
            scanner = HeadScanner()
            emptyLines = 0
            request = RequestInProgress()
            setDeadline(in: timeouts.clientHeader)
        }
        guard phase == .head else {
            if inputHasEnded { close() }
            return
        }
        let length: Int?
        do throws(MessageFault) {
            length = try takeHead(input.bytes)
        } catch {
            return refuse(error)
        }
        guard let length else {
            if inputHasEnded { refuse(.incomplete) }
            return
        }
        input.consume(length)
        scanner = HeadScanner()
        if length > 2 { return begin() }
        emptyLines += 1
        if emptyLines > Self.mostEmptyLines { return refuse(.malformedRequestLine) }
        if input.count > 0 { mustProceedAgain = true }
    }

    /// - Returns: the length of a whole head, or of an empty line; nil while there is neither
    private func takeHead(_ bytes: UnsafeRawBufferPointer) throws(MessageFault) -> Int? {
        let limits = service.configuration.limits
        // What cannot become a request line, TLS for instance, is not waited for.
        if let first = bytes.first, !HTTPCharacters.isToken(first), first != HTTPCharacters.cr,
            first != HTTPCharacters.lf
        {
            throw .malformedRequestLine
        }
        guard let length = try scanner.end(in: bytes) else {
            if bytes.count > limits.headerSize { throw .headTooLarge }
            return nil
        }
        guard length <= limits.headerSize else { throw .headTooLarge }
        if length > 2 { try accept(bytes.part(0..<length), limits) }
        return length
    }

    /// Takes over what a head says.
    private func accept(_ bytes: UnsafeRawBufferPointer, _ limits: HTTPLimits) throws(MessageFault) {
        let head = try RequestHead(bytes, mostFields: limits.headerCount)
        request.texts.take(head, bytes, knowing: service.lastTexts)
        service.lastTexts = request.texts
        request.keepsClient = head.fields.staysOpen
        request.isModern = head.fields.minorVersion == 1
        request.isChunked = head.fields.isChunked
        request.hasBody = head.fields.isChunked || (head.fields.contentLength ?? 0) > 0
        if let length = head.fields.contentLength, length > limits.bodySize { throw .bodyTooLarge }
        body = BodyDecoder(head.fields.isChunked ? .chunked : .length(head.fields.contentLength ?? 0))
        let buffer = means.buffers.take()
        request.head = buffer
        service.requestForwarding.write(head, bytes, client: service.text(of: address), into: buffer)
    }

    private func begin() {
        service.counters.requests.add()
        if request.hasBody, let fault = faultOfBodySoFar() { return refuse(fault) }
        request.firstMember = service.picker.choose(client: address, port: port)
        request.member = request.firstMember
        connect(reuses: true)
    }

    /// What is wrong with as much of the body as is here already: no member is asked for such a request.
    private func faultOfBodySoFar() -> MessageFault? {
        guard var ahead = body else { return nil }
        var rest = input.bytes
        do throws(MessageFault) {
            while try ahead.next(&rest) != nil {
                if ahead.count > service.configuration.limits.bodySize { throw .bodyTooLarge }
            }
            return nil
        } catch {
            return error
        }
    }

    // MARK: The member's side

    /// Asks the request's member, or if it cannot even be connected to, the next one.
    func connect(reuses: Bool) {
        phase = .connecting
        deadline.clear()
        guard request.member != nil, let head = request.head else {
            return fail(ExchangeFailure(.noMemberUp, "no member of the pool is up"))
        }
        if request.served == nil { request.served = .monotonic() }
        while let member = request.member {
            do throws(ExchangeFailure) {
                return begin(on: try service.connections.connection(to: member, reuses: reuses, head: head.bytes), head)
            } catch {
                request.source = error.source
                guard error.reason != .noSourcePort, hasAnotherMember() else { return fail(error) }
            }
        }
    }

    /// Nothing was sent yet: another member may have it.
    private func hasAnotherMember() -> Bool {
        guard let member = request.member, let first = request.firstMember,
            let next = service.picker.next(after: member, first: first)
        else { return false }
        request.member = next
        return true
    }

    func failedToConnect(_ failure: ExchangeFailure) {
        server = nil
        if hasAnotherMember() { connect(reuses: true) } else { fail(failure) }
    }

    private func begin(on connection: ServerConnection, _ head: MessageBuffer) {
        server = connection
        request.source = connection.source
        answerHasBegun = false
        if !connection.isConnected { setDeadline(in: timeouts.serverConnect) }
        connection.begin(self, head: head.bytes, isHEAD: request.isHEAD)
        if connection.isConnected { connected() }
    }

    /// The member has accepted the connection, and the request's head is on its way.
    func connected() {
        phase = .exchanging
        awaitNext()
        if body?.isComplete == true {
            server?.requestEnded()
        } else {
            proceed()
            read()
        }
    }

    private func passBody() {
        guard let server, body != nil, !body!.isComplete else { return }
        let gathered = means.toMember
        var rest = input.bytes
        do throws(MessageFault) {
            defer { input.consume(input.count - rest.count) }
            server.sendsPieces()
            while let piece = try body!.next(&rest) {
                if body!.count > service.configuration.limits.bodySize { throw .bodyTooLarge }
                if request.isChunked { gathered.append(chunkSize: piece.count) }
                let end = request.isChunked ? Self.lineEnd : UnsafeRawBufferPointer(start: nil, count: 0)
                if piece.count < Self.largePiece {
                    gathered.append(piece)
                    gathered.append(end)
                } else {
                    server.send(gathered.bytes, piece, end)
                    gathered.clear()
                }
            }
        } catch {
            gathered.clear()
            return refuse(error)
        }
        if body!.isComplete {
            if request.isChunked { gathered.append("0\r\n\r\n") }
            server.requestEnded()
        } else if inputHasEnded {
            gathered.clear()
            return refuse(.incomplete)
        }
        if !gathered.isEmpty { server.send(gathered.bytes) }
        gathered.clear()
        awaitNext()
    }

    private static let lineEndText: StaticString = "\r\n"
    /// What ends a chunk.
    static var lineEnd: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: lineEndText.utf8Start, count: 2) }

    // MARK: Time

    /// Whether the next thing to come is more of the request, from the client.
    private var awaitsBody: Bool { body?.isComplete == false && server?.isWritable == true && !answerHasBegun }

    /// Sets the deadline of what is awaited now: the client's body, its taking of the answer, or the member's answer.
    func awaitNext() { setDeadline(in: awaitsBody || !canTakeMore ? timeouts.clientBody : timeouts.serverResponse) }
}

extension HTTPClientConnection: DeadlineOwner {
    func deadlineHasPassed() {
        if socket.hasWaiting, socket.peerHasTakenSome() { return setDeadline(in: timeouts.clientBody) }
        switch phase {
        case .idle where tls?.isInHandshake == true:
            tlsFailed("handshake-timeout")
            end(withReset: true)
        // The rest of an answer that the client does not take.
        case .idle where socket.hasWaiting: end(withReset: true)
        case .idle: close()
        case .head: answer(408, .clientHeaderTimeout, "its head was not complete in time", closes: true)
        case .connecting:
            dropServer()
            failedToConnect(.connectTimeout)
        case .exchanging:
            if server?.memberHasTakenSome() == true { return awaitNext() }
            if !canTakeMore { return gone("it took nothing of its answer in time") }
            if awaitsBody {
                dropServer()
                return answer(408, .clientBodyTimeout, "its body did not come on in time", closes: true)
            }
            fail(ExchangeFailure(.responseTimeout, "no answer within \(service.configuration.timeouts.serverResponse)"))
        // Part of an answer would be taken for all of it where the connection's end is the answer's.
        case .closing: end(withReset: socket.hasWaiting)
        }
    }
}
