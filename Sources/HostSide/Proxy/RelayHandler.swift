internal import NIOCore

/// One end of a proxied connection: what it reads goes to its partner, and it reads only while the partner's socket
/// takes what it is given.
///
/// A FIN is passed on behind the data before it, and leaves the other direction open. A reset, or any other failure,
/// is passed on as a reset.
final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var partner: RelayHandler?
    private var context: ChannelHandlerContext?
    /// The other side has sent its FIN.
    private var inputHasEnded = false
    /// Our FIN is sent, or on its way behind what still waits.
    private var outputHasEnded = false
    private var hasFailed = false
    private var readIsPostponed = false

    /// Two ends that relay to each other; both channels must be on one event loop.
    static func pair() -> (RelayHandler, RelayHandler) {
        let (a, b) = (RelayHandler(), RelayHandler())
        a.partner = b
        b.partner = a
        return (a, b)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }

    /// Both ends are in place; `early` was read from this end before, and perhaps its FIN too.
    func begin(with early: [ByteBuffer] = [], inputHasEnded: Bool = false) {
        for buffer in early { partner?.write(buffer) }
        partner?.context?.flush()
        self.inputHasEnded = inputHasEnded
        if inputHasEnded { partner?.finish() } else { context?.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        partner?.write(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard let partner else { return }
        partner.context?.flush()
        if partner.canTakeMore { context.read() } else { readIsPostponed = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { partner?.resumeReading() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputHasEnded = true
            partner?.finish()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // SwiftNIO reports a FIN that follows our own by the end of the channel alone.
        let isOrderly = inputHasEnded || (outputHasEnded && !hasFailed)
        if isOrderly { partner?.finish() } else { partner?.reset() }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        hasFailed = true
        context.close(promise: nil)
    }

    private var canTakeMore: Bool { context?.channel.isWritable ?? false }

    private func write(_ buffer: ByteBuffer) {
        context?.write(wrapOutboundOut(buffer), promise: nil)
    }

    private func resumeReading() {
        guard readIsPostponed else { return }
        readIsPostponed = false
        context?.read()
    }

    /// Sends a FIN behind the data that still waits.
    private func finish() {
        guard let context, context.channel.isActive, !outputHasEnded else { return }
        outputHasEnded = true
        guard inputHasEnded else { return context.close(mode: .output, promise: nil) }
        // With the other direction ended already, SwiftNIO would close at once and drop what waits.
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(channel.allocator.buffer(capacity: 0))).whenComplete { _ in
            channel.close(promise: nil)
        }
    }

    private func reset() {
        guard let context else { return }
        context.channel.closeWithReset()
    }
}
