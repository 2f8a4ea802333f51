import Configuration
import CLinux
import EventLoop
import Foundation
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing
import Wire

@testable import HostSide

/// Clients and members that are faster or slower than the other side, or leave in the middle.
@Suite(.timeLimit(.minutes(2))) struct `HTTP service under pressure` {
    // MARK: Back-pressure

    @Test(arguments: [false, true]) func `a client that does not read keeps its member from being read`(
        withTLS: Bool
    ) async throws {
        let flood = Flood(size: 64 << 20)
        let member = try await TestBackend { Flooding(flood) }
        try await HTTPBench.run([member.port], HTTPServiceConfiguration(tls: withTLS ? .lab : nil)) { bench in
            let client = try await PausedClient(
                bench.port, "GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n", withTLS: withTLS)
            // What fits into the buffers of four sockets has left the member, and then nothing more.
            let stopped = try await flood.level()
            #expect(stopped > 0 && stopped < flood.size / 4 * 3)
            let received = try await client.readAll()
            #expect(received == flood.head.utf8.count + "Connection: close\r\n".utf8.count + flood.size)
            let record = await bench.log.records(1).first
            #expect(record?.responseSize == flood.size && record?.status == 200 && record?.reason == nil)
        }
        try await member.close()
    }

    @Test func `a member that does not read keeps its client from being read`() async throws {
        let gate = Gate()
        let member = try await TestBackend { Gated(gate) }
        let size = 64 << 20
        try await HTTPBench.run([member.port]) { bench in
            let upload = Upload(size)
            let answer = TestBackend.group.next().makePromise(of: String.self)
            let connection = ClientBootstrap(group: TestBackend.group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Uploading(upload, answer))
                    }
                }
                .connect(host: "127.0.0.1", port: Int(bench.port))
            connection.whenFailure { answer.fail($0) }
            let stopped = try await upload.level()
            #expect(stopped > 0 && stopped < size / 4 * 3)
            try await gate.open()
            let text = try await answer.futureResult.get()
            #expect(text.status == 200 && text.afterHead == "\(size)")
        }
        try await member.close()
    }

    @Test func `a client that takes nothing of its answer is given up, and its member let go`() async throws {
        let flood = Flood(size: 64 << 20)
        let member = try await TestBackend { Flooding(flood) }
        let timeouts = HTTPTimeouts(clientBody: .milliseconds(200))
        try await HTTPBench.run([member.port], HTTPServiceConfiguration(timeouts: timeouts)) { bench in
            let client = try await PausedClient(bench.port, "GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
            let record = await bench.log.records(1).first
            #expect(record?.reason == "client-closed" && record?.detail == "it took nothing of its answer in time")
            // Part of an answer must not look like all of it.
            await #expect(throws: (any Error).self) { _ = try await client.readAll() }
        }
        try await member.close()
    }

    /// The kernel tells of room in its buffer only when a third is free, which so slow a client never reaches.
    @Test func `a client that takes its answer slowly is not given up`() async throws {
        let flood = Flood(size: 64 << 20)
        let member = try await TestBackend { Flooding(flood) }
        let timeouts = HTTPTimeouts(clientBody: .milliseconds(700))
        try await HTTPBench.run([member.port], HTTPServiceConfiguration(timeouts: timeouts)) { bench in
            let port = bench.port
            let received = await withCheckedContinuation { continuation in
                let thread = Thread { continuation.resume(returning: Self.readSlowly(port, times: 30, every: 100_000)) }
                thread.start()
            }
            #expect(received > 60_000)
            // It went by itself in the end, after more than four times what it may take nothing.
            let record = await bench.log.records(1).first
            #expect(record?.reason == "client-closed" && record?.detail == nil && record?.totalTime ?? 0 > 2.9)
        }
        try await member.close()
    }

    /// - Returns: how much was there to read
    private static func readSlowly(_ port: UInt16, times: Int, every microseconds: UInt32) -> Int {
        let client = cl_tcp_socket(0)
        defer { close(client) }
        var small: Int32 = 4096
        setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(client, F_SETFL, 0)
        guard IPAddress.ipv4(.loopback).withSocketAddress(port: port, { connect(client, $0, $1) }) == 0 else {
            return -1
        }
        let request = "GET / HTTP/1.1\r\nHost: lab\r\n\r\n"
        _ = write(client, request, request.utf8.count)
        var bytes = [UInt8](repeating: 0, count: 4096)
        var received = 0
        for _ in 0..<times {
            usleep(microseconds)
            let count = read(client, &bytes, bytes.count)
            guard count > 0 else { return received }
            received += count
        }
        return received
    }

    // MARK: Very many

    @Test(arguments: [true, false]) func `a flood of requests at once is answered in order`(isServed: Bool) async throws
    {
        let member = try await HTTPMember()
        let closed = try ClosedPort()
        defer { withExtendedLifetime(closed) {} }
        let count = 3000
        // Where the member refuses, the answers are the balancer's own, at once.
        let port = isServed ? member.port : closed.number
        try await HTTPBench.run([port], HTTPServiceConfiguration(multiplexing: .init())) { bench in
            var text = ""
            for number in 0..<count {
                text +=
                    "GET /\(number) HTTP/1.1\r\nHost: lab\r\n\(number == count - 1 ? "Connection: close\r\n" : "")\r\n"
            }
            let answer = try await bench.raw(text)
            let records = await bench.log.records(count)
            #expect(records.map(\.uri) == (0..<count).map { "/\($0)" })
            #expect(records.allSatisfy { ($0.status == 200) == isServed })
            #expect(answer.components(separatedBy: "HTTP/1.1 ").count == count + 1)
        }
        try await member.close()
    }

    @Test func `a flood whose answers nobody reads is not read on`() async throws {
        let closed = try ClosedPort()
        defer { withExtendedLifetime(closed) {} }
        try await HTTPBench.run([closed.number]) { bench in
            let upload = Upload(64 << 20, text: "GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
            let answer = TestBackend.group.next().makePromise(of: String.self)
            let channel = try await ClientBootstrap(group: TestBackend.group)
                .channelOption(.autoRead, value: false)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Uploading(upload, answer))
                    }
                }
                .connect(host: "127.0.0.1", port: Int(bench.port)).get()
            let stopped = try await Level.settled { Int(bench.counter("requests")) }
            #expect(stopped < upload.size / 2 / upload.text!.utf8.count)
            try await bench.expect(502, times: 3)
            channel.eventLoop.execute { channel.closeWithReset() }
            _ = try? await answer.futureResult.get()
        }
    }

    @Test func `a client that sends without a pause does not keep others from their answers`() async throws {
        let member = try await TestBackend { Swallowing() }
        let fast = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let http = HTTPServiceConfiguration(limits: HTTPLimits(bodySize: .max))
        try await HTTPBench.run([member.port], http) { bench in
            // Its body never ends.
            let upload = Upload(.max / 2)
            let answer = fast.next().makePromise(of: String.self)
            let channel = try await ClientBootstrap(group: fast)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Uploading(upload, answer))
                    }
                }
                .connect(host: "127.0.0.1", port: Int(bench.port)).get()
            let before = try await upload.begun()
            for _ in 0..<20 {
                // The member reads on and answers nobody: the service itself does.
                let refused = try await bench.raw("GET / HTTP/1.1\r\n\r\n")
                #expect(refused.status == 400)
            }
            #expect(upload.now > before, "the endless one went on meanwhile")
            channel.eventLoop.execute { channel.closeWithReset() }
            _ = try? await answer.futureResult.get()
            #expect(await bench.log.records(21).last?.reason == "client-closed")
        }
        try await fast.shutdownGracefully()
        try await member.close()
    }

    @Test func `what one client has sent is read in several turns, so that others have theirs`() throws {
        let loop = try EventLoop()
        let thread = ServiceThread(on: loop, accessLog: nil)
        let service = HTTPService(
            loadBalancer([1], profile: .http).services[0], on: thread, onAccess: { _ in }, onTLSFailure: { _ in })
        var pair: [Int32] = [-1, -1]
        let isMade = cl_socket_pair(&pair) == 0
        #expect(isMade)
        let client = HTTPClientConnection(service, on: EdgeSocket(pair[0]), from: .ipv4(.loopback), 1, tls: nil)
        for descriptor in pair { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        var most: Int32 = 1 << 20
        setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &most, socklen_t(MemoryLayout<Int32>.size))
        // No request: it is answered, and what follows is only read so that the answer is not lost to a reset.
        let junk = [UInt8](repeating: UInt8(ascii: " "), count: 16_384)
        var sent = 0
        while case let count = write(pair[1], junk, junk.count), count > 0 { sent += count }
        try loop.watch(pair[0], for: EdgeSocket.interest, telling: client)
        func unread() -> Int {
            var bytes: Int32 = 0
            return ioctl(pair[0], UInt(FIONREAD), &bytes) == 0 ? Int(bytes) : -1
        }
        var left = [unread()]
        while left.count < 20, left.last! > 0 {
            loop.turn(block: false)
            left.append(unread())
        }
        #expect(left.first == sent && left.last == 0 && left.count > 2, "\(left)")
        #expect(service.counters.requests.value == 0)
        client.end()
        close(pair[1])
    }

    // MARK: Leaving

    @Test func `stopping ends every connection, whatever it is about, and the port is free again`() async throws {
        let member = try await TestBackend { Witness(onEnd: { _ in }) }
        let port = try await HTTPBench.run([member.port], HTTPServiceConfiguration(multiplexing: .init())) { bench in
            var clients: [PausedClient] = []
            for text in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: lab\r\n\r\n"] {
                clients.append(try await PausedClient(bench.port, text))
            }
            while bench.counter("server-connections") == 0 || bench.counter("open") < 3 { await Task.yield() }
            bench.host.stop()
            for client in clients { _ = try? await client.readAll() }
            #expect(bench.log.all.map(\.status) == [499] && bench.counter("open") == 0)
            return bench.port
        }
        // Nobody listens there any more.
        let free = try await TestBackend(port: port) { Echo() }
        try await free.close()
        try await member.close()
    }

    @Test func `a client that resets within a large answer inside TLS is told apart, and others are served`()
        async throws
    {
        let flood = Flood(size: 64 << 20)
        let member = try await TestBackend { Flooding(flood) }
        try await HTTPBench.run([member.port], HTTPServiceConfiguration(tls: .lab)) { bench in
            for _ in 0..<2 {
                let client = try await PausedClient(bench.port, "GET / HTTP/1.1\r\nHost: lab\r\n\r\n", withTLS: true)
                _ = try await flood.level()
                client.reset()
            }
            let records = await bench.log.records(2)
            #expect(records.count == 2 && records.allSatisfy { $0.reason == "client-closed" && $0.tls == "TLSv1.3" })
            let client = try await PausedClient(
                bench.port, "GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n", withTLS: true)
            let received = try await client.readAll()
            #expect(received == flood.head.utf8.count + "Connection: close\r\n".utf8.count + flood.size)
            #expect(bench.counter("open") <= 1)
        }
        try await member.close()
    }
}
