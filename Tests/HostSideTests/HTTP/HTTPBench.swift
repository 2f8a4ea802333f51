import Appliances
import Configuration
import LabEvents
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing
import Wire

@testable import HostSide

/// An HTTP service in front of members, with its access log in memory.
struct HTTPBench: Sendable {
    let host: HostSide
    let port: UInt16
    let log: RecordedAccesses
    let failures: TLSFailures

    static func run<Result>(
        _ members: [UInt16], _ http: HTTPServiceConfiguration = HTTPServiceConfiguration(),
        monitor: MonitorConfiguration? = nil, _ body: (HTTPBench) async throws -> Result
    ) async throws -> Result {
        let (log, failures) = (RecordedAccesses(), TLSFailures())
        let host = HostSide(
            loadBalancer(members, profile: .http, monitor: monitor, http: http), onAccess: { log.append($0) },
            onTLSFailure: { failures.append($0) },
            onMemberChange: { _ in })
        defer { host.stop() }
        try host.start()
        host.startMonitors()
        return try await body(
            HTTPBench(host: host, port: try #require(host.port(of: "web")), log: log, failures: failures))
    }

    private init(host: HostSide, port: UInt16, log: RecordedAccesses, failures: TLSFailures) {
        self.host = host
        self.port = port
        self.log = log
        self.failures = failures
    }

    /// Sends bytes as they are, and returns what came until the service closed.
    func raw(_ text: String, finishes: Bool = false) async throws -> String {
        try await TestClient.exchange(port, sending: text, finishes: finishes).text
    }

    func get(_ target: String = "/", fields: String = "") async throws -> String {
        try await raw("GET \(target) HTTP/1.1\r\nHost: lab\r\n\(fields)Connection: close\r\n\r\n")
    }

    func expect(_ status: Int, times: Int) async throws {
        for _ in 0..<times {
            let answer = try await get()
            #expect(answer.status == status, "\(answer)")
        }
    }

    func counter(_ name: String) -> UInt64 { host.counters.first { $0.name == "http.web.\(name)" }?.value ?? 0 }
}

final class RecordedAccesses: Sendable {
    private struct State {
        var records: [AccessRecord] = []
        var waiting: [Int: (count: Int, continuation: CheckedContinuation<Void, Never>)] = [:]
        var waits = 0
    }

    private let state = Mutex(State())

    func append(_ record: AccessRecord) {
        let ready = state.withLock { state in
            state.records.append(record)
            let count = state.records.count
            let ready = state.waiting.filter { $0.value.count <= count }
            for wait in ready.keys { state.waiting[wait] = nil }
            return ready
        }
        for wait in ready.values { wait.continuation.resume() }
    }

    /// The records, once there are so many; fewer where they do not come within a minute, so that a test fails and
    /// never hangs.
    func records(_ count: Int) async -> [AccessRecord] {
        await withCheckedContinuation { continuation in
            let wait = state.withLock { state -> Int? in
                if state.records.count >= count { return nil }
                state.waits += 1
                state.waiting[state.waits] = (count, continuation)
                return state.waits
            }
            guard let wait else { return continuation.resume() }
            TestBackend.group.next().scheduleTask(in: .seconds(60)) {
                self.state.withLock { $0.waiting.removeValue(forKey: wait) }?.continuation.resume()
            }
        }
        return state.withLock { $0.records }
    }

    var all: [AccessRecord] { state.withLock { $0.records } }
}

/// The clients with which TLS failed.
final class TLSFailures: Sendable {
    private let failures = Mutex<[TLSFailure]>([])

    func append(_ failure: TLSFailure) { failures.withLock { $0.append(failure) } }

    var all: [TLSFailure] { failures.withLock { $0 } }
}

/// A member that reads requests by SwiftNIO's own decoder, another reader than the service's, and remembers them.
final class HTTPMember: Sendable {
    struct Request: Sendable {
        var head: HTTPRequestHead
        var body: String
        /// The service's source port.
        var port: Int
    }

    private final class Seen: Sendable {
        let state = Mutex<(requests: [Request], errors: Int)>(([], 0))
    }

    private let seen: Seen
    private let backend: TestBackend
    var requests: [Request] { seen.state.withLock { $0.requests } }
    /// Connections on which something came that is no HTTP.
    var errors: Int { seen.state.withLock { $0.errors } }
    var port: UInt16 { backend.port }

    /// - Parameter answer: the bytes of the answer; nil for the usual one, which repeats the request
    init(_ answer: @escaping @Sendable (Request) -> String? = { _ in nil }) async throws {
        let seen = Seen()
        self.seen = seen
        backend = try await TestBackend {
            Reader(
                answer: { request in
                    let number = seen.state.withLock { state -> Int in
                        state.requests.append(request)
                        return state.requests.count
                    }
                    if let text = answer(request) { return text }
                    let body = "\(request.head.method.rawValue) \(request.head.uri) #\(number) \(request.body)"
                    return "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                        + (request.head.method == .HEAD ? "" : body)
                }, onError: { seen.state.withLock { $0.errors += 1 } })
        }
    }

    func close() async throws { try await backend.close() }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let answer: (Request) -> String
        private let onError: () -> Void

        init(answer: @escaping (Request) -> String, onError: @escaping () -> Void) {
            self.answer = answer
            self.onError = onError
        }

        func handlerAdded(context: ChannelHandlerContext) {
            let inner = Inner(answer: answer, onError: onError)
            try? context.pipeline.syncOperations.addHandlers(
                [ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)), inner],
                position: .after(self))
        }
    }

    private final class Inner: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = ByteBuffer

        private let answer: (Request) -> String
        private let onError: () -> Void
        private var head: HTTPRequestHead?
        private var body = ""

        init(answer: @escaping (Request) -> String, onError: @escaping () -> Void) {
            self.answer = answer
            self.onError = onError
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (self.head, body) = (head, "")
            case .body(let part): body += String(buffer: part)
            case .end:
                guard let head else { return }
                let text = answer(Request(head: head, body: body, port: context.channel.remoteAddress?.port ?? 0))
                let channel = context.channel
                let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)))
                if !head.isKeepAlive { written.whenComplete { _ in channel.close(promise: nil) } }
            }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if error is HTTPParserError { onError() }
            context.close(promise: nil)
        }
    }
}

/// A member that reads anything and answers its first bytes with bytes of a script.
final class Played: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum End { case stays, closes, resets }

    private let text: String
    private let end: End
    private var isDone = false

    init(_ text: String, _ end: End = .closes) {
        self.text = text
        self.end = end
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        isDone = true
        let (channel, end) = (context.channel, end)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).whenComplete { _ in
            switch end {
            case .stays: break
            case .closes: channel.close(promise: nil)
            case .resets: channel.closeWithReset()
            }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// A member that answers a request, and closes some time behind its answer.
final class LateFIN: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let delay: TimeAmount
    init(after delay: TimeAmount) { self.delay = delay }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = context.channel
        context.writeAndFlush(
            wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), promise: nil)
        if delay == .zero { return channel.close(promise: nil) }
        channel.eventLoop.scheduleTask(in: delay) { channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

extension String {
    /// The status of an answer that begins with it.
    var status: Int? { hasPrefix("HTTP/1.1 ") ? Int(dropFirst(9).prefix(3)) : nil }

    /// What follows the first empty line.
    var afterHead: String {
        let bytes = Array(utf8)
        for index in bytes.indices.dropLast(3) where Array(bytes[index..<index + 4]) == Array("\r\n\r\n".utf8) {
            return String(decoding: bytes[(index + 4)...], as: UTF8.self)
        }
        return ""
    }
}
