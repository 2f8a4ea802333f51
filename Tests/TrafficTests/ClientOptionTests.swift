import EventLoop
import Glibc
import LabTime
import Measurement
import Testing
import TrafficModel
import Wire

@testable import Traffic

@Suite(.serialized) struct `Clients that look after their connections` {
    let bench: LoopbackBench

    init() throws { bench = try LoopbackBench() }

    private func server(_ program: ServerProgram) throws -> TrafficServer {
        try TrafficServer(program, nodeName: "server", at: .ipv4(.loopback), on: bench.loop)
    }

    @Test func `a stream goes on with the server that takes the place of the first`() throws {
        let first = try server(ServerProgram(kind: .tcpEcho, port: 0))
        let options = TCPStreamTraffic(reconnect: Reconnect(after: .milliseconds(10), atMost: .milliseconds(20)))
        bench.start(bench.program(.tcpStream, port: first.port, options: options))
        bench.run { bench.isReady }
        first.close()
        bench.run(for: .milliseconds(30))
        // One that knows when it has answered.
        let second = try Socket(.tcp, .ipv4)
        try second.allowAddressReuse()
        try second.bind(Endpoint(address: .ipv4(.loopback), port: first.port))
        try second.listen(backlog: 8)
        var (peer, answers): (Socket?, Int) = (nil, 0)
        try bench.loop.watch(second.descriptor) { [bench] _ in
            guard let accepted = try? second.accept() else { return }
            peer = accepted
            try? bench.loop.watch(accepted.descriptor) { _ in
                let outcome = accepted.receiveAll(isStream: true, while: { true }) {
                    if case .bytes = accepted.send($0) { answers += 1 }
                }
                if case .endOfStream = outcome { bench.loop.unwatch(accepted.descriptor) }
            }
        }
        bench.run { answers > 0 }
        defer {
            if let peer { bench.loop.unwatch(peer.descriptor) }
            bench.loop.unwatch(second.descriptor)
            second.close()
        }
        let flow = bench.finish().flows[0]
        #expect(flow.outcome == .survived && flow.reconnects == 1 && flow.lost > 0)
        #expect((flow.longestDisconnection ?? .zero) >= .milliseconds(10))
        let ends = flow.ends
        #expect(ends.count >= 2 && Set(ends.map(\.sourcePort)).count == ends.count, "each attempt has its own port")
        #expect(ends.last?.isAnswered == true && ends.dropFirst().dropLast().allSatisfy { !$0.isAnswered })
    }

    @Test func `a connection at its greatest age is followed by another, and nothing is lost`() throws {
        let server = try server(ServerProgram(kind: .tcpEcho, port: 0))
        defer { server.close() }
        let program = bench.program(
            .tcpStream, port: server.port, options: TCPStreamTraffic(maximumAge: .milliseconds(20)))
        let result = bench.result(of: program) { ($0.flows.first?.ends.count ?? 0) >= 3 }
        let flow = try #require(result.flows.first)
        #expect(flow.ends.count >= 3 && flow.outcome == .survived && flow.lost == 0 && flow.reconnects == nil)
        #expect(flow.ends.allSatisfy { $0.isAnswered })
    }

    @Test func `the kernel has the options of the program`() throws {
        let server = try server(ServerProgram(kind: .tcpEcho, port: 0))
        defer { server.close() }
        let options = TCPSocketOptions(
            keepalive: .init(idle: .seconds(3), interval: .seconds(2), count: 4), userTimeout: .milliseconds(1500))
        let program = bench.program(.tcpStream, port: server.port, options: TCPStreamTraffic(tcp: options))
        let context = FlowContext(program: program, number: 1, loop: bench.loop, ports: bench.ports)
        let (socket, _) = try context.connectedSocket(.tcp)
        func value(_ level: Int32, _ option: Int32) -> Int32 {
            var (value, size) = (Int32(), socklen_t(MemoryLayout<Int32>.size))
            getsockopt(socket.descriptor, level, option, &value, &size)
            return value
        }
        let tcp = Int32(IPPROTO_TCP)
        #expect(value(SOL_SOCKET, SO_KEEPALIVE) == 1 && value(tcp, TCP_KEEPIDLE) == 3)
        #expect(value(tcp, TCP_KEEPINTVL) == 2 && value(tcp, TCP_KEEPCNT) == 4 && value(tcp, TCP_USER_TIMEOUT) == 1500)
        socket.close()
    }

