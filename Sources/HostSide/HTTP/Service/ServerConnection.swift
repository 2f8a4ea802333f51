internal import Appliances
internal import NIOCore
internal import NIOPosix
internal import Glibc

/// Who waits for an answer on a connection to a member.
protocol ExchangePartner: AnyObject {
    /// The member has accepted the connection, and the request's head is on its way.
    func connected()
    /// The connection did not come to be: nothing was sent, and it is no longer the partner's.
    func failedToConnect(_ failure: ExchangeFailure)
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
final class ServerConnection: ChannelDuplexHandler, DeadlineOwner {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long a member that was asked to close may take; so that TIME_WAIT is at its side and the source port free.
    private static let farewell = TimeAmount.seconds(1)
    /// 1xx answers that one request may get.
    private static let mostInterim = 16

    /// By its place in the pool.
    let member: Int
    let source: SourceEndpoint
    private let turn: Int
    /// SwiftNIO's; open as long as `isActive`
    private let descriptor: Int32
    private let connections: ServerConnections
    /// Waits for a request among the service's connections.
    var isIdle = false
    /// The member has accepted it.
    private(set) var isConnected: Bool
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
    private var awaitsFarewell = false
    /// Bytes of the first request's head that were sent before SwiftNIO had the socket.
    private var sent: Int
    /// SwiftNIO's own answers to these two cost several calls.
    private(set) var isWritable = true
    private var hasEnded = false
    private var readIsPostponed = false
    private var error: (any Error)?
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
        self.descriptor = descriptor
        self.source = source
        self.turn = turn
        self.sent = sent
        isConnected = sent > 0
        self.connections = connections
    }

    var isActive: Bool { context != nil && !hasEnded }

    // MARK: One exchange

    /// Sends a request's head, as soon as the member has accepted the connection.
    func begin(_ partner: any ExchangePartner, head: ByteBuffer, isHEAD: Bool) {
        self.partner = partner
        self.isHEAD = isHEAD
        requests += 1
        scanner = HeadScanner()
        body = nil
        hasAnswered = false
        interim = 0
        requestIsComplete = false
        deadline?.clear()
        guard let context else { return }
        if isConnected {
            var rest = head
            rest.moveReaderIndex(forwardBy: sent)
            sent = 0
            if rest.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(rest), promise: nil) }
            return
        }
        // Written is the head when there is a connection to write it to.
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success:
                isConnected = true
                connections.noteConnected()
                self.partner?.connected()
            case .failure(let cause):
                // SwiftNIO tells a failed write's cause to nobody else.
                error = error ?? cause
            }
        }
        context.writeAndFlush(wrapOutboundOut(head), promise: written)
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
        guard let context, !hasEnded else { return }
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
        var leaves = false
        if isClean, keepsOpen, !isLeaving, let multiplexing = connections.multiplexing,
            requests < multiplexing.mostRequests, isActive
        {
            setDeadline(.now() + TimeAmount(multiplexing.idleTime))
            connections.keep(self)
            // A FIN, or bytes that nobody asked for, end it.
            resumeReading()
        } else if isClean {
            (isLeaving, leaves) = (true, true)
        } else {
            // More than an answer came, or the request was not read to its end.
            isLeaving = true
            context?.channel.closeWithReset()
        }
        partner.receivedEnd()
        if leaves { leave() }
    }

    /// Waits a little for the member's FIN, which it was asked for, and closes.
    private func leave() {
        guard isActive else { return }
        // Often it is here already. SwiftNIO would find it, too, in a longer way.
        if memberHasEnded { return context?.close(promise: nil) ?? () }
        awaitsFarewell = true
        resumeReading()
    }

    /// Whether nothing but the member's FIN waits to be read.
    private var memberHasEnded: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 0
    }

    private func setDeadline(_ time: NIODeadline) {
        let deadline = deadline ?? MovingDeadline(in: connections.deadlines, owner: self)
        self.deadline = deadline
        deadline.set(time)
    }

    func deadlineHasPassed() {
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
        // SwiftNIO reads the next bytes into the same buffer if nobody holds it.
        if input.readableBytes == 0 { input = ByteBuffer() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        partner?.flush()
        if awaitsFarewell {
            awaitsFarewell = false
            if !hasEnded { setDeadline(.now() + Self.farewell) }
        }
    }

    /// SwiftNIO would read on.
    func read(context: ChannelHandlerContext) {
        if partner?.canTakeMore != false { context.read() } else { readIsPostponed = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable { partner?.serverCanTakeMore() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasEnded = true
        connections.forget(self)
        connections.giveBack(turn, of: member)
        isLeaving = true
        if let partner {
            self.partner = nil
            if !isConnected {
                partner.failedToConnect(ExchangeFailure(connecting: error ?? ChannelError.eof))
            } else if error == nil, body?.endsWithConnection == true {
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
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.error = error
        context.close(promise: nil)
    }
}
