internal import Appliances
internal import NIOCore
internal import NIOTLS
internal import Wire

/// A client's connection to an HTTP service: one request after the other, each passed to a member and its answer
/// passed back, so that answers to pipelined requests come in their order.
///
/// Nothing is read from the client that could not be passed on: behind what one read brings of a further request, the
/// rest waits in the kernel, and so does a body whose member takes no more.
final class HTTPClientConnection: ChannelInboundHandler, DeadlineOwner {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

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

    /// How long a client may take to close after the last answer, which a reset would take from it: RFC 9112, 9.6.
    static let farewell = TimeAmount.seconds(1)
    /// Empty lines before a request that are passed over: RFC 9112, 2.2.
    static let mostEmptyLines = 4

    let service: HTTPService
    let address: IPAddress
    let port: UInt16
    var context: ChannelHandlerContext?
    var phase = Phase.idle
    var input = ByteBuffer()
    var output = GatheredOutput()
    var request = RequestInProgress()
    /// The request's body; nil before there is a request.
    var body: BodyDecoder?
    var server: ServerConnection?
    var answerFraming = AnswerFraming.none
    var answerHasBegun = false
    var inputHasEnded = false
    /// SwiftNIO's own answer costs several calls.
    private(set) var canTakeMore = true
    /// nil for a client that speaks without TLS.
    var tls: ClientTLS?
    /// Of the request before, which is often much like the next: texts that are the same need not be made again.
    private var last = RequestTexts()
    private var scanner = HeadScanner()
    private var emptyLines = 0
    /// SwiftNIO was asked to read, and has brought nothing since: asking once more would only cost time.
    private var awaitsInput = false
    private var isProceeding = false
    private var mustProceedAgain = false
    private(set) lazy var deadline = MovingDeadline(in: service.deadlines, owner: self)

    init(_ service: HTTPService, from remote: SocketAddress?) {
        self.service = service
        address = remote?.ipAddress.flatMap { IPAddress($0) } ?? .ipv4(.any)
        port = UInt16(truncatingIfNeeded: remote?.port ?? 0)
    }

    var timeouts: HTTPTimeouts { service.configuration.timeouts }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline.end()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        deadline.set(.now() + TimeAmount(timeouts.clientHeader))
        readMore()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        awaitsInput = false
        guard phase != .closing else { return }
        var buffer = unwrapInboundIn(data)
        if input.readableBytes == 0 { input = buffer } else { input.writeBuffer(&buffer) }
        proceed()
        // SwiftNIO reads the next bytes into the same buffer if nobody holds it.
        if input.readableBytes == 0 { input = ByteBuffer() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // TLS may have read something that is no input.
        if tls != nil { awaitsInput = false }
        if wantsInput { readMore() }
    }

