import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

@testable import HostSide

/// A number that grows for as long as the other side takes something.
class Level: @unchecked Sendable {
    private let count = Atomic(0)

    func add(_ more: Int) { count.add(more, ordering: .relaxed) }

    var now: Int { count.load(ordering: .relaxed) }

    /// Where it stands as soon as it is more than all buffers on its way hold.
    func begun() async throws -> Int {
        while now < 16 << 20 { try await Task.sleep(for: .milliseconds(5)) }
        return now
    }

    /// Where it stands once it has begun, and not grown for a while.
    func level() async throws -> Int { try await Self.settled { count.load(ordering: .relaxed) } }

    /// A number once it is more than zero, and has not grown for a while.
    static func settled(_ number: () -> Int) async throws -> Int {
        var (last, same) = (0, 0)
        while same < 10 {
            try await Task.sleep(for: .milliseconds(30))
            let now = number()
            same = now == last && now > 0 ? same + 1 : 0
            last = now
        }
        return last
    }
}

/// What a member of large answers has got rid of.
final class Flood: Level, @unchecked Sendable {
    let size: Int
    var head: String { "HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n" }
    init(size: Int) { self.size = size }
}

/// Answers anything with very many bytes, a piece whenever the one before has left.
final class Flooding: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let flood: Flood
    private var left: Int?
    init(_ flood: Flood) { self.flood = flood }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard left == nil else { return }
        left = flood.size
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: flood.head)), promise: nil)
        next(context)
    }

    private func next(_ context: ChannelHandlerContext) {
        let size = min(left ?? 0, 65_536)
        guard size > 0 else { return }
        left! -= size
        let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: size)
        context.writeAndFlush(wrapOutboundOut(piece)).assumeIsolated().whenSuccess { [self] in
            flood.add(size)
            next(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// What a client has got rid of.
final class Upload: Level, @unchecked Sendable {
    let size: Int
    let text: String?

    /// - Parameter text: said again and again, so many bytes in all; nil for one request with so long a body
    init(_ size: Int, text: String? = nil) { (self.size, self.text) = (size, text) }
}

final class Uploading: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let upload: Upload
    private let answer: EventLoopPromise<String>
    private var left: Int
    private var received = ByteBuffer()
    private let piece: ByteBuffer

    init(_ upload: Upload, _ answer: EventLoopPromise<String>) {
        (self.upload, self.answer, left) = (upload, answer, upload.size)
        let text = upload.text ?? "x"
        piece = ByteBuffer(string: String(repeating: text, count: 65_536 / text.utf8.count))
    }

    func channelActive(context: ChannelHandlerContext) {
        if upload.text == nil {
            // More than a body may measure comes in chunks of no end.
            let isEndless = upload.size > 64 << 20
            let framing = isEndless ? "Transfer-Encoding: chunked" : "Content-Length: \(upload.size)"
            let head = "POST / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\(framing)\r\n\r\n"
            context.write(wrapOutboundOut(ByteBuffer(string: head)), promise: nil)
        }
        next(context)
    }

    private func next(_ context: ChannelHandlerContext) {
        guard left > 0 else { return }
        var bytes = piece.getSlice(at: 0, length: min(left, piece.readableBytes))!
        let size = bytes.readableBytes
        left -= size
        if upload.text == nil, upload.size > 64 << 20 {
            // Empty lines before a chunk's size are none: each chunk is whole.
            var chunk = ByteBuffer(string: String(size, radix: 16) + "\r\n")
            chunk.writeBuffer(&bytes)
            chunk.writeString("\r\n")
            bytes = chunk
        }
        context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenSuccess { [self] in
            upload.add(size)
            next(context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        received.writeBuffer(&buffer)
    }

    func channelInactive(context: ChannelHandlerContext) { answer.succeed(String(buffer: received)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Reads whatever comes, and says nothing.
final class Swallowing: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Opened once: a member behind it does not read before.
final class Gate: Sendable {
    private let promise = TestBackend.group.next().makePromise(of: Void.self)
    var opened: EventLoopFuture<Void> { promise.futureResult }

    func open() async throws {
        promise.succeed(())
        try await opened.get()
    }
}

/// Reads nothing until its gate is open; then says how long the body was that it got.
final class Gated: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let gate: Gate
    private var count = 0
    private var head = ByteBuffer()
    private var length: Int?
    init(_ gate: Gate) { self.gate = gate }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        _ = channel.setOption(.autoRead, value: false)
        gate.opened.whenSuccess { _ = channel.setOption(.autoRead, value: true) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        if length == nil {
            head.writeBuffer(&buffer)
            let text = String(buffer: head)
            guard text.contains("\r\n\r\n") else { return }
            length = Int(text.components(separatedBy: "Content-Length: ")[1].prefix { $0.isNumber })
            count = text.afterHead.utf8.count
        } else {
            count += buffer.readableBytes
        }
        guard count == length else { return }
        let text = "\(count)"
        let channel = context.channel
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer))).whenComplete { _ in
            channel.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// A client that has asked, and reads only when it is told to.
struct PausedClient: Sendable {
    private let channel: any Channel
    private let end: EventLoopFuture<Int>

    init(_ port: UInt16, _ text: String, withTLS: Bool = false) async throws {
        let promise = TestBackend.group.next().makePromise(of: Int.self)
        end = promise.futureResult
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = withTLS ? try NIOSSLContext(configuration: configuration) : nil
        channel = try await ClientBootstrap(group: TestBackend.group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context {
                        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                    }
                    try pipeline.addHandler(Counting(promise))
                }
            }
            .connect(host: "127.0.0.1", port: Int(port))
            .flatMap { channel in
                // Within TLS the handshake comes first, and needs to read.
                let asked = channel.writeAndFlush(ByteBuffer(string: text))
                return asked.flatMap { channel.setOption(.autoRead, value: false) }.map { channel }
            }
            .get()
    }

    /// Bytes until the service closed; throws where it reset.
    func readAll() async throws -> Int {
        try await channel.setOption(.autoRead, value: true).get()
        return try await end.get()
    }

    func reset() { channel.eventLoop.execute { [channel] in channel.closeWithReset() } }

    private final class Counting: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let end: EventLoopPromise<Int>
        private var count = 0
        init(_ end: EventLoopPromise<Int>) { self.end = end }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { count += unwrapInboundIn(data).readableBytes }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            end.fail(error)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { end.succeed(count) }
    }
}
