import Configuration
import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Wire

@testable import HostSide

@Suite struct `HTTP service in trouble` {
    // Each short for one thing alone, so that a busy machine does not run out of another time first.
    private let impatientWithMembers = HTTPTimeouts(serverResponse: .milliseconds(150))
    private let impatientWithConnections = HTTPTimeouts(serverConnect: .milliseconds(200))
    private let impatientWithClients = HTTPTimeouts(
        clientHeader: .milliseconds(300), clientBody: .milliseconds(300), keepAlive: .milliseconds(300))

    private func outcome(
        of member: UInt16, _ http: HTTPServiceConfiguration = HTTPServiceConfiguration()
    ) async throws -> (answer: String, record: AccessRecord) {
        try await HTTPBench.run([member], http) { bench in
            let answer = try await bench.get("/x")
            return (answer, try #require(await bench.log.records(1).first))
        }
    }

    // MARK: The member

    @Test func `a member that refuses is 502, with the source port that was tried`() async throws {
        let closed = try ClosedPort()
        defer { withExtendedLifetime(closed) {} }
        let (answer, record) = try await outcome(
            of: closed.number, HTTPServiceConfiguration(sourcePorts: 22_000...22_009))
        #expect(answer.status == 502 && answer.contains("X-Balancer-Reason: member-refused"))
        #expect(record.status == 502 && record.reason == "member-refused" && record.snatPort == 22_000)
        #expect(record.errorLine?.contains("connection refused while connecting to upstream") == true)
        #expect(record.errorLine?.contains("snat: 127.0.0.1:22000") == true)
    }

    @Test func `a member that never answers a SYN is 502 when the connect timeout is over`() async throws {
        // A listener whose queue is full drops SYNs as a firewall would.
        let deaf = try DeafListener()
        defer { deaf.close() }
        let (answer, record) = try await outcome(
            of: deaf.port, HTTPServiceConfiguration(timeouts: impatientWithConnections, sourcePorts: 22_020...22_029))
        #expect(answer.status == 502)
        #expect(record.reason == "connect-timeout" && record.snatPort == 22_020)
        #expect(record.errorLine?.contains("never answered") == true)
    }

    @Test(arguments: [
        ("", Played.End.closes, "member-closed-early"),
        ("", .resets, "member-reset"),
        ("HTTP/1.1 200 OK\r\nContent-", .closes, "member-closed-early"),
        ("SSH-2.0-OpenSSH\r\n", .stays, "member-garbage"),
        ("HTTP/1.1 200 OK\nContent-Length: 0\n\n", .stays, "member-garbage"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", .stays, "member-garbage"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .stays,
            "member-garbage"
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .stays, "member-garbage"),
        ("HTTP/1.1 999 ?\r\n\r\n", .stays, "member-garbage"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", .stays, "member-garbage"),
        ("HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", .stays, "member-garbage"),
        ("HTTP/1.1 200 OK\r\nSplit: a\rb\r\n\r\n", .stays, "member-garbage"),
    ])
    func `what is no answer is 502 with its reason`(text: String, end: Played.End, reason: String) async throws {
        let member = try await TestBackend { Played(text, end) }
        let (answer, record) = try await outcome(of: member.port)
        #expect(answer.status == 502 && answer.contains("X-Balancer-Reason: \(reason)\r\n"))
        #expect(record.reason == reason && record.status == 502 && record.errorLine != nil)
        try await member.close()
    }

    @Test func `a member that closes before its answer is written to the error log in the document's words`()
        async throws
    {
        let member = try await TestBackend { Played("") }
        let (_, record) = try await outcome(of: member.port)
        #expect(
            record.errorLine?.contains(
                "upstream prematurely closed connection while reading response header from upstream") == true)
        #expect(record.errorLine?.contains("request: \"GET /x\"") == true)
        try await member.close()
    }

    @Test func `a member that does not answer in time is 504`() async throws {
        let member = try await TestBackend { Played("", .stays) }
        let (answer, record) = try await outcome(
            of: member.port, HTTPServiceConfiguration(timeouts: impatientWithMembers))
        #expect(answer.status == 504 && record.reason == "response-timeout")
        try await member.close()
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Played.End.closes, "member-closed-early"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .closes, "member-closed-early"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", .stays, "malformed-chunk"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .stays, "response-timeout"),
    ])
    func `an answer that breaks off is not taken for a whole one`(
        text: String, end: Played.End, reason: String
    ) async throws {
        let member = try await TestBackend { Played(text, end) }
        try await HTTPBench.run([member.port], HTTPServiceConfiguration(timeouts: impatientWithMembers)) { bench in
            let answer = try await TestClient.exchange(
                bench.port, sending: "GET / HTTP/1.1\r\nHost: lab\r\n\r\n", finishes: false)
            #expect(answer.wasReset && !answer.text.hasSuffix("0\r\n\r\n"))
            let record = try #require(await bench.log.records(1).first)
            #expect(record.status == 200 && (record.reason == reason || record.detail == reason))
        }
        try await member.close()
    }

