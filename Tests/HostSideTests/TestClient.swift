import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Sends bytes, finishes its direction, and collects what comes until the other side finishes.
enum TestClient {
    struct Answer: Sendable {
        var bytes: ByteBuffer
        var wasReset: Bool
        var text: String { String(buffer: bytes) }
    }

    static func exchange(_ port: UInt16, sending bytes: ByteBuffer, finishes: Bool = true) async throws -> Answer {
        let answer = TestBackend.group.next().makePromise(of: Answer.self)
        let sending = Sending()
        let connection = ClientBootstrap(group: TestBackend.group)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(answer, sending))
                }
            }
            .connect(host: "127.0.0.1", port: Int(port))
        connection.whenComplete { result in
            switch result {
            case .success(let channel):
                // A reset may come at any point of this: SwiftNIO tells the write of one that comes before it, and the
                // collector of one that comes later.
                channel.writeAndFlush(bytes).whenFailure { sending.note($0) }
                if finishes { channel.close(mode: .output, promise: nil) }
            case .failure(let error as NIOConnectionError) where error.connectionErrors.contains { isReset($0.error) }:
                // The handshake was complete, and the reset was faster than its news.
                answer.succeed(Answer(bytes: ByteBuffer(), wasReset: true))
            case .failure(let error): answer.fail(error)
            }
        }
        return try await answer.futureResult.get()
    }

    static func exchange(_ port: UInt16, sending text: String, finishes: Bool = true) async throws -> Answer {
        try await exchange(port, sending: ByteBuffer(string: text), finishes: finishes)
    }

    static func isReset(_ error: any Error) -> Bool {
        let code = (error as? IOError)?.errnoCode
        return code == ECONNRESET || code == EPIPE
    }

    /// What became of the write.
    private final class Sending: Sendable {
        private let failure = Mutex(false)
        var wasReset: Bool { failure.withLock { $0 } }

        func note(_ error: any Error) {
            if TestClient.isReset(error) { failure.withLock { $0 = true } }
        }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let answer: EventLoopPromise<Answer>
        private let sending: Sending
        private var bytes = ByteBuffer()
        private var wasReset = false

        init(_ answer: EventLoopPromise<Answer>, _ sending: Sending) { (self.answer, self.sending) = (answer, sending) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var buffer = unwrapInboundIn(data)
            bytes.writeBuffer(&buffer)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if TestClient.isReset(error) { wasReset = true }
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            answer.succeed(Answer(bytes: bytes, wasReset: wasReset || sending.wasReset))
        }
    }
}
