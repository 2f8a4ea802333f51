internal import LabTime
internal import Measurement
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import TrafficModel
internal import Wire

/// HTTP/1.1 with keep-alive: answers every request with 200 and the node's name, unless its program says otherwise.
final class HTTPServer {
    /// One thread for all HTTP servers of the process, made with the first of them.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let channel: any Channel

    /// Listens when it returns.
    init(_ program: ServerProgram, at endpoint: Endpoint, nodeName: String) throws {
        let body = nodeName + "\n"
        channel = try ServerBootstrap(group: Self.group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline(withErrorHandling: true).flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(NameResponder(program, body: body))
                }
            }
            .bind(host: endpoint.address.description, port: Int(endpoint.port))
            .wait()
    }

    var port: UInt16? { channel.localAddress?.port.map { UInt16(truncatingIfNeeded: $0) } }

    /// No longer listens when it returns; connections in the middle of a request end with their client.
    func close() {
        try? channel.close().wait()
    }
}

/// Answers when the whole request has come.
private final class NameResponder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let body: String
    private var request: HTTPRequestHead?

    private let program: ServerProgram

    init(_ program: ServerProgram, body: String) {
        self.program = program
        self.body = body
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            request = head
            // Who asks may wait for it before the body: RFC 9110, 10.1.1.
            if case .page = program.answer, head.version.major == 1, head.version.minor >= 1,
                head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" })
            {
                let answer = HTTPResponseHead(version: .http1_1, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(answer)), promise: nil)
            }
        case .body: break
        case .end:
            guard let request else { return }
            self.request = nil
            guard program.delay > .zero else { return perform(request, context) }
            context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(program.delay)) { [self] () -> Void in
                if context.channel.isActive { perform(request, context) }
            }
        }
    }

    private func perform(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        switch program.answer {
        case .page: answer(request, context)
        case .closeEarly: context.close(promise: nil)
        case .silence: break
        case .garbage:
            // Past the encoder, which would make HTTP of it.
            let encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
            let channel = context.channel
            encoder?.writeAndFlush(NIOAny(ByteBuffer(string: "This is no HTTP.\r\n\r\n")))
                .whenComplete { _ in channel.close(promise: nil) }
        }
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders([("content-type", "text/plain"), ("content-length", "\(body.utf8.count)")])
        let keepsAlive = request.isKeepAlive && program.keepsAlive
        if !keepsAlive {
            headers.add(name: "connection", value: "close")
        } else if request.version.minor == 0 {
            headers.add(name: "connection", value: "keep-alive")
        }
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            let buffer = context.channel.allocator.buffer(string: body)
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        }
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !keepsAlive {
            let channel = context.channel
            written.whenComplete { _ in channel.close(promise: nil) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
