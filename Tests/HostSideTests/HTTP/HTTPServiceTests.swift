import Configuration
import Foundation
import NIOCore
import NIOHTTP1
import Testing
import Wire

@testable import HostSide

@Suite struct `HTTP service` {
    @Test func `a request reaches the member and its answer the client`() async throws {
        let member = try await HTTPMember()
        try await HTTPBench.run([member.port]) { bench in
            let answer = try await bench.get("/a?b=c", fields: "User-Agent: test\r\n")
            #expect(answer.status == 200 && answer.afterHead == "GET /a?b=c #1 ")
            let seen = try #require(member.requests.first)
            #expect(seen.head.headers["x-forwarded-for"] == ["127.0.0.1"])
            #expect(seen.head.headers["host"] == ["lab"] && seen.head.headers["connection"] == ["close"])
            let record = try #require(await bench.log.records(1).first)
            #expect(record.client == .ipv4(.loopback) && record.clientPort != 0 && record.poolMember == "backend-1")
            #expect(record.snatAddress == .ipv4(.loopback) && Int(record.snatPort ?? 0) == seen.port)
            #expect(record.method == "GET" && record.uri == "/a?b=c" && record.host == "lab")
            #expect(record.status == 200 && record.responseSize == 14 && record.reason == nil)
            #expect(record.userAgent == "test" && record.vipPort == bench.port && record.memberPort == member.port)
        }
        try await member.close()
    }

    @Test func `pipelined requests are answered in their order`() async throws {
        let member = try await HTTPMember()
        for multiplexing in [nil, ConnectionMultiplexing()] {
            try await HTTPBench.run([member.port], HTTPServiceConfiguration(multiplexing: multiplexing)) { bench in
                var text = ""
                for number in 0..<50 {
                    text += "GET /\(number) HTTP/1.1\r\nHost: lab\r\n\(number == 49 ? "Connection: close\r\n" : "")\r\n"
                }
                let answer = try await bench.raw(text)
                let order = answer.split(separator: "GET /").dropFirst().map { String($0.prefix { $0 != " " }) }
                #expect(order == (0..<50).map(String.init))
                #expect(await bench.log.records(50).map(\.uri) == (0..<50).map { "/\($0)" })
            }
        }
        try await member.close()
    }

    @Test func `pipelined requests with an early end are all answered`() async throws {
        let member = try await HTTPMember()
        try await HTTPBench.run([member.port]) { bench in
            let request = "POST /p HTTP/1.1\r\nHost: lab\r\nContent-Length: 3\r\n\r\nabc"
            let answer = try await bench.raw(request + request + request, finishes: true)
            #expect(answer.components(separatedBy: "HTTP/1.1 200 OK").count == 4)
            #expect(await bench.log.records(3).map(\.status) == [200, 200, 200])
        }
        try await member.close()
    }

    @Test func `bodies are carried both ways, with a length and in chunks`() async throws {
        let member = try await HTTPMember { request in
            guard request.head.uri == "/chunks" else { return nil }
            return
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\nt: v\r\n\r\n"
        }
        try await HTTPBench.run([member.port]) { bench in
            let answer = try await bench.raw(
                "POST /up HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5;e=1\r\npedia\r\n0\r\nTr: x\r\n\r\n"
                    + "GET /chunks HTTP/1.1\r\nHost: lab\r\n\r\n"
                    + "PUT /put HTTP/1.1\r\nHost: lab\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfour")
            #expect(member.requests.map(\.body) == ["wikipedia", "", "four"])
            #expect(answer.contains("POST /up #1 wikipedia"))
            #expect(answer.contains("3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n"))
            #expect(answer.hasSuffix("PUT /put #3 four"))
            #expect(await bench.log.records(3).map(\.responseSize) == [21, 8, 16])
        }
        try await member.close()
    }

    @Test func `a client of HTTP 1.0 gets a chunked answer without its chunks, and the connection's end`() async throws
    {
        let member = try await HTTPMember { _ in
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        }
        try await HTTPBench.run([member.port]) { bench in
            let answer = try await bench.raw("GET / HTTP/1.0\r\n\r\n")
            #expect(answer.afterHead == "abcde" && !answer.lowercased().contains("transfer-encoding"))
        }
        try await member.close()
    }

