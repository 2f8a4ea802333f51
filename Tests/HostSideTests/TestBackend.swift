import Glibc
import NIOCore
import NIOPosix

/// A server on 127.0.0.1 for tests, with one thread for all of them.
struct TestBackend: Sendable {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    let channel: any Channel
    var port: UInt16 { UInt16(channel.localAddress!.port!) }

    /// - Parameter handler: made for each connection
    init(port: UInt16 = 0, _ handler: @escaping @Sendable () -> some ChannelInboundHandler) async throws {
        channel = try await ServerBootstrap(group: Self.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler()) }
            }
            .bind(host: "127.0.0.1", port: Int(port))
            .get()
    }

    func close() async throws { try await channel.close() }
}

/// Returns every byte, and closes when its client has finished.
final class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        // Behind what is not written yet: closing alone would drop it.
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Says one thing to everybody, and closes.
final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let text: String
    init(_ text: String) { self.text = text }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).whenComplete { _ in channel.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Answers nothing until its client has finished; then says how many bytes came, and closes.
final class ByteCounter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var count = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { count += unwrapInboundIn(data).readableBytes }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "\(count)"))).whenComplete { _ in
            channel.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Reports how its connection ended.
final class Witness: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let onActive: @Sendable (any Channel) -> Void
    private let onEnd: @Sendable (String) -> Void
    private var end = "closed"

    init(onActive: @escaping @Sendable (any Channel) -> Void = { _ in }, onEnd: @escaping @Sendable (String) -> Void) {
        self.onActive = onActive
        self.onEnd = onEnd
    }

    func channelActive(context: ChannelHandlerContext) { onActive(context.channel) }
    func channelInactive(context: ChannelHandlerContext) { onEnd(end) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, error.errnoCode == ECONNRESET { end = "reset" }
        context.close(promise: nil)
    }
}

/// Answers each connection's first bytes with a status that can be changed.
final class StatusServer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let status: @Sendable () -> String
    init(_ status: @escaping @Sendable () -> String) { self.status = status }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let answer = ByteBuffer(string: "HTTP/1.1 \(status())\r\ncontent-length: 0\r\n\r\n")
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
