import Configuration
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import HostSide

/// Requests out of order, as bytes: whatever comes, the service answers or closes, goes on serving, and its member
/// never reads anything else than the requests that the service's access log names.
@Suite struct `HTTP service and bytes of any kind` {
    private static let fragments = [
        "GET / HTTP/1.1\r\n", "POST /p HTTP/1.1\r\n", "HEAD /h HTTP/1.0\r\n", "OPTIONS * HTTP/1.1\r\n",
        "GET http://x/y HTTP/1.1\r\n", "Host: a\r\n", "Host: b\r\n", "host:\tc \r\n", "Content-Length: 3\r\n",
        "Content-Length: 5\r\n", "Content-Length: 3, 3\r\n", "Content-Length : 3\r\n", "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n", "Transfer-Encoding:\u{0b}chunked\r\n", "Transfer-Encoding\r\n : chunked\r\n",
        "Connection: close\r\n", "Connection: content-length\r\n", "Connection: transfer-encoding, host\r\n",
        "X: 1\r\n", "X: a\n", "\r\n", "\n", "\r", "\0", "0\r\n\r\n", "3\r\nabc\r\n", "3;x\r\nabc\r\n", "5\r\nabc\r\n",
        "abc",
        "GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n", " ", "\t", ":", "\u{ff}", "Expect: 100-continue\r\n",
        "Upgrade: h2c\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]

    @Test(arguments: UInt64(1)...12)
    func `are never passed on ambiguously, and never end it`(seed: UInt64) async throws {
        let member = try await HTTPMember()
        let timeouts = HTTPTimeouts(
            clientHeader: .milliseconds(300), clientBody: .milliseconds(300), keepAlive: .milliseconds(300))
        let http = HTTPServiceConfiguration(
            timeouts: timeouts, multiplexing: seed.isMultiple(of: 2) ? ConnectionMultiplexing() : nil)
        try await HTTPBench.run([member.port], http) { bench in
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<60 {
                var text = ""
                if Bool.random(using: &generator) { text = "POST /p HTTP/1.1\r\nHost: a\r\n" }
                for _ in 0..<Int.random(in: 1...8, using: &generator) {
                    text += Self.fragments.randomElement(using: &generator)!
                }
                var bytes = Array(text.utf8)
                if Int.random(in: 0..<3, using: &generator) == 0 {
                    bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
                }
                let answer = try await TestClient.exchange(
                    bench.port, sending: ByteBuffer(bytes: bytes), finishes: Bool.random(using: &generator))
                #expect(
                    answer.wasReset || answer.text.isEmpty || answer.text.status != nil,
                    "seed \(seed): \(text.debugDescription)")
            }
            let last = try await bench.get("/after")
            #expect(last.status == 200, "seed \(seed)")
            // SwiftNIO's reader at the member and the service's own agree on every single request.
            #expect(member.errors == 0, "seed \(seed)")
            let served = bench.log.all.filter { $0.status == 200 }.map { "\($0.method) \($0.uri)" }.sorted()
            let seen = member.requests.map { "\($0.head.method.rawValue) \($0.head.uri)" }.sorted()
            let unanswered = bench.log.all.count { $0.status == 499 || $0.reason == "bad-request" }
            #expect(seen.count >= served.count && seen.count <= served.count + unanswered, "seed \(seed)")
            if unanswered == 0 { #expect(seen == served, "seed \(seed)") }
            for request in member.requests {
                #expect(request.head.headers["host"].count == 1, "seed \(seed)")
                #expect(
                    request.head.headers["content-length"].count + request.head.headers["transfer-encoding"].count <= 1,
                    "seed \(seed)")
            }
        }
        try await member.close()
    }
}
