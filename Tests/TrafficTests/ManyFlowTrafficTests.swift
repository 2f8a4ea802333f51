import EventLoop
import LabTime
import Measurement
import Testing
import TrafficModel
import Wire

@testable import Traffic

@Suite(.serialized) struct `Many UDP flows` {
    let bench: LoopbackBench
    private static let sources = IPv4Network("127.1.0.0/28")!

    init() throws { bench = try LoopbackBench() }

    private func program(
        _ port: UInt16, flows: Int, every: Duration = .milliseconds(100), spread: Duration = .milliseconds(20),
        timeout: Duration = .seconds(60), sources: IPv4Network? = sources
    ) -> TrafficProgram {
        bench.program(
            .udpManyFlows, port: port, flows: flows, every: every, payload: 32, timeout: timeout,
            rounds: .init(sources: sources, spread: spread))
    }

    @Test func `each flow has a five-tuple of its own, from the addresses in turn, and asks once a round`() throws {
        var tuples: [UInt32: Set<Endpoint>] = [:]
        var rounds: [UInt32: [UInt64]] = [:]
        let server = try PlayedServer(on: bench.loop) { server, request in
            tuples[request.record.flow, default: []].insert(request.sender)
            rounds[request.record.flow, default: []].append(request.record.sequence)
            server.answer(request)
        }
        bench.start(program(server.port, flows: 100))
        bench.run { bench.isReady }
        #expect(tuples.count == 100 && rounds.values.allSatisfy { $0 == [0] })
        bench.run { rounds.values.allSatisfy { $0.count >= 3 } }
        let result = withExtendedLifetime(server) { bench.finish() }
        #expect(tuples.values.allSatisfy { $0.count == 1 } && Set(tuples.values.flatMap(\.self)).count == 100)
        #expect(rounds.values.allSatisfy { $0.starts(with: [0, 1, 2]) })
        // 14 hosts: 100 flows take eight ports of theirs.
        let ends = tuples.values.flatMap(\.self)
        #expect(Set(ends.map(\.address)).count == 14 && Set(ends.map(\.port)).count == 8)
        #expect(ends.allSatisfy { if case .ipv4(let own) = $0.address { Self.sources.contains(own) } else { false } })
        let totals = result.totals
        #expect(totals.flows == 100 && totals.outcome == .survived && totals.lost == 0 && result.skipped == 0)
        #expect(totals.sent == totals.received && totals.sent >= 300 && totals.longestGap != nil)
        #expect(result.flows.isEmpty && result.further?.count == 100)
    }

    @Test func `without sources the kernel chooses the address, and each flow has a port`() throws {
        var ends: Set<Endpoint> = []
        let server = try PlayedServer(on: bench.loop) { server, request in
            ends.insert(request.sender)
            server.answer(request)
        }
        bench.start(program(server.port, flows: 20, sources: nil))
        bench.run { bench.isReady }
        let result = withExtendedLifetime(server) { bench.finish() }
        #expect(ends.count == 20 && Set(ends.map(\.address)) == [.ipv4(.loopback)])
        #expect(result.totals.outcome == .survived && result.further?.telling?.source == .ipv4(.loopback))
    }

    @Test func `many IPv6 flows are answered`() throws {
        let server = try TrafficServer(
            ServerProgram(kind: .udpEcho, port: 0), nodeName: "server", at: .ipv6(.any), on: bench.loop)
        defer { server.close() }
        var program = program(server.port, flows: 20, sources: nil)
        program.target = .ipv6(.loopback)
        bench.start(program)
        bench.run { bench.isReady }
        #expect(bench.finish().totals.outcome == .survived)
    }

    @Test func `a lost request counts as lost and is asked again before the next round`() throws {
        var asked: [UInt32: Int] = [:]
        let server = try PlayedServer(on: bench.loop) { server, request in
            asked[request.record.flow, default: 0] += 1
            // The first requests of some flows get lost.
            if request.record.flow % 10 != 0 || request.record.sequence > 0 { server.answer(request) }
        }
        // The second round never comes.
        bench.start(program(server.port, flows: 100, every: .seconds(3000), spread: .milliseconds(5)))
        bench.run { bench.isReady }
        let result = withExtendedLifetime(server) { bench.finish() }
        #expect(result.totals.outcome == .survived && result.totals.flows == 100)
        #expect(result.totals.lost == 10 && result.flows.count == 10 && result.flows.allSatisfy { $0.lost == 1 })
        #expect(asked.allSatisfy { $0.value == ($0.key % 10 == 0 ? 2 : 1) })
    }

    @Test func `flows that nobody answers time out; the first thousand of them are listed`() throws {
        let hole = try bench.blackHole(.udp)
        defer { hole.close() }
        bench.start(program(hole.localEndpoint!.port, flows: 1200, timeout: .milliseconds(200)))
        bench.run(for: .milliseconds(60))
        let result = bench.finish()
        #expect(result.totals.flows == 1200 && result.totals.outcome == .timedOut && result.totals.received == 0)
        #expect(result.flows.count == FlowListing.most && result.further?.count == 200)
        #expect(result.flows.allSatisfy { $0.outcome == .timedOut && $0.reason != nil })
    }

    @Test func `an answer that reaches another flow's address is none`() throws {
        let server = try PlayedServer(on: bench.loop) { server, request in
            guard request.record.flow == 3 else { return server.answer(request) }
            // A translation gone wrong: flow 3's answer goes to flow 4's end.
            var other = request.sender
            other.address = .ipv4(IPv4Address(127, 1, 0, 5))
            server.answer(request, to: other)
        }
        bench.start(
            program(server.port, flows: 10, every: .seconds(3000), spread: .zero, timeout: .milliseconds(300)))
        bench.run(for: .milliseconds(50))
        let result = withExtendedLifetime(server) { bench.finish() }
        #expect(result.flows.map(\.outcome) == [.timedOut])
        #expect(result.flows.first?.source == .ipv4(IPv4Address(127, 1, 0, 4)))
        #expect(result.further?.count(of: .survived) == 9)
        #expect(result.problem?.contains("datagrams answered nothing that was asked") == true)
    }

    @Test func `a program that is stopped before its round is over says how many never asked`() throws {
        let hole = try bench.blackHole(.udp)
        defer { hole.close() }
        let client = bench.start(
            program(hole.localEndpoint!.port, flows: 100, every: .seconds(3000), spread: .seconds(3000)))
        bench.run(for: .milliseconds(20))
        let result = client.stop()
        #expect(result.totals.flows == 1 && result.skipped == 99 && result.problem == "99 flows never asked")
    }
}