    @Test func `an answer that ends with its connection is chunked for the client`() async throws {
        let member = try await TestBackend { Played("HTTP/1.0 200 OK\r\n\r\nall there is") }
        try await HTTPBench.run([member.port]) { bench in
            let answer = try await bench.get()
            #expect(answer.afterHead == "c\r\nall there is\r\n0\r\n\r\n")
        }
        try await member.close()
    }

    @Test func `answers without a body keep their length`() async throws {
        let member = try await HTTPMember { request in
            request.head.uri == "/same" ? "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n" : nil
        }
        try await HTTPBench.run([member.port]) { bench in
            let answer = try await bench.raw(
                "HEAD /h HTTP/1.1\r\nHost: lab\r\n\r\nGET /same HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
            #expect(
                answer.hasPrefix(
                    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nHTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n"))
            #expect(answer.afterHead.hasSuffix("Connection: close\r\n\r\n"))
        }
        try await member.close()
    }

    @Test func `a large body is streamed both ways without loss`() async throws {
        let member = try await TestBackend { LengthEcho() }
        let size = 3 << 20
        var body = ByteBuffer(
            string: "POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: \(size)\r\nConnection: close\r\n\r\n")
        for number in 0..<(size / 8) { body.writeInteger(UInt64(number)) }
        try await HTTPBench.run([member.port]) { [body] bench in
            let answer = try await TestClient.exchange(bench.port, sending: body, finishes: false)
            let sent = body.getSlice(at: body.writerIndex - size, length: size)
            #expect(answer.bytes.getSlice(at: answer.bytes.writerIndex - size, length: size) == sent)
            #expect(await bench.log.records(1).first?.responseSize == size)
        }
        try await member.close()
    }

    @Test func `an interim answer is passed on before the answer`() async throws {
        let member = try await HTTPMember { _ in
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        }
        try await HTTPBench.run([member.port]) { bench in
            let answer = try await bench.get()
            #expect(answer.hasPrefix("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"))
            let old = try await bench.raw("GET / HTTP/1.0\r\n\r\n")
            #expect(old.status == 200 && old.afterHead == "ok")
        }
        try await member.close()
    }

    @Test func `headers are removed and set, and the client's address is appended`() async throws {
        let member = try await HTTPMember { _ in
            "HTTP/1.1 200 OK\r\nServer: secret/1\r\nX-Old: 1\r\nContent-Length: 0\r\n\r\n"
        }
        let http = HTTPServiceConfiguration(
            requestHeaders: HeaderRewriting(
                set: [.init(name: "X-LB", value: "lb"), .init(name: "Host", value: "inner")], remove: ["x-Secret"]),
            responseHeaders: HeaderRewriting(set: [.init(name: "X-Old", value: "2")], remove: ["server"]))
        try await HTTPBench.run([member.port], http) { bench in
            let answer = try await bench.get(
                fields: "X-Secret: a\r\nx-lb: forged\r\nX-Forwarded-For: 10.9.9.9\r\nX-Forwarded-For: 10.8.8.8\r\n")
            let head = try #require(member.requests.first?.head)
            #expect(head.headers["x-secret"].isEmpty && head.headers["x-lb"] == ["lb"])
            #expect(head.headers["host"] == ["inner"])
            #expect(head.headers.first(name: "x-forwarded-for") == "10.9.9.9, 10.8.8.8, 127.0.0.1")
            #expect(!answer.contains("secret") && answer.contains("X-Old: 2\r\n") && !answer.contains("X-Old: 1"))
            #expect(await bench.log.records(1).first?.forwardedFor == "10.9.9.9, 10.8.8.8")
        }
        try await HTTPBench.run([member.port], HTTPServiceConfiguration(forwardedFor: .off)) { bench in
            _ = try await bench.get(fields: "X-Forwarded-For: 10.9.9.9\r\n")
            #expect(member.requests.last?.head.headers["x-forwarded-for"] == ["10.9.9.9"])
        }
        try await member.close()
    }

    @Test func `fields that leave longer than they came are passed on whole, however many`() async throws {
        let fields = (0..<60).map { "x\($0):\r\n" }.joined() + (0..<20).map { "y\($0):\t\($0) \t\r\n" }.joined()
        let member = try await HTTPMember { _ in "HTTP/1.1 200\r\n\(fields)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        }
        let http = HTTPServiceConfiguration(
            requestHeaders: HeaderRewriting(
                set: [.init(name: "Host", value: String(repeating: "h", count: 3000)), .init(name: "z", value: "1")],
                remove: []))
        try await HTTPBench.run([member.port], http) { bench in
            let answer = try await bench.raw("GET / HTTP/1.0\r\n\(fields)\r\n")
            #expect(answer.status == 200)
            let headers = try #require(member.requests.first?.head.headers)
            #expect(headers["host"].first?.count == 3000 && headers["z"] == ["1"])
            #expect((0..<60).allSatisfy { headers["x\($0)"] == [""] && answer.contains("\r\nx\($0): \r\n") })
            #expect((0..<20).allSatisfy { headers["y\($0)"] == ["\($0)"] && answer.contains("\r\ny\($0): \($0)\r\n") })
        }
        try await member.close()
    }

    @Test func `fields of one connection end at the balancer, the essential ones cannot be taken away`() async throws {
        let member = try await HTTPMember()
        try await HTTPBench.run([member.port]) { bench in
            _ = try await bench.raw(
                "GET / HTTP/1.1\r\nHost: lab\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nX-Hop: 1\r\nX-End: 2\r\n"
                    + "Connection: x-hop, close, host, x-forwarded-for\r\n\r\n")
            let headers = try #require(member.requests.first?.head.headers)
            for name in ["keep-alive", "te", "upgrade", "x-hop"] { #expect(headers[name].isEmpty, "\(name)") }
            #expect(headers["x-end"] == ["2"] && headers["host"] == ["lab"] && headers["x-forwarded-for"].count == 1)
        }
        try await member.close()
    }

    @Test func `without multiplexing each request has a connection and a source port of its own, in order`()
        async throws
    {
        let member = try await HTTPMember()
        let http = HTTPServiceConfiguration(sourcePorts: 21_000...21_003)
        try await HTTPBench.run([member.port], http) { bench in
            try await bench.expect(200, times: 4)
            #expect(member.requests.map(\.port) == [21_000, 21_001, 21_002, 21_003])
            #expect(bench.counter("server-connections") == 4 && bench.counter("reused") == 0)
            // The member has closed first: its side holds TIME_WAIT, and the ports come again.
            try await bench.expect(200, times: 1)
            #expect((21_000...21_003).contains(member.requests[4].port))
        }
        try await member.close()
    }

    // Who closes first holds TIME_WAIT: at the balancer's side it would block the port for the next connection.
    @Test(arguments: [0, 40]) func `a member's FIN, at once or late, is awaited, and its port is free again`(
        milliseconds: Int64
    ) async throws {
        let member = try await TestBackend { LateFIN(after: .milliseconds(milliseconds)) }
        let port: UInt16 = milliseconds == 0 ? 21_010 : 21_011
        try await HTTPBench.run([member.port], HTTPServiceConfiguration(sourcePorts: port...port)) { bench in
            for _ in 0..<12 {
                var status = try await bench.get().status
                // Until the old connection has ended, the only port is taken.
                while status == 503 {
                    try await Task.sleep(for: .milliseconds(5))
                    status = try await bench.get().status
                }
                #expect(status == 200)
            }
            #expect(bench.counter("server-connections") == 12)
            #expect(bench.counter("busy-ports") == 0)
        }
        try await member.close()
    }

    @Test func `a source pool takes all its addresses before a port comes again`() async throws {
        let member = try await HTTPMember()
        let pool = [IPv4Address(127, 0, 0, 11), IPv4Address(127, 0, 0, 12), IPv4Address(127, 0, 0, 13)].map {
            IPAddress.ipv4($0)
        }
        let http = HTTPServiceConfiguration(sourceAddresses: pool, sourcePorts: 21_100...21_101)
        try await HTTPBench.run([member.port], http) { bench in
            try await bench.expect(200, times: 6)
            let sources = await bench.log.records(6).map { "\($0.snatAddress!):\($0.snatPort!)" }
            #expect(
                sources == [
                    "127.0.0.11:21100", "127.0.0.12:21100", "127.0.0.13:21100", "127.0.0.11:21101", "127.0.0.12:21101",
                    "127.0.0.13:21101",
                ])
        }
        try await member.close()
    }

    @Test func `a source port that something else holds is passed over`() async throws {
        let member = try await HTTPMember()
        // A listener may not share its port.
        let holder = try await TestBackend { Echo() }
        let port = holder.port
        let http = HTTPServiceConfiguration(sourcePorts: port...(port + 1))
        try await HTTPBench.run([member.port], http) { bench in
            let status = try await bench.get().status
            #expect(status == 200 || status == 503)
            #expect(bench.counter("busy-ports") >= 1)
            #expect(member.requests.allSatisfy { $0.port == Int(port) + 1 })
        }
        try await holder.close()
        try await member.close()
    }

    @Test func `with multiplexing requests of all clients share a connection, up to its most requests`() async throws {
        let member = try await HTTPMember()
        let http = HTTPServiceConfiguration(
            multiplexing: ConnectionMultiplexing(idleTime: .seconds(60), mostRequests: 3), sourcePorts: 21_200...21_299)
        try await HTTPBench.run([member.port], http) { bench in
            try await bench.expect(200, times: 7)
            #expect(member.requests.map(\.port) == [21_200, 21_200, 21_200, 21_201, 21_201, 21_201, 21_202])
            #expect(member.requests.allSatisfy { $0.head.headers["connection"].isEmpty })
            #expect(bench.counter("reused") == 4 && bench.counter("server-connections") == 3)
            #expect(
                await bench.log.records(7).map(\.snatPort) == [21_200, 21_200, 21_200, 21_201, 21_201, 21_201, 21_202])
        }
        try await member.close()
    }

    @Test func `an idle connection that the member has closed is not a client's failure`() async throws {
        // Closes after each answer without having said so.
        let member = try await TestBackend { Played("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
        try await HTTPBench.run([member.port], HTTPServiceConfiguration(multiplexing: ConnectionMultiplexing())) {
            bench in
            try await bench.expect(200, times: 20)
        }
        try await member.close()
    }

    @Test func `requests are shared among the members`() async throws {
        let (a, b) = (try await HTTPMember(), try await HTTPMember())
        try await HTTPBench.run([a.port, b.port]) { bench in
            for _ in 0..<6 { _ = try await bench.get() }
            #expect(a.requests.count == 3 && b.requests.count == 3)
        }
        try await a.close()
        try await b.close()
    }

    @Test func `a record's line is JSON with the same fields`() async throws {
        let member = try await HTTPMember()
        try await HTTPBench.run([member.port]) { bench in
            _ = try await bench.get("/\"\\%00", fields: "User-Agent: a\tb\"c\\d\r\n")
            var record = try #require(await bench.log.records(1).first)
            let read = try JSONDecoder().decode(AccessRecord.self, from: Data(record.jsonLine.utf8))
            (record.totalTime, record.serverTime) = (read.totalTime, read.serverTime)
            #expect(read == record)
        }
        try await member.close()
    }
}

/// Returns a request's body, whose length its head states, as it comes.
final class LengthEcho: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var input = ByteBuffer()
    private var isOpen = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        if !isOpen {
            input.writeBuffer(&buffer)
            let bytes = Array(input.readableBytesView)
            guard let end = bytes.indices.dropLast(3).first(where: { Array(bytes[$0..<$0 + 4]) == [13, 10, 13, 10] })
            else { return }
            isOpen = true
            let head = String(decoding: bytes[..<end], as: UTF8.self)
            let length = head.components(separatedBy: "Content-Length: ")[1].prefix { $0.isNumber }
            context.write(
                wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n")),
                promise: nil)
            input.moveReaderIndex(forwardBy: end + 4)
            buffer = input
        }
        context.write(wrapOutboundOut(buffer), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
