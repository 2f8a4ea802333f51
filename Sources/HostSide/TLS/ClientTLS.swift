internal import NIOCore
internal import NIOEmbedded
internal import NIOSSL
internal import NIOTLS

/// The TLS of a client's connection, without its socket: bytes of the network in, bytes of the application out, and the
/// other way round. Used on one thread alone.
final class ClientTLS {
    private let channel: EmbeddedChannel
    private let handler: NIOSSLServerHandler
    private let outcome = Outcome()
    private(set) var isInHandshake = true
    /// Once the handshake was completed.
    private(set) var version: String?
    private var hasEnded = false

    init(_ context: NIOSSLContext) {
        handler = NIOSSLServerHandler(context: context)
        channel = EmbeddedChannel(handlers: [handler, outcome])
        channel.allowRemoteHalfClosure = true
        // The handshake begins with the channel's activity; the address means nothing to it.
        if let nowhere = try? SocketAddress(ipAddress: "127.0.0.1", port: 443) {
            channel.connect(to: nowhere, promise: nil)
        }
    }

    /// What it broke with; nothing more comes of it then.
    var error: (any Error)? { outcome.error }
    /// The client has ended its direction, within TLS.
    var peerHasSentCloseNotify: Bool { outcome.inputHasEnded }
    /// The client's connection has ended, but its TLS has not.
    var missingCloseNotify: any Error { NIOSSLError.uncleanShutdown }

    func receive(_ bytes: UnsafeRawBufferPointer) {
        guard !hasEnded, outcome.error == nil else { return }
        var buffer = channel.allocator.buffer(capacity: bytes.count)
        buffer.writeBytes(bytes)
        channel.pipeline.syncOperations.fireChannelRead(NIOAny(buffer))
        channel.pipeline.syncOperations.fireChannelReadComplete()
    }

    /// Hands over the next piece of what the client has said.
    /// - Returns: whether there was one
    func takePlaintext(_ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        guard let piece = outcome.plaintext.popFirst() else { return false }
        piece.withUnsafeReadableBytes(body)
        return true
    }

    func send(_ bytes: UnsafeRawBufferPointer) {
        guard !hasEnded else { return }
        var buffer = channel.allocator.buffer(capacity: bytes.count)
        buffer.writeBytes(bytes)
        channel.writeAndFlush(buffer, promise: nil)
    }

    /// Hands over the next piece of what is to go to the client.
    /// - Returns: whether there was one
    func takeCiphertext(_ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        guard let piece = try? channel.readOutbound(as: ByteBuffer.self) else { return false }
        piece.withUnsafeReadableBytes(body)
        return true
    }

    /// Whether the handshake was completed since the last time.
    func handshakeHasEnded() -> Bool {
        guard isInHandshake, outcome.handshakeIsComplete else { return false }
        isInHandshake = false
        version = handler.tlsVersion?.name
        return true
    }

    func handshakeFailed() { isInHandshake = false }

    /// Says farewell.
    func finish() {
        guard !hasEnded else { return }
        channel.close(mode: .output, promise: nil)
    }

    /// Lets go of everything: a pipeline that is not closed holds itself. Closed below TLS, which would wait for the
    /// client's farewell.
    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        if let context = try? channel.pipeline.syncOperations.context(handler: handler) { context.close(promise: nil) }
        channel.embeddedEventLoop.run()
    }

    /// What comes out of TLS.
    private final class Outcome: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var plaintext = CircularBuffer<ByteBuffer>()
        var handshakeIsComplete = false
        var inputHasEnded = false
        /// The first one: others follow from it.
        var error: (any Error)?

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { plaintext.append(unwrapInboundIn(data)) }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? TLSUserEvent, case .handshakeCompleted = event { handshakeIsComplete = true }
            if let event = event as? ChannelEvent, event == .inputClosed { inputHasEnded = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if self.error == nil { self.error = error }
        }
    }
}
