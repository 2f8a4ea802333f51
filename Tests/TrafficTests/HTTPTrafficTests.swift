import LabTime
import Measurement
import Testing
import TrafficModel
import Wire

@testable import Traffic

@Suite(.serialized) struct `HTTP requests as traffic` {
    let bench: LoopbackBench

    init() throws { bench = try LoopbackBench() }

    private func server(_ change: (inout ServerProgram) -> Void = { _ in }) throws -> TrafficServer {
        var program = ServerProgram(kind: .http, port: 0)
        change(&program)
        return try TrafficServer(program, nodeName: "backend-1", at: .ipv4(.loopback), on: bench.loop)
    }

    private func ended(_ server: TrafficServer, _ count: Int, timeout: Duration = .seconds(60)) -> TrafficResult {
        bench.start(bench.program(.httpRequest, port: server.port, timeout: timeout))
        bench.run { bench.ended.count >= count }
        return bench.finish()
    }

    @Test func `each has a connection of its own, and the answer's status`() throws {
        let server = try server()
        defer { server.close() }
        let result = ended(server, 10)
        #expect(result.totals.outcome == .survived)
        #expect(
            result.flows.allSatisfy { $0.status == 200 && $0.latency != nil && $0.received == 1 && $0.reason == nil })
        #expect(Set(result.flows.map(\.sourcePort)).count == result.flows.count)
    }

    @Test func `a slow server is waited for`() throws {
        let server = try server { $0.delay = .milliseconds(30) }
        defer { server.close() }
        let result = ended(server, 3)
        #expect(result.flows.allSatisfy { $0.status == 200 && $0.end - $0.start >= .milliseconds(30) })
    }

    @Test(arguments: [
        (ServerProgram.Answer.closeEarly, FlowOutcome.reset), (.garbage, .reset), (.silence, .timedOut),
    ])
    func `a server that does not answer properly fails each in its own way`(
        answer: ServerProgram.Answer, outcome: FlowOutcome
    ) throws {
        let server = try server { $0.answer = answer }
        defer { server.close() }
        let result = ended(server, 3, timeout: .milliseconds(200))
        #expect(result.flows.allSatisfy { $0.outcome == outcome && $0.status == nil && $0.reason != nil })
    }
}
