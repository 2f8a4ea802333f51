import LabTime
import Testing
import Wire

@testable import Measurement

@Suite struct `Traffic totals` {
    private func program(_ kind: TrafficProgram.Kind) -> TrafficProgram {
        TrafficProgram(
            name: "existing", options: kind.type.init(), from: "client", target: .ipv4(IPv4Address(192, 0, 2, 1)),
            port: 80, flows: 2,
            every: .milliseconds(10), payload: 64, timeout: .seconds(2))
    }

    private func flow(
        _ outcome: FlowOutcome, end: Int64 = 0, sent: Int = 10, received: Int = 10, gap: Int? = nil, loss: Int = 0,
        latency: Int? = nil
    ) -> FlowResult {
        FlowResult(
            source: .ipv4(IPv4Address(192, 0, 2, 9)), sourcePort: 40_000, start: Timestamp(nanoseconds: 0),
            end: Timestamp(nanoseconds: end * 1_000_000), sent: sent, received: received, lost: sent - received,
            duplicated: 1, reordered: 2,
            longestGap: gap.map { Gap(start: Timestamp(nanoseconds: Int64($0)), length: .milliseconds($0)) },
            outcome: outcome, latency: latency.map { .milliseconds($0) }, lossDerivedGap: .milliseconds(loss))
    }

    @Test func `flows that are known only as sums count with those that are listed`() {
        var further = FurtherFlows()
        for ended in [flow(.survived, gap: 5), flow(.survived, gap: 40, loss: 20), flow(.survived, received: 9)] {
            further.add(ended)
        }
        #expect(further.count == 3 && further.count(of: .survived) == 3 && further.count(of: .timedOut) == 0)
        #expect(further.telling?.longestGap?.length == .milliseconds(40))
        var result = TrafficResult(program: program(.udpManyFlows), flows: [], late: 0, further: further)
        #expect(result.totals.flows == 3 && result.totals.outcome == .survived)
        #expect(result.totals.sent == 30 && result.totals.received == 29 && result.totals.lost == 1)
        #expect(result.totals.duplicated == 3 && result.totals.reordered == 6)
        #expect(result.totals.longestGap?.length == .milliseconds(40))
        #expect(result.totals.lossDerivedGap == .milliseconds(20))
        result.flows = [flow(.timedOut, received: 0)]
        #expect(result.totals.flows == 4 && result.totals.outcome == .mixed && result.totals.lost == 11)
        #expect(result.totals.longestGap?.length == .milliseconds(40))
    }

    @Test func `flows that ended alike give the program their outcome`() {
        let result = TrafficResult(program: program(.tcpStream), flows: [flow(.timedOut), flow(.timedOut)], late: 0)
        #expect(result.totals.outcome == .timedOut)
    }

    @Test func `flows that ended differently make it mixed`() {
        let result = TrafficResult(program: program(.tcpStream), flows: [flow(.survived), flow(.reset)], late: 0)
        #expect(result.totals.outcome == .mixed)
    }

    @Test func `no flow, no outcome`() {
        let totals = TrafficResult(program: program(.udp), flows: [], late: 0).totals
        #expect(totals.outcome == nil && totals.longestGap == nil && totals.latency == nil)
    }

    @Test func `counts are sums, and the gap is the longest of any flow`() {
        let result = TrafficResult(
            program: program(.udp),
            flows: [flow(.survived, gap: 30, loss: 20), flow(.survived, sent: 12, received: 5, gap: 80, loss: 70)],
            late: 3)
        let totals = result.totals
        #expect(totals.flows == 2 && totals.sent == 22 && totals.received == 15 && totals.lost == 7)
        #expect(totals.duplicated == 2 && totals.reordered == 4)
        #expect(totals.longestGap?.length == .milliseconds(80))
        #expect(totals.lossDerivedGap == .milliseconds(70))
    }

    @Test func `of a new flow for each probe the gap is the time between two that succeeded`() {
        let result = TrafficResult(
            program: program(.tcpConnect),
            flows: [
                flow(.survived, end: 100, latency: 2), flow(.timedOut, end: 2300),
                flow(.survived, end: 1150, latency: 9),
                flow(.survived, end: 200, latency: 1),
            ], late: 0)
        #expect(result.totals.longestGap == Gap(start: Timestamp(nanoseconds: 200_000_000), length: .milliseconds(950)))
        #expect(
            result.totals.latency
                == LatencyRange(minimum: .milliseconds(1), average: .milliseconds(4), maximum: .milliseconds(9)))
    }

    @Test func `delay without loss shows as a disagreement of the two methods`() {
        let agreeing = flow(.survived, gap: 50, loss: 40)
        let delayed = flow(.survived, gap: 500, loss: 0)
        #expect(TrafficResult(program: program(.udp), flows: [agreeing], late: 0).gapMethodsAgree)
        #expect(!TrafficResult(program: program(.udp), flows: [agreeing, delayed], late: 0).gapMethodsAgree)
    }

    @Test func `an instant becomes wall time by its distance from the reference`() {
        let clock = ClockReference(instant: Instant(nanoseconds: 1000), timestamp: Timestamp(nanoseconds: 50_000))
        #expect(clock.timestamp(of: Instant(nanoseconds: 400)) == Timestamp(nanoseconds: 49_400))
    }
}
