internal import Configuration
internal import Glibc
internal import LabTime
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Wire

/// One question of a monitor to a member, and its answer within the timeout.
struct HealthCheck: Sendable {
    enum Answer: Hashable, Sendable {
        case healthy(String)
        case unhealthy(String)

        var isHealthy: Bool { if case .healthy = self { true } else { false } }

        var reason: String {
            switch self {
            case .healthy(let reason), .unhealthy(let reason): reason
            }
        }
    }

    let monitor: MonitorConfiguration
    let member: PoolMemberConfiguration

    private var port: UInt16 { monitor.port ?? member.port }

    /// Never fails: whatever happens is an answer. Its connection is closed when the answer is there.
    func ask(on eventLoop: any EventLoop) -> EventLoopFuture<Answer> {
        let promise = eventLoop.makePromise(of: Answer.self)
        let timeout = eventLoop.scheduleTask(in: TimeAmount(monitor.timeout)) {
            promise.succeed(.unhealthy("no answer within \(monitor.timeout)"))
        }
        let exchange = monitor.kind == .http
        let request = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: monitor.path,
            headers: [
                "host": member.address.endpoint(port: port), "user-agent": "failoverlab-monitor", "connection": "close",
            ])
        // Slightly longer than the timeout above, so that one timer alone decides.
        let connection = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(monitor.timeout + .milliseconds(100)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard exchange else { return }
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(StatusReader(request, answer: promise))
                }
            }
            .connect(host: member.address.description, port: Int(port))
        connection.whenComplete { result in
            switch result {
            case .failure(let error): promise.succeed(.unhealthy(Self.words(error)))
            case .success: if !exchange { promise.succeed(.healthy("connection accepted")) }
            }
        }
        // Also closes a connection that comes about only after the timeout.
        promise.futureResult.whenComplete { _ in
            timeout.cancel()
            connection.whenSuccess { $0.close(promise: nil) }
        }
        return promise.futureResult
    }

    static func words(_ error: any Error) -> String {
        if let error = error as? NIOConnectionError, let first = error.connectionErrors.first {
            return words(first.error)
        }
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)).lowercased() }
        if case .connectTimeout? = error as? ChannelError { return "no connection within the timeout" }
        return "\(error)"
    }
}

/// Sends one request and takes its status; a status below 400 is healthy.
private final class StatusReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: HTTPRequestHead
    private let answer: EventLoopPromise<HealthCheck.Answer>

    init(_ request: HTTPRequestHead, answer: EventLoopPromise<HealthCheck.Answer>) {
        self.request = request
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        let text = "status \(head.status.code)"
        answer.succeed(head.status.code < 400 ? .healthy(text) : .unhealthy(text))
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.succeed(.unhealthy("connection closed before the answer"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.succeed(.unhealthy(HealthCheck.words(error)))
        context.close(promise: nil)
    }
}
