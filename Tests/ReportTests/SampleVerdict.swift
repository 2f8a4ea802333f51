import Evidence
import Expectation
import LabTime
import Measurement
import Report
import Wire

/// A lab of two variants: a symptom that was reproduced, and a broken remedy.
enum SampleVerdict {
    struct NoFrames: FrameSource {
        func frames(
            of capture: CaptureSummary, matching filter: String?, _ visit: (CapturedFrame) throws -> Bool
        ) throws {}
    }

    static func at(_ milliseconds: Int64) -> Timestamp {
        Timestamp("2026-11-21T08:30:00.123456789Z")! + .milliseconds(milliseconds)
    }

    static func program(_ name: String, _ kind: TrafficProgram.Kind, every: Duration) -> TrafficProgram {
        TrafficProgram(
            name: name, options: kind.type.init(), from: "client", target: .ipv4(IPv4Address(198, 51, 100, 100)),
            port: 80, flows: 1,
            every: every, payload: 32, timeout: .seconds(2))
    }

    static func flow(
        _ port: UInt16, _ outcome: FlowOutcome, start: Int64, end: Int64, sent: Int, received: Int, gap: Gap? = nil,
        lossDerivedGap: Duration = .zero
    ) -> FlowResult {
        FlowResult(
            source: .ipv4(IPv4Address(192, 0, 2, 10)), sourcePort: port, start: at(start), end: at(end), sent: sent,
            received: received, lost: sent - received, duplicated: 0, reordered: 0, longestGap: gap,
            outcome: outcome, latency: nil, lossDerivedGap: lossDerivedGap)
    }

    static let events = [
        LabEvent(name: "fw-a.active", time: at(-900), kind: "active", node: "fw-a"),
        LabEvent(name: "failover", time: at(0), kind: "switchover", node: "fw-a", details: ["to": "fw-b"]),
        LabEvent(name: "fw-b.active", time: at(12), kind: "active", node: "fw-b"),
    ]

    static let symptom = VariantVerdict(
        name: "tcp-fast-path", shows: "symptom", seconds: 4.1004,
        evidence: RunEvidence(
            events: events,
            traffic: [
                TrafficResult(
                    program: program("existing", .tcpStream, every: .milliseconds(10)),
                    flows: [
                        flow(
                            40000, .timedOut, start: -500, end: 2010, sent: 250, received: 50,
                            gap: Gap(start: at(-2), length: .microseconds(2_012_300)), lossDerivedGap: .seconds(2))
                    ], late: 0),
                TrafficResult(
                    program: program("new", .tcpConnect, every: .milliseconds(50)),
                    flows: [
                        flow(50000, .survived, start: -100, end: -99, sent: 1, received: 1),
                        flow(50001, .survived, start: -50, end: -47, sent: 1, received: 1),
                    ], late: 2),
            ],
            captures: [
                CaptureSummary(
                    node: "lb", interface: "inside", path: "captures/lb.inside.pcap", frames: 1234, dropped: 0)
            ], source: NoFrames()),
        results: [
            ExpectationResult(
                id: "existing-timed-out", verdict: .pass, expected: "every flow of existing times out",
                seen: "1 of 1 flow timed-out",
                frames: [
                    FrameReference(
                        capture: "captures/client.outside.pcap", number: 812, time: at(734),
                        moment: Moment(event: "failover", offset: .milliseconds(734)), role: "last to the server",
                        note: "02:00:00:00:00:0c → 02:00:00:00:00:0a, 192.0.2.10:40000 → 198.51.100.100:80 TCP PSH-ACK")
                ], wiresharkFilter: "ip.addr == 192.0.2.10 && tcp.port == 40000")
        ])

    static let brokenRemedy = VariantVerdict(
        name: "virtual-mac", shows: "remedy", seconds: 3.9,
        evidence: RunEvidence(
            events: [], traffic: [],
            captures: [
                CaptureSummary(
                    node: "lb", interface: "inside", path: "captures/lb.inside.pcap", frames: 95, dropped: 5)
            ], source: NoFrames()),
        results: [
            ExpectationResult(
                id: "to-virtual-mac", verdict: .fail,
                expected: "every frame on lb.inside that matches 'tcp' after failover has eth.dst = 00:00:5e:00:01:0a",
                seen: "1 of 2 frames does not: in #7 eth.dst is 02:00:00:00:00:0a <&> \"old\"",
                frames: [
                    FrameReference(
                        capture: "captures/lb.inside.pcap", number: 7, time: at(5),
                        moment: Moment(event: "failover", offset: .milliseconds(5)), note: "a → b")
                ], wiresharkFilter: "tcp && !(eth.dst == 00:00:5e:00:01:0a)"),
            ExpectationResult(
                id: "quiet", verdict: .inconclusive, expected: "no frame on lb.inside",
                seen: "no such frame; but captures/lb.inside.pcap lacks 5 frames that the kernel dropped",
                nearest: FrameReference(capture: "captures/lb.inside.pcap", number: 3, time: at(-5))),
        ])

    static let lab = Verdict(
        lab: "fast-path-mac-failover", title: "Existing connections time out", variants: [symptom, brokenRemedy])
}