    func readMore() {
        guard !awaitsInput, let context else { return }
        awaitsInput = true
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        canTakeMore = context.channel.isWritable
        guard canTakeMore, phase == .exchanging else { return }
        awaitNext()
        server?.resumeReading()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
            tls?.handshakeEnded()
            service.count { $0.tlsHandshakes += 1 }
        }
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputHasEnded = true
            proceed()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if tls?.isInHandshake == true { tlsFailed("closed-in-handshake") }
        if phase == .connecting || phase == .exchanging { gone() }
        phase = .closing
        deadline.end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Many clients leave without the farewell of TLS; between two requests that cuts off nothing.
        if let tls, phase != .closing, !(phase == .idle && !tls.isInHandshake && TLSFailure.isMissingFarewell(error)) {
            tlsFailed(TLSFailure.reason(for: error, isHandshake: tls.isInHandshake))
            // The library has sent its alert, which a reset could take from the client.
            if phase == .idle || phase == .head { phase = .closing }
        }
        context.close(promise: nil)
    }

    private func tlsFailed(_ reason: String) {
        tls?.handshakeEnded()
        service.tlsFailed(client: address, port: port, reason: reason)
    }

    private var wantsInput: Bool {
        switch phase {
        case .idle, .head, .closing: true
        // A client that waits for its answer sends nothing; to stop reading and begin again would cost two system calls.
        case .connecting: input.readableBytes == 0
        case .exchanging: body?.isComplete == false ? server?.isWritable == true : input.readableBytes == 0
        }
    }

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
        if phase == .idle, input.readableBytes > 0 {
            phase = .head
            scanner = HeadScanner()
            emptyLines = 0
            request = RequestInProgress()
            deadline.set(.now() + TimeAmount(timeouts.clientHeader))
        }
        guard phase == .head else {
            if inputHasEnded { close() }
            return
        }
        let limits = service.configuration.limits
        let outcome = input.withUnsafeReadableBytes { bytes -> Result<Int?, MessageFault> in
            do throws(MessageFault) {
                // What cannot become a request line, TLS for instance, is not waited for.
                if let first = bytes.first, !HTTPCharacters.isToken(first), first != HTTPCharacters.cr,
                    first != HTTPCharacters.lf
                {
                    throw .malformedRequestLine
                }
                guard let length = try scanner.end(in: bytes) else {
                    if bytes.count > limits.headerSize { throw .headTooLarge }
                    return .success(nil)
                }
                guard length <= limits.headerSize else { throw .headTooLarge }
                if length > 2 { try accept(bytes.part(0..<length), limits) }
                return .success(length)
            } catch {
                return .failure(error)
            }
        }
        switch outcome {
        case .failure(let fault): refuse(fault)
        case .success(nil): if inputHasEnded { refuse(.incomplete) }
        case .success(let length?):
            input.moveReaderIndex(forwardBy: length)
            scanner = HeadScanner()
            if length > 2 { return begin() }
            emptyLines += 1
            if emptyLines > Self.mostEmptyLines { return refuse(.malformedRequestLine) }
            if input.readableBytes > 0 { mustProceedAgain = true }
        }
    }

    /// Takes over what a head says.
    private func accept(_ bytes: UnsafeRawBufferPointer, _ limits: HTTPLimits) throws(MessageFault) {
        let head = try RequestHead(bytes, mostFields: limits.headerCount)
        request.texts.method = bytes.text(head.method, unlessIn: last.method)
        request.texts.uri = bytes.text(head.target, unlessIn: last.uri)
        request.texts.host = (head.authority ?? head.fields.host).map { bytes.text($0, unlessIn: last.host) }
        for field in head.fields.fields {
            if field.kind == .userAgent { request.texts.userAgent = bytes.text(field.value, unlessIn: last.userAgent) }
            if field.kind == .forwardedFor {
                let text = bytes.text(field.value)
                request.texts.forwardedFor = request.texts.forwardedFor.map { $0 + ", " + text } ?? text
            }
        }
        last = request.texts
        request.keepsClient = head.fields.staysOpen
        request.isModern = head.fields.minorVersion == 1
        request.isChunked = head.fields.isChunked
        request.hasBody = head.fields.isChunked || (head.fields.contentLength ?? 0) > 0
        if let length = head.fields.contentLength, length > limits.bodySize { throw .bodyTooLarge }
        body = BodyDecoder(head.fields.isChunked ? .chunked : .length(head.fields.contentLength ?? 0))
        request.head = service.buffers.take()
        service.requestForwarding.write(head, bytes, client: service.text(of: address), into: &request.head)
    }

    private func begin() {
        service.count { $0.requests += 1 }
        if request.hasBody, let fault = faultOfBodySoFar() { return refuse(fault) }
        request.firstMember = service.picker.choose(client: address, port: port)
        request.member = request.firstMember
        connect(reuses: true)
    }

    /// What is wrong with as much of the body as is here already: no member is asked for such a request.
    private func faultOfBodySoFar() -> MessageFault? {
        guard var ahead = body else { return nil }
        var bytes = input
        do throws(MessageFault) {
            while try ahead.next(&bytes) != nil {
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
        guard request.member != nil else {
            return fail(ExchangeFailure(.noMemberUp, "no member of the pool is up"))
        }
        if request.served == nil { request.served = .now() }
        while let member = request.member {
            do throws(ExchangeFailure) {
                return begin(on: try service.connections.connection(to: member, reuses: reuses, head: request.head))
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

    private func begin(on connection: ServerConnection) {
        server = connection
        request.source = connection.source
        answerHasBegun = false
        if !connection.isConnected { deadline.set(.now() + TimeAmount(timeouts.serverConnect)) }
        connection.begin(self, head: request.head, isHEAD: request.isHEAD)
        // It may have turned out closed, and another one be asked already.
        if server === connection, connection.isConnected, phase == .connecting { connected() }
    }

    func connected() {
        phase = .exchanging
        awaitNext()
        if body?.isComplete == true { server?.requestEnded() } else { proceed() }
        if phase == .exchanging, wantsInput { readMore() }
    }

    private func passBody() {
        guard let server, body != nil, !body!.isComplete else { return }
        do throws(MessageFault) {
            while let piece = try body!.next(&input) {
                if body!.count > service.configuration.limits.bodySize { throw .bodyTooLarge }
                if request.isChunked {
                    var size = ByteBuffer()
                    size.writeString(String(piece.readableBytes, radix: 16))
                    size.writeStaticString("\r\n")
                    server.write(size)
                    server.write(piece)
                    server.write(Self.lineEnd)
                } else {
                    server.write(piece)
                }
            }
        } catch {
            return refuse(error)
        }
        if body!.isComplete {
            if request.isChunked { server.write(Self.lastChunk) }
            server.requestEnded()
        } else if inputHasEnded {
            return refuse(.incomplete)
        }
        server.flush()
        awaitNext()
    }

    private static let lineEnd = ByteBuffer(staticString: "\r\n")
    private static let lastChunk = ByteBuffer(staticString: "0\r\n\r\n")

    /// Sets the deadline of what is awaited now: the client's body, its taking of the answer, or the member's answer.
    func awaitNext() {
        let isClients = body?.isComplete == false && server?.isWritable == true && !answerHasBegun
        let time = isClients || !canTakeMore ? timeouts.clientBody : timeouts.serverResponse
        deadline.set(.now() + TimeAmount(time))
    }

    func deadlineHasPassed() {
        switch phase {
        case .idle where tls?.isInHandshake == true:
            tlsFailed("handshake-timeout")
            phase = .closing
            reset()
        case .idle: close()
        case .head: answer(408, .clientHeaderTimeout, "its head was not complete in time", closes: true)
        case .connecting:
            dropServer()
            failedToConnect(ExchangeFailure(.connectTimeout, "no answer to any SYN within the timeout"))
        case .exchanging:
            if !canTakeMore { return gone("it took nothing of its answer in time") }
            if body?.isComplete == false, server?.isWritable == true, !answerHasBegun {
                dropServer()
                return answer(408, .clientBodyTimeout, "its body did not come on in time", closes: true)
            }
            fail(ExchangeFailure(.responseTimeout, "no answer within \(timeouts.serverResponse)"))
        case .closing: context?.close(promise: nil)
        }
    }
}
