import EventLoop
import Measurement
import Testing
import TrafficModel
import Wire

@testable import Traffic

@Suite(.serialized) struct `UDP traffic` {
    let bench: LoopbackBench

    init() throws { bench = try LoopbackBench() }

    @Test func `flows to a server that answers survive`() throws {
        let server = try TrafficServer(ServerProgram(kind: .udpEcho, port: 0), nodeName: "server", on: bench.loop)
        defer { server.close() }
        bench.start(bench.program(.udp, port: server.port, flows: 3))
        bench.run { bench.isReady }
        bench.run(for: .milliseconds(40))
        let result = bench.finish()
        #expect(result.flows.count == 3 && result.totals.outcome == .survived && result.totals.lost == 0)
    }

    @Test func `a server on all addresses answers from the one that was asked`() throws {
        let server = try TrafficServer(ServerProgram(kind: .udpEcho, port: 0), nodeName: "server", on: bench.loop)
        defer { server.close() }
        // A connected socket takes datagrams from this address alone.
        bench.start(bench.program(.udp, port: server.port, target: .ipv4(IPv4Address(127, 20, 30, 40))))
        bench.run { bench.isReady }
        #expect(bench.finish().totals.outcome == .survived)
    }

    @Test func `a server that answers only after twenty requests delays no request`() throws {
        var held: [PlayedServer.Request] = []
        // A client that waited for answers would never send the twentieth.
        let server = try PlayedServer(on: bench.loop) { server, request in
            held.append(request)
            guard held.count >= 20 else { return }
            held.forEach { server.answer($0) }
            held = []
        }
        bench.start(bench.program(.udp, port: server.port))
        bench.run { bench.isReady }
        let result = withExtendedLifetime(server) { bench.finish() }
        let flow = result.flows[0]
        #expect(flow.outcome == .survived && flow.lost == 0 && flow.reordered == 0)
        #expect(flow.received >= 20)
    }

    @Test func `losses, duplicates and reordering are counted as the server made them`() throws {
        var (dropped, doubled, swapped) = (0, 0, 0)
        var waiting: PlayedServer.Request?
        let server = try PlayedServer(on: bench.loop) { server, request in
            switch request.record.sequence % 10 {
            case _ where request.record.sequence >= 40: server.answer(request)
            case 3: dropped += 1
            case 5:
                doubled += 1
                server.answer(request)
                server.answer(request)
            case 7: waiting = request
            case 8:
                swapped += 1
                server.answer(request)
                if let waiting { server.answer(waiting) }
            default: server.answer(request)
            }
        }
        bench.start(bench.program(.udp, port: server.port))
        bench.run { server.received > 45 }
        let flow = bench.finish().flows[0]
        #expect(flow.outcome == .survived)
        #expect(dropped == 4 && doubled == 4 && swapped == 4)
        #expect(flow.lost == 4 && flow.duplicated == 4 && flow.reordered == 4)
    }

    @Test func `the loss of the newest datagram at the end is a loss, not a dead path`() throws {
        var drops = false
        var droppedLast: UInt64?
        let server = try PlayedServer(on: bench.loop) { server, request in
            if drops, droppedLast == nil {
                droppedLast = request.record.sequence
            } else {
                server.answer(request)
            }
        }
        bench.start(bench.program(.udp, port: server.port))
        bench.run { bench.isReady }
        drops = true
        bench.run { droppedLast != nil }
        let flow = bench.finish().flows[0]
        #expect(flow.outcome == .survived && flow.lost <= 1)
    }

    @Test func `a server that falls silent outlasts the application's timeout, and the gap reaches to the end`() throws
    {
        let server = try PlayedServer(on: bench.loop) { server, request in
            if request.record.sequence < 3 { server.answer(request) }
        }
        bench.start(bench.program(.udp, port: server.port, timeout: .milliseconds(300)))
        bench.run { !bench.ended.isEmpty }
        let flow = withExtendedLifetime(server) { bench.ended[0] }
        #expect(flow.outcome == .timedOut && flow.received <= 3 && flow.lost == flow.sent - flow.received)
        if flow.received > 0 { #expect(flow.longestGap.map { $0.length >= .milliseconds(300) } ?? false) }
    }

    @Test func `an ICMP error refuses the flow`() throws {
        bench.start(bench.program(.udp, port: try bench.closedPort(.udp), flows: 2))
        bench.run { bench.ended.count == 2 }
        #expect(bench.finish().totals.outcome == .refused)
    }

    @Test func `an unanswered request is repeated from the same port until it is answered`() throws {
        var seen: [UInt32: Int] = [:]
        let server = try PlayedServer(on: bench.loop) { server, request in
            seen[request.record.flow, default: 0] += 1
            if request.record.sequence >= 2 { server.answer(request) }
        }
        bench.start(bench.program(.udpRequest, port: server.port, every: .milliseconds(20)))
        bench.run { bench.ended.count >= 3 }
        let result = withExtendedLifetime(server) { bench.finish() }
        #expect(result.totals.outcome == .survived)
        #expect(result.flows.allSatisfy { $0.sent >= 3 && $0.received == 1 && $0.latency != nil })
        #expect(seen.values.allSatisfy { $0 >= 3 })
        #expect(Set(result.flows.map(\.sourcePort)).count == result.flows.count)
    }

    @Test func `a request that nobody answers times out, and one to a closed port is refused`() throws {
        let hole = try bench.blackHole(.udp)
        defer { hole.close() }
        bench.start(bench.program(.udpRequest, port: hole.localEndpoint!.port, timeout: .milliseconds(50)))
        bench.run { bench.ended.count >= 3 }
        #expect(bench.ended.allSatisfy { $0.outcome == .timedOut && $0.received == 0 && $0.sent >= 1 })

        let other = try LoopbackBench()
        other.start(other.program(.udpRequest, port: try other.closedPort(.udp)))
        other.run { other.ended.count >= 3 }
        #expect(other.ended.allSatisfy { $0.outcome == .refused })
    }

    @Test func `beyond the bound of open probes further ones are skipped, counted and explained`() throws {
        let hole = try bench.blackHole(.udp)
        defer { hole.close() }
        let client = bench.start(
            bench.program(.udpRequest, port: hole.localEndpoint!.port, every: .microseconds(100)), mostOpenProbes: 8)
        bench.run(for: .milliseconds(20))
        let result = client.stop()
        #expect(result.flows.count <= 8 && result.skipped > 0)
        #expect(result.problem == "8 probes are open already")
    }
}
