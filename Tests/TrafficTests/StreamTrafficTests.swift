import EventLoop
import Measurement
import Testing
import TrafficModel
import Wire

@testable import Traffic

@Suite(.serialized) struct `TCP traffic` {
    let bench: LoopbackBench

    init() throws { bench = try LoopbackBench() }

    private func echo() throws -> TrafficServer {
        try TrafficServer(
            ServerProgram(kind: .tcpEcho, port: 0), nodeName: "server", at: .ipv4(.loopback), on: bench.loop)
    }

    @Test func `streams to a server that answers survive, and every probe is answered`() throws {
        let server = try echo()
        defer { server.close() }
        bench.start(bench.program(.tcpStream, port: server.port, flows: 3))
        bench.run { bench.isReady }
        bench.run(for: .milliseconds(50))
        let result = bench.finish()
        #expect(result.flows.count == 3)
        #expect(result.totals.outcome == .survived)
        #expect(result.flows.allSatisfy { $0.sent > 0 && $0.received == $0.sent && $0.lost == 0 && $0.garbage == 0 })
        #expect(Set(result.flows.map(\.sourcePort)).count == 3)
        #expect(result.flows.allSatisfy { $0.source == .ipv4(.loopback) && $0.end >= $0.start && $0.reason == nil })
    }

    @Test func `records longer than a segment come back whole`() throws {
        let server = try echo()
        defer { server.close() }
        bench.start(bench.program(.tcpStream, port: server.port, payload: 65_507))
        bench.run { bench.isReady }
        let result = bench.finish()
        #expect(result.totals.outcome == .survived && result.totals.lost == 0 && result.flows[0].garbage == 0)
    }

    @Test func `a server that goes away resets the streams`() throws {
        let server = try echo()
        bench.start(bench.program(.tcpStream, port: server.port, flows: 2))
        bench.run { bench.isReady }
        server.close()
        bench.run { bench.ended.count == 2 }
        let result = bench.finish()
        #expect(result.totals.outcome == .reset)
        #expect(result.flows.allSatisfy { $0.received > 0 && $0.reason != nil && $0.longestGap != nil })
    }

    @Test func `a port without a listener refuses`() throws {
        bench.start(bench.program(.tcpStream, port: try bench.closedPort(.tcp), flows: 2))
        bench.run { bench.ended.count == 2 }
        #expect(bench.isReady)
        let result = bench.finish()
        #expect(result.totals.outcome == .refused)
        #expect(result.flows.allSatisfy { $0.sent == 0 && $0.sourcePort != 0 })
    }

    @Test func `a server that never answers outlasts the application's timeout`() throws {
        let hole = try bench.blackHole(.tcp)
        defer { hole.close() }
        bench.start(bench.program(.tcpStream, port: hole.localEndpoint!.port, timeout: .milliseconds(60)))
        bench.run { !bench.ended.isEmpty }
        let flow = bench.ended[0]
        #expect(flow.outcome == .timedOut)
        #expect(flow.sent > 0 && flow.received == 0 && flow.lost == flow.sent && flow.longestGap == nil)
        #expect(flow.reason?.contains("patience") == true)
    }

    @Test func `told to finish at once, a stream still asks once`() throws {
        let server = try echo()
        defer { server.close() }
        bench.start(bench.program(.tcpStream, port: server.port))
        let result = bench.finish()
        #expect(result.totals.outcome == .survived && result.totals.sent == 1 && result.totals.received == 1)
    }

    @Test func `stopped at once, flows report what they have`() throws {
        let server = try echo()
        defer { server.close() }
        let client = bench.start(bench.program(.tcpStream, port: server.port, flows: 2))
        bench.run { bench.isReady }
        let result = client.stop()
        #expect(result.flows.count == 2 && result.totals.received >= 2)
        #expect(client.stop() == result)
    }

    @Test func `each connection probe has a source port of its own and a handshake time`() throws {
        let server = try echo()
        defer { server.close() }
        bench.start(bench.program(.tcpConnect, port: server.port))
        bench.run { bench.ended.count >= 20 }
        let result = bench.finish()
        #expect(result.totals.outcome == .survived)
        #expect(Set(result.flows.map(\.sourcePort)).count == result.flows.count)
        #expect(result.flows.allSatisfy { $0.latency.map { $0 > .zero } ?? false && $0.sent == 1 && $0.received == 1 })
    }

    @Test func `connection probes meet a closed port as refused`() throws {
        bench.start(bench.program(.tcpConnect, port: try bench.closedPort(.tcp)))
        bench.run { bench.ended.count >= 5 }
        let totals = bench.finish().totals
        #expect(totals.outcome == .refused && totals.received == 0 && totals.latency == nil)
    }

    @Test(arguments: [(true, FlowOutcome.timedOut), (false, .survived)])
    func `against a silent server a connection probe with an exchange times out, and one without succeeds`(
        exchanges: Bool, outcome: FlowOutcome
    ) throws {
        let hole = try bench.blackHole(.tcp)
        defer { hole.close() }
        bench.start(
            bench.program(
                .tcpConnect, port: hole.localEndpoint!.port, every: .milliseconds(20), timeout: .milliseconds(300),
                exchanges: exchanges))
        bench.run { bench.ended.count >= 3 }
        #expect(bench.ended.allSatisfy { $0.outcome == outcome && $0.latency != nil })
    }

    @Test func `the echo server keeps what a slow reader does not take, and loses none of it`() throws {
        let server = try echo()
        defer { server.close() }
        let socket = try Socket(.tcp, .ipv4)
        _ = try socket.connect(Endpoint(address: .ipv4(.loopback), port: server.port))
        let total = 24 << 20
        let chunk = [UInt8](repeating: 0, count: 64 << 10)
        var (sent, received, stalls) = (0, 0, 0)
        // Nothing is read until the server takes no more: it must stop reading, not grow.
        while sent < total, stalls < 50 {
            if case .bytes(let count) = chunk.withUnsafeBytes({ socket.send($0) }) {
                sent += count
                stalls = 0
            } else {
                stalls += 1
            }
            bench.loop.turn(block: false)
        }
        socket.shutDownSending()
        var isOver = false
        try bench.loop.watch(socket.descriptor) { _ in
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            switch buffer.withUnsafeMutableBytes({ socket.receive(into: $0, isStream: true) }) {
            case .bytes(let count): received += count
            case .wouldBlock: break
            case .endOfStream, .failed: isOver = true
            }
        }
        bench.run { isOver }
        bench.loop.unwatch(socket.descriptor)
        #expect(received == sent && sent > 0)
    }
}
