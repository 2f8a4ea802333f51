import Evidence
import Expectation
import LabTime
import Measurement
import Wire

/// A small run: a client, a balancer's `inside` interface, two firewalls, a failover at second 1.
struct Scene {
    static let macA = MACAddress(2, 0, 0, 0, 0, 0x0a)
    static let macB = MACAddress(2, 0, 0, 0, 0, 0x0b)
    static let balancer = MACAddress(2, 0, 0, 0, 0, 0x01)
    static let client = "192.0.2.10"
    static let server = "198.51.100.100"

    var events: [LabEvent] = [
        LabEvent(name: "fw-a.active", time: at(0.1), kind: "active", node: "fw-a"),
        LabEvent(name: "failover", time: at(1), kind: "switchover", node: "fw-a"),
        LabEvent(name: "fw-b.active", time: at(1.012), kind: "active", node: "fw-b"),
    ]
    var traffic: [TrafficResult] = []
    var inside: [CapturedFrame] = []
    var outside: [CapturedFrame] = []
    var dropped = 0
    var droppedAtClient = 0
    var losses: [CaptureLoss] = []
    var filters: [String: Set<Int>] = [:]
    var failure: MemoryFrames.Unreadable?
    var counters: [String: [String: UInt64]] = [:]
    /// Off for tests that judge the client's word alone.
    var clientIsCaptured = true

    static let insidePath = "captures/lb.inside.pcap"
    static let outsidePath = "captures/client.outside.pcap"

    static func at(_ seconds: Double) -> Timestamp {
        Timestamp("2026-11-21T08:30:00Z")! + .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    var evidence: RunEvidence {
        let atClient = CaptureSummary(
            node: "client", interface: "outside", path: Self.outsidePath, frames: outside.count,
            dropped: droppedAtClient)
        var evidence = RunEvidence(
            events: events, traffic: traffic,
            captures: [
                CaptureSummary(
                    node: "lb", interface: "inside", path: Self.insidePath, frames: inside.count, dropped: dropped,
                    losses: losses)
            ] + (clientIsCaptured ? [atClient] : []),
            source: MemoryFrames(
                frames: [Self.insidePath: inside, Self.outsidePath: outside], filters: filters, failure: failure))
        evidence.counters = counters
        return evidence
    }

    /// A segment from the server to the client, as it leaves the balancer towards a firewall.
    mutating func answer(
        at seconds: Double, to mac: MACAddress, port: UInt16 = 40000, flags: UInt8 = 0x18, payload: Int = 32
    ) {
        add(
            at: seconds,
            FrameBytes.ethernet(
                to: mac, from: Self.balancer,
                FrameBytes.ipv4(
                    from: Self.server, to: Self.client, proto: 6,
                    FrameBytes.tcp(80, port, flags: flags, payload: payload))))
    }

    /// A segment from the client to the server, as it arrives from a firewall.
    mutating func request(
        at seconds: Double, from mac: MACAddress, port: UInt16 = 40000, flags: UInt8 = 0x18, payload: Int = 32
    ) {
        add(
            at: seconds,
            FrameBytes.ethernet(
                to: Self.balancer, from: mac,
                FrameBytes.ipv4(
                    from: Self.client, to: Self.server, proto: 6,
                    FrameBytes.tcp(port, 80, flags: flags, payload: payload))))
    }

    mutating func add(at seconds: Double, _ bytes: [UInt8]) {
        inside.append(
            CapturedFrame(
                capture: Self.insidePath, number: inside.count + 1, time: Self.at(seconds), bytes: bytes))
        outside.append(
            CapturedFrame(
                capture: Self.outsidePath, number: outside.count + 1, time: Self.at(seconds), bytes: bytes))
    }

    /// Judges what `lb.inside` must show.
    func evaluate(
        _ requirement: FrameExpectation.Requirement, match: String? = nil, of flows: String? = nil,
        _ direction: FrameExpectation.Direction? = nil, after: Anchor? = nil, before: Anchor? = nil,
        within: Duration? = nil, on interface: String = "inside", control: FrameControl? = nil
    ) -> ExpectationResult {
        evaluate(
            .frames(
                FrameExpectation(
                    node: "lb", interface: interface, match: match, flowsOf: flows, direction: direction,
                    after: after, before: before, within: within, requirement: requirement, control: control)))
    }

    func evaluate(
        _ subject: ExpectationSpecification.Subject, logs: [String: [LogLine]] = [:]
    ) -> ExpectationResult {
        var evidence = evidence
        evidence.logs = logs
        return ExpectationEvaluator(evidence).evaluate(ExpectationSpecification(id: "x", subject: subject))
    }

    static func program(
        _ name: String, _ kind: TrafficProgram.Kind = .tcpStream, every: Duration = .milliseconds(10)
    ) -> TrafficProgram {
        TrafficProgram(
            name: name, options: kind.type.init(), from: "client", target: IPAddress(server)!, port: 80, flows: 1,
            every: every,
            payload: 32, timeout: .seconds(2))
    }

    static func flow(
        _ port: UInt16, _ outcome: FlowOutcome = .survived, start: Double = 0.5, end: Double = 4, sent: Int = 100,
        received: Int = 100, duplicated: Int = 0, reordered: Int = 0, gap: (start: Double, length: Duration)? = nil,
        latency: Duration? = nil
    ) -> FlowResult {
        FlowResult(
            source: IPAddress(client)!, sourcePort: port, start: at(start), end: at(end), sent: sent,
            received: received, lost: sent - received, duplicated: duplicated, reordered: reordered,
            longestGap: gap.map { Gap(start: at($0.start), length: $0.length) }, outcome: outcome, latency: latency)
    }
}

extension FieldCheck {
    static func equals(_ field: String, _ value: String) -> FieldCheck {
        FieldCheck(field: field, condition: .equals(value))
    }

    static func toward(_ mac: MACAddress) -> FieldCheck { .equals("eth.dst", mac.description) }
}