    @Test func `with no member up the answer is 503, and no member is asked`() async throws {
        let closed = try ClosedPort()
        defer { withExtendedLifetime(closed) {} }
        let monitor = MonitorConfiguration(
            kind: .tcp, interval: .milliseconds(10), timeout: .milliseconds(100), fall: 1, rise: 1)
        try await HTTPBench.run([closed.number], monitor: monitor) { bench in
            while try await bench.get().status == 502 {}
            let answer = try await bench.get()
            #expect(answer.status == 503 && answer.contains("no-member-up"))
            #expect(bench.log.all.last?.snatPort == nil)
        }
    }

    @Test func `when every source port is in use the answer is 503, and the connection goes on`() async throws {
        let member = try await TestBackend { Witness(onEnd: { _ in }) }
        let http = HTTPServiceConfiguration(sourcePorts: 22_040...22_041)
        try await HTTPBench.run([member.port], http) { bench in
            // Two requests hold both ports, for nobody answers them.
            let holders = try await withThrowingTaskGroup(of: (any Channel).self) { group in
                for _ in 0..<2 {
                    group.addTask { try await Self.connect(bench.port, "GET /hold HTTP/1.1\r\nHost: lab\r\n\r\n") }
                }
                return try await group.reduce(into: [any Channel]()) { $0.append($1) }
            }
            while bench.counter("server-connections") < 2 { await Task.yield() }
            let request = "GET / HTTP/1.1\r\nHost: lab\r\n"
            let answer = try await bench.raw("\(request)\r\n\(request)Connection: close\r\n\r\n")
            #expect(answer.components(separatedBy: "HTTP/1.1 503 Service Unavailable\r\n").count == 3)
            let records = await bench.log.records(2)
            #expect(records.map(\.reason) == ["no-source-port", "no-source-port"])
            #expect(records.first?.detail == "all ports 22040 to 22041 of the balancer's own address are in use")
            for holder in holders { try await holder.eventLoop.submit { holder.closeWithReset() }.get() }
            // Clients that leave are told apart from failures of the member.
            #expect(
                await bench.log.records(4).suffix(2).allSatisfy { $0.status == 499 && $0.reason == "client-closed" })
        }
        try await member.close()
    }

    @Test func `a member that cannot be reached is followed by the next`() async throws {
        let member = try await HTTPMember()
        let closed = try ClosedPort()
        defer { withExtendedLifetime(closed) {} }
        try await HTTPBench.run([closed.number, member.port]) { bench in
            try await bench.expect(200, times: 4)
        }
        try await member.close()
    }

    @Test func `an answer before the request's end is passed on, and the connection ends`() async throws {
        let member = try await TestBackend { Played("HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno", .stays) }
        try await HTTPBench.run([member.port]) { bench in
            let answer = try await bench.raw("POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 100000\r\n\r\nabc")
            #expect(answer.status == 413 && answer.afterHead == "no" && answer.contains("Connection: close"))
        }
        try await member.close()
    }

    // MARK: The client

    @Test(arguments: ["\u{16}\u{03}\u{01}\u{02}\u{00}", "\u{0}", " GET / HTTP/1.1", "[", "\r\n\u{16}"])
    func `a client that speaks something else is refused at once, not when its time is over`(bytes: String) async throws
    {
        let member = try await HTTPMember()
        let http = HTTPServiceConfiguration(timeouts: HTTPTimeouts(clientHeader: .seconds(3600)))
        try await HTTPBench.run([member.port], http) { bench in
            // Its connection stays open for writing: only what it has sent can be the reason.
            let answer = try await TestClient.exchange(bench.port, sending: bytes, finishes: false).text
            #expect(answer.status == 400 && answer.contains("X-Balancer-Reason: malformed-request-line\r\n"))
        }
        #expect(member.requests.isEmpty)
        try await member.close()
    }

    @Test func `half a request and silence is 408, silence alone is the end`() async throws {
        let member = try await HTTPMember()
        try await HTTPBench.run([member.port], HTTPServiceConfiguration(timeouts: impatientWithClients)) { bench in
            let half = try await bench.raw("GET / HTTP/1.1\r\nHo")
            #expect(half.status == 408)
            let silent = try await bench.raw("")
            #expect(silent.isEmpty)
            let idle = try await bench.raw("GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
            #expect(idle.status == 200 && !idle.contains("408"))
            let body = try await bench.raw("POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 5\r\n\r\nab")
            #expect(body.status == 408)
            #expect(await bench.log.records(3).map(\.status) == [408, 200, 408])
            #expect(member.requests.count == 1)
        }
        try await member.close()
    }

    @Test func `a slow client holds nobody up`() async throws {
        let member = try await HTTPMember()
        // On a busy machine fifty connections may take longer than a head usually may.
        let http = HTTPServiceConfiguration(timeouts: HTTPTimeouts(clientHeader: .seconds(3600)))
        try await HTTPBench.run([member.port], http) { bench in
            var slow: [any Channel] = []
            for _ in 0..<50 { slow.append(try await Self.connect(bench.port, "GET / HTTP/1.1\r\nX: ")) }
            try await bench.expect(200, times: 1)
            #expect(bench.counter("open") >= 50)
            for channel in slow { try await channel.close() }
        }
        try await member.close()
    }

    @Test func `too many connections are reset at once`() async throws {
        let member = try await HTTPMember()
        var limits = HTTPLimits()
        limits.connections = 1
        // On a busy machine the second connection may come when the first one's head has taken too long.
        let http = HTTPServiceConfiguration(limits: limits, timeouts: HTTPTimeouts(clientHeader: .seconds(3600)))
        try await HTTPBench.run([member.port], http) { bench in
            let first = try await Self.connect(bench.port, "GET / HTTP/1.1\r\n")
            while bench.counter("open") == 0 { await Task.yield() }
            let second = try await TestClient.exchange(bench.port, sending: "GET / HTTP/1.1\r\n", finishes: false)
            #expect(second.wasReset && bench.counter("over-limit") == 1)
            try await first.close()
        }
        try await member.close()
    }

    static let limits = HTTPLimits(headerSize: 256, headerCount: 4, bodySize: 10)

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 300))\r\n\r\n", 431),
        ("GET /\(String(repeating: "x", count: 300)) HTTP/1.1\r\n", 431),
        (String(repeating: "x", count: 300), 431),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n\r\n", 431),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n", 413),
        ("GET / HTTP/1.1\r\nHost: a\r\nHo", 400),
    ])
    func `a request beyond a limit is refused by name, and nothing of it reaches the member`(
        text: String, status: Int
    ) async throws {
        let member = try await HTTPMember()
        try await HTTPBench.run([member.port], HTTPServiceConfiguration(limits: Self.limits)) { bench in
            let answer = try await bench.raw(text, finishes: status == 400)
            #expect(answer.status == status)
            #expect(member.requests.isEmpty && member.errors == 0)
        }
        try await member.close()
    }

    static func connect(_ port: UInt16, _ text: String) async throws -> any Channel {
        try await ClientBootstrap(group: TestBackend.group).connect(host: "127.0.0.1", port: Int(port))
            .flatMap { channel in channel.writeAndFlush(ByteBuffer(string: text)).map { channel } }
            .get()
    }
}
