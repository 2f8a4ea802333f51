internal import Appliances
internal import NIOCore
internal import NIOPosix
internal import Glibc

/// Who waits for an answer on a connection to a member.
protocol ExchangePartner: AnyObject {
    func received(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer, framing: BodyDecoder.Framing)
    func received(_ piece: ByteBuffer)
    /// The answer is complete, and the connection is no longer the partner's.
    func receivedEnd()
    func failed(_ failure: ExchangeFailure, beforeAnyByte: Bool)
    /// All that came at once was handed over.
    func flush()
    /// Whether more of the answer can be taken now.
    var canTakeMore: Bool { get }
    /// The member takes more of the request.
    func serverCanTakeMore()
}

/// A connection to a member: one request at a time, each for a partner.
final class ServerConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long a member that was asked to close may take; so that TIME_WAIT is at its side and the source port free.
    private static let farewell = TimeAmount.seconds(1)
    /// 1xx answers that one request may get.
    private static let mostInterim = 16

    let member: PoolMemberConfiguration
    let source: SourceEndpoint
    private unowned let connections: ServerConnections
    /// Requests that it has carried, the present one included.
    private(set) var requests = 0

    private var context: ChannelHandlerContext?
    private var partner: (any ExchangePartner)?
    private var input = ByteBuffer()
    private var scanner = HeadScanner()
    private var body: BodyDecoder?
    private var isHEAD = false
    private var hasAnswered = false
    private var interim = 0
    private var requestIsComplete = false
    private var keepsOpen = false
    private var isLeaving = false
    private var readIsPostponed = false
    private var error: (any Error)?
    /// Ends an idle connection, or one whose member does not close.
    private var deadline: MovingDeadline?

    init(_ member: PoolMemberConfiguration, from source: SourceEndpoint, of connections: ServerConnections) {
        self.member = member
        self.source = source
        self.connections = connections
    }

    var isActive: Bool { context?.channel.isActive ?? false }
    var isWritable: Bool { context?.channel.isWritable ?? false }

    // MARK: One exchange

    func begin(_ partner: any ExchangePartner, isHEAD: Bool) {
        self.partner = partner
        self.isHEAD = isHEAD
        requests += 1
        scanner = HeadScanner()
        body = nil
        hasAnswered = false
        interim = 0
        requestIsComplete = false
        deadline?.clear()
        if requests == 1 { context?.read() }
    }

    func write(_ buffer: ByteBuffer) { context?.write(wrapOutboundOut(buffer), promise: nil) }

    func flush() { context?.flush() }

    func requestEnded() { requestIsComplete = true }

    /// The partner takes more of the answer again.
    func resumeReading() {
        guard readIsPostponed else { return }
        readIsPostponed = false
        context?.read()
    }

    /// The partner has no more use for it: whatever is under way is void.
    func abandon() {
        partner = nil
        isLeaving = true
        guard let context, context.channel.isActive else { return }
        context.channel.closeWithReset()
    }

    private func proceed() {
        while let partner {
            if body != nil {
                do throws(MessageFault) {
                    while let piece = try body!.next(&input) { partner.received(piece) }
                } catch {
                    return fail(ExchangeFailure(.memberGarbage, error.rawValue))
                }
                guard body!.isComplete else { return }
                complete()
            } else {
                do throws(MessageFault) {
                    guard try readHead(partner) else { return }
                } catch {
                    return fail(ExchangeFailure(.memberGarbage, error.rawValue))
                }
            }
        }
    }

    /// - Returns: whether a head was there
    private func readHead(_ partner: any ExchangePartner) throws(MessageFault) -> Bool {
        let limits = connections.limits
        let result = input.withUnsafeReadableBytes { bytes -> Result<(Int, Bool)?, MessageFault> in
            do throws(MessageFault) {
                // What cannot become a status line is not waited for.
                guard "HTTP/".utf8.starts(with: bytes.prefix(5)) || bytes.isEmpty else { throw .malformedStatusLine }
                guard let length = try scanner.end(in: bytes) else {
                    if bytes.count > limits.headerSize * 4 { throw .headTooLarge }
                    return .success(nil)
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
                return .success((length, true))
            } catch {
                return .failure(error)
            }
        }
        guard let (length, _) = try result.get() else { return false }
        input.moveReaderIndex(forwardBy: length)
        scanner = HeadScanner()
        return true
    }

    private func complete() {
        guard let partner else { return }
        self.partner = nil
        body = nil
        let isClean = input.readableBytes == 0 && requestIsComplete
        if isClean, keepsOpen, !isLeaving, let multiplexing = connections.multiplexing,
            requests < multiplexing.mostRequests, isActive
        {
            setDeadline(.now() + TimeAmount(multiplexing.idleTime))
            connections.keep(self)
            // A FIN, or bytes that nobody asked for, end it.
            context?.read()
        } else if isClean {
            leave()
        } else {
            // More than an answer came, or the request was not read to its end.
            isLeaving = true
            context?.channel.closeWithReset()
        }
        partner.receivedEnd()
    }

    /// Waits a little for the member's FIN, which it was asked for, and closes.
    private func leave() {
        isLeaving = true
        guard let context, context.channel.isActive else { return }
        setDeadline(.now() + Self.farewell)
        context.read()
    }

    private func setDeadline(_ time: NIODeadline) {
        guard let context else { return }
        let deadline = deadline ?? MovingDeadline(on: context.eventLoop) { [unowned self] in ranOut() }
        self.deadline = deadline
        deadline.set(time)
    }

    private func ranOut() {
        connections.forget(self)
        context?.close(promise: nil)
    }

    private func fail(_ failure: ExchangeFailure) {
        let partner = partner
        self.partner = nil
        isLeaving = true
        context?.channel.closeWithReset()
        partner?.failed(failure, beforeAnyByte: !hasAnswered)
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        deadline?.end()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isLeaving else { return }
        guard partner != nil else {
            // Between two requests a member has nothing to say.
            connections.forget(self)
            isLeaving = true
            return context.channel.closeWithReset()
        }
        var buffer = unwrapInboundIn(data)
        hasAnswered = true
        if input.readableBytes == 0 { input = buffer } else { input.writeBuffer(&buffer) }
        proceed()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard let partner else {
            if isLeaving { context.read() }
            return
        }
        partner.flush()
        if partner.canTakeMore { context.read() } else { readIsPostponed = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { partner?.serverCanTakeMore() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        connections.forget(self)
        isLeaving = true
        if let partner {
            self.partner = nil
            if error == nil, body?.endsWithConnection == true {
                partner.receivedEnd()
            } else if let error {
                let isReset = (error as? IOError).map { $0.errnoCode == ECONNRESET || $0.errnoCode == EPIPE } ?? false
                partner.failed(
                    ExchangeFailure(isReset ? .memberReset : .memberClosedEarly, HealthCheck.words(error)),
                    beforeAnyByte: !hasAnswered)
            } else {
                partner.failed(
                    ExchangeFailure(.memberClosedEarly, hasAnswered ? "within its answer" : "before its answer"),
                    beforeAnyByte: !hasAnswered)
            }
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.error = error
        context.close(promise: nil)
    }
}
