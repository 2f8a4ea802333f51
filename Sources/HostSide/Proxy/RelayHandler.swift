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
    private var inputHasEnded = false
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

    /// Both ends are in place.
    func begin() {
        context?.read()
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
            // Behind the data that still waits: SwiftNIO flushes before it shuts the output down.
            partner?.context?.close(mode: .output, promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if inputHasEnded { partner?.closeAfterWriting() } else { partner?.reset() }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset that comes after the last byte was read takes nothing away from what was read.
        if inputHasEnded { partner?.closeAfterWriting() } else { partner?.reset() }
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

    private func closeAfterWriting() {
        guard let context, context.channel.isActive else { return }
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