    // MARK: HTTP

    @Test func `requests share a connection, and each is a flow of its own`() throws {
        let server = try server(ServerProgram(kind: .http, port: 0))
        defer { server.close() }
        let options = HTTPRequestTraffic(usesTLS: false, method: .post, bodies: [0, 200_000], reuses: true)
        bench.start(bench.program(.httpRequest, port: server.port, every: .milliseconds(20), options: options))
        bench.run { bench.ended.count >= 10 }
        let result = bench.finish()
        #expect(result.totals.outcome == .survived && result.flows.allSatisfy { $0.status == 200 })
        // A request that is due while another is under way opens one of its own.
        #expect(Set(result.flows.map(\.sourcePort)).count < result.flows.count)
        #expect(result.flows.allSatisfy { $0.laterEnds == nil })
    }

    @Test func `a connection that the server ends takes no further request, and neither does an old one`() throws {
        for (keepsAlive, age) in [(false, nil), (true, Duration.milliseconds(1))] {
            let server = try server(ServerProgram(kind: .http, port: 0, keepsAlive: keepsAlive))
            defer { server.close() }
            let bench = try LoopbackBench()
            let options = HTTPRequestTraffic(usesTLS: false, reuses: true, maximumAge: age)
            bench.start(bench.program(.httpRequest, port: server.port, every: .milliseconds(10), options: options))
            while bench.ended.count < 5 {
                bench.loop.turn(block: false)
                self.bench.loop.turn(block: false)
            }
            let result = bench.finish()
            #expect(result.totals.outcome == .survived)
            #expect(Set(result.flows.map(\.sourcePort)).count == result.flows.count)
        }
    }

    @Test(arguments: [(0, 1), (2, 3)])
    func `a request without an answer is repeated from another port`(retries: Int, ends: Int) throws {
        let server = try server(ServerProgram(kind: .http, port: 0, answer: .closeEarly))
        defer { server.close() }
        let options = HTTPRequestTraffic(usesTLS: false, retries: retries)
        bench.start(bench.program(.httpRequest, port: server.port, every: .milliseconds(20), options: options))
        bench.run { bench.ended.count >= 3 }
        #expect(bench.ended.allSatisfy { $0.outcome == .reset && $0.ends.count == ends && $0.sent == 1 })
    }

    // MARK: UDP

    @Test func `a flow changes its port, and late answers to the former one count`() throws {
        var held: PlayedServer.Request?
        let server = try PlayedServer(on: bench.loop) { server, request in
            // Each answer waits for the next request, which may come from another port.
            if let held { server.answer(held) }
            held = request
            if request.record.sequence >= 12 { server.answer(request) }
        }
        bench.start(bench.program(.udp, port: server.port, options: UDPTraffic(rebinding: .requests(4))))
        bench.run { server.received > 12 }
        let flow = withExtendedLifetime(server) { bench.finish() }.flows[0]
        #expect(flow.outcome == .survived && flow.lost == 0)
        #expect(flow.ends.count >= 4 && Set(flow.ends.map(\.sourcePort)).count == flow.ends.count)
        #expect(flow.ends.prefix(3).allSatisfy { $0.isAnswered })
    }

    @Test func `a burst is one flow`() throws {
        let server = try server(ServerProgram(kind: .udpEcho, port: 0))
        defer { server.close() }
        bench.start(
            bench.program(
                .udpRequest, port: server.port, every: .milliseconds(20),
                options: UDPRequestTraffic(retryEvery: .seconds(30), burst: 2)))
        bench.run { bench.ended.count >= 5 }
        #expect(bench.ended.allSatisfy { $0.sent == 2 && $0.received == 2 && $0.outcome == .survived })
    }
}
