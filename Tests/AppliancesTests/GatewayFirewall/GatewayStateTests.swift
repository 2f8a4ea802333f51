import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import PacketText
import TestSupport
import Testing
import Wire

@Suite struct `A gateway firewall's states` {
    struct Step: Sendable {
        var isBack: Bool
        var flags: TCPFlags
        /// nil: the packet does not pass, and the state stays.
        var after: String?
        static func out(_ flags: TCPFlags, _ after: String?) -> Step { Step(isBack: false, flags: flags, after: after) }
        static func back(_ flags: TCPFlags, _ after: String?) -> Step { Step(isBack: true, flags: flags, after: after) }
    }

    struct Conversation: Sendable, CustomTestStringConvertible {
        var name: String
        var filtering: [PortFiltering]
        var steps: [Step]
        var testDescription: String { name }
    }

    static let both: [PortFiltering] = [.both, .both]
    static let inbound: [PortFiltering] = [.off, .inboundOnly]

    static let conversations = [
        Conversation(
            name: "both directions, handshake and close", filtering: both,
            steps: [
                .out(.syn, "SYN_SENT:CLOSED first-packet"), .back([.syn, .ack], "ESTABLISHED:SYN_SENT opening"),
                .out(.ack, "ESTABLISHED:ESTABLISHED established"),
                .out([.fin, .ack], "CLOSING:ESTABLISHED closing"), .back(.ack, "FIN_WAIT_2:ESTABLISHED closing"),
                .back([.fin, .ack], "FIN_WAIT_2:CLOSING finwait"), .out(.ack, "FIN_WAIT_2:FIN_WAIT_2 closed"),
                .out(.syn, "SYN_SENT:CLOSED first-packet"),
            ]),
        Conversation(
            name: "both directions, a delayed FIN instead of the SYN-ACK", filtering: both,
            steps: [
                .out(.syn, "SYN_SENT:CLOSED first-packet"), .back([.fin, .ack], nil),
                .back([.syn, .ack], "ESTABLISHED:SYN_SENT opening"),
            ]),
        Conversation(
            name: "a finished connection is reused by a pure SYN only", filtering: both,
            steps: [
                .out(.syn, "SYN_SENT:CLOSED first-packet"), .back([.rst, .ack], "TIME_WAIT:TIME_WAIT closed"),
                .back([.syn, .ack], nil), .out(.syn, "SYN_SENT:CLOSED first-packet"),
            ]),
        Conversation(
            name: "inbound only, a connection that the member closes first", filtering: inbound,
            steps: [
                .back([.syn, .ack], "SYN_SENT:CLOSED first-packet"), .back(.ack, "ESTABLISHED:ESTABLISHED established"),
                .back([.fin, .ack], "CLOSING:CLOSING finwait"), .back(.ack, "CLOSING:FIN_WAIT_2 finwait"),
                .back([.syn, .ack], nil),
            ]),
        Conversation(
            name: "inbound only, SYN-ACK and FIN with nothing between", filtering: inbound,
            steps: [
                .back([.syn, .ack], "SYN_SENT:CLOSED first-packet"), .back([.fin, .ack], "CLOSING:CLOSING finwait"),
            ]),
        Conversation(
            name: "inbound only, a retransmitted SYN-ACK", filtering: inbound,
            steps: [
                .back([.syn, .ack], "SYN_SENT:CLOSED first-packet"), .back([.syn, .ack], "SYN_SENT:CLOSED opening"),
                .back(.ack, "ESTABLISHED:ESTABLISHED established"),
            ]),
        Conversation(
            name: "a retransmitted FIN meets CLOSING:CLOSED", filtering: inbound,
            steps: [
                .back([.fin, .ack], "CLOSING:CLOSED first-packet"), .back([.fin, .ack], "CLOSING:CLOSED opening"),
                .back([.syn, .ack], nil),
            ]),
    ]

    @Test(arguments: conversations) func `follow a connection`(conversation: Conversation) throws {
        let bench = try GatewayBench(.nsxGateway, conversation.filtering)
        var last = ""
        for (number, step) in conversation.steps.enumerated() {
            let outcome = step.isBack ? bench.back(step.flags) : bench.out(step.flags)
            #expect((outcome == .passed) == (step.after != nil), "step \(number + 1): \(outcome)")
            #expect(bench.state == step.after ?? last, "step \(number + 1)")
            last = step.after ?? last
        }
    }

    @Test func `of pf need a second FIN to become CLOSING CLOSED, under the opening timer`() throws {
        let bench = try GatewayBench(.pf)
        #expect(bench.back([.fin, .ack], 5501, ack: 1102) == .passed)
        #expect(bench.state == "SYN_SENT:CLOSED first-packet")
        #expect(bench.back([.fin, .ack], 5501, ack: 1102) == .passed)
        #expect(bench.state == "CLOSING:CLOSED opening")
        #expect(bench.events.last?.kind == .stateClosingClosed)
        #expect(bench.events.last?.details[.from] == "SYN_SENT:CLOSED")
    }

    /// 5501 is the FIN, so 5502 comes next; the loose window reaches 67 035 beyond 5503, the end that it let expect.
    static let sequences: [(UInt32, Bool)] = [
        (5502 + 67_035, true), (5503 + 67_035, false), (5502 &- 67_035, true), (5501 &- 67_035, false),
        (5502 + 65_537, true), (4_000_000, false),
    ]

    @Test(arguments: sequences)
    func `of pf let a SYN-ACK pass CLOSING CLOSED only near the old sequence number, and drop it silently elsewhere`(
        sequence: UInt32, passes: Bool
    ) throws {
        let bench = try GatewayBench(.pf)
        bench.back([.fin, .ack], 5501, ack: 1102)
        bench.back([.fin, .ack], 5501, ack: 1102)
        bench.wait(.seconds(20))
        #expect(bench.back([.syn, .ack], sequence, ack: 90_001) == (passes ? .passed : .dropped))
        // Loose acceptance does not refresh the timer: 30 s after the second FIN the state ends.
        bench.wait(.seconds(10) + .milliseconds(40))
        #expect(bench.state == "")
    }

    @Test func `of pf follow windows with scale, and drop what lies outside silently`() throws {
        let bench = try GatewayBench(.pf, Self.both)
        #expect(bench.out(.syn, 1000, scale: 2) == .passed)
        #expect(bench.back([.syn, .ack], 5000, ack: 1001, window: 1000, scale: 3) == .passed)
        #expect(bench.out(.ack, 1001, ack: 5001, window: 1000) == .passed)
        #expect(bench.back(.ack, 5001, ack: 1001, window: 1000) == .passed)
        #expect(bench.state == "ESTABLISHED:ESTABLISHED established")
        // The member lets the balancer send 8000 bytes from 1001; the balancer's SYN let the member send 64 240.
        #expect(bench.out(.ack, 8001, ack: 5001, payload: 1000, window: 1000) == .passed)
        #expect(bench.out(.ack, 9001, ack: 5001, payload: 1, window: 1000) == .dropped)
        #expect(bench.back(.ack, 5001, ack: 9001, payload: 1460, window: 1000) == .passed)
        #expect(bench.back(.ack, 68_000, ack: 9001, payload: 1460, window: 1000) == .dropped)
        #expect(bench.out(.ack, 9001, ack: 5001, payload: 1, window: 1000) == .passed)
        // An acknowledgement of what was never sent.
        #expect(bench.out(.ack, 9002, ack: 5001 &+ 200_000, window: 1000) == .dropped)
        #expect(bench.counter("states.misfits") == 3)
        #expect(bench.counter("icmp.made") == 0)
    }

    @Test func `of pf take a reset only at the next sequence number`() throws {
        let bench = try GatewayBench(.pf, Self.both)
        bench.out(.syn, 1000)
        bench.back([.syn, .ack], 5000, ack: 1001)
        bench.out(.ack, 1001, ack: 5001)
        #expect(bench.back(.rst, 5010) == .dropped)
        #expect(
            bench.state == "ESTABLISHED:ESTABLISHED established" || bench.state == "ESTABLISHED:ESTABLISHED opening")
        #expect(bench.back(.rst, 5001) == .passed)
        #expect(bench.state == "TIME_WAIT:TIME_WAIT closed")
    }

    @Test func `of pf follow a long transfer across the wrap of sequence numbers`() throws {
        let bench = try GatewayBench(.pf, Self.both)
        let start = UInt32.max - 20_000
        bench.out(.syn, 1000)
        bench.back([.syn, .ack], start, ack: 1001)
        var sequence = start &+ 1
        bench.out(.ack, 1001, ack: sequence)
        for segment in 0..<200 {
            #expect(bench.back(.ack, sequence, ack: 1001, payload: 1460) == .passed, "segment \(segment)")
            sequence &+= 1460
            #expect(bench.out(.ack, 1001, ack: sequence) == .passed, "acknowledgement \(segment)")
        }
        #expect(bench.state == "ESTABLISHED:ESTABLISHED established")
    }

    // MARK: Pick-up

    @Test(arguments: StateProfile.allCases) func `begin with a SYN only where pick-up is strict`(profile: StateProfile)
        throws
    {
        let bench = try GatewayBench(profile, Self.both, midStreamPickup: .strict)
        for flags in [[.syn, .ack], .ack, [.fin, .ack], .rst] as [TCPFlags] {
            #expect(bench.back(flags) == .dropped, "\(flags)")
        }
        #expect(bench.counter("drop.not-syn") == 4)
        #expect(bench.out(.syn) == .passed)
        #expect(bench.back([.syn, .ack]) == .passed)
    }

    @Test(arguments: [[], [.syn, .fin], [.syn, .rst], .fin, .psh] as [TCPFlags])
    func `are not made by flags that no TCP sends`(flags: TCPFlags) throws {
        let bench = try GatewayBench(.nsxGateway)
        #expect(bench.back(flags) == .dropped)
        #expect(bench.state == "")
        #expect(bench.counter("drop.invalid-tcp-state") == 1)
    }

    @Test func `are refused to new connections when the table is full, and kept for existing ones`() throws {
        let bench = try GatewayBench(.nsxGateway, capacity: 4)
        for port in 4000..<4004 as Range<UInt16> { #expect(bench.back([.syn, .ack], port: port) == .passed) }
        #expect(bench.back([.syn, .ack], port: 4004) == .dropped)
        #expect(bench.events.last?.kind == .stateTableFull)
        #expect(bench.counter("drop.flow-table-full") == 1)
        #expect(bench.back(.ack, port: 4000) == .passed)
        #expect(bench.connections.count == 4)
    }

    // MARK: Timers

    static let timers: [(StateProfile, [Int])] = [
        (.pf, [120, 30, 86_400, 900, 45, 90, 60, 30, 60, 20, 10]),
        (.nsxGateway, [120, 30, 7200, 900, 4, 2, 60, 30, 60, 20, 10]),
        (.nsxDistributed, [120, 30, 43_200, 120, 45, 20, 60, 30, 60, 20, 10]),
    ]

    @Test(arguments: timers) func `last as long as the profile says`(profile: StateProfile, seconds: [Int]) {
        #expect(StateTimer.allCases.map { profile.timers[$0] } == seconds.map { .seconds($0) })
        #expect(
            StateTimer.allCases.map(\.name) == [
                "first-packet", "opening", "established", "closing", "finwait", "closed", "udp.first-packet",
                "udp.single", "udp.multiple", "icmp.first-packet", "icmp.error-reply",
            ])
    }

    /// Packets that lead to each timer's state, and the timer.
    static let ends: [(StateTimer, [Step])] = [
        (.firstPacket, [.out(.syn, nil)]), (.opening, [.out(.syn, nil), .back([.syn, .ack], nil)]),
        (.established, [.out(.syn, nil), .back([.syn, .ack], nil), .out(.ack, nil)]),
        (.closing, [.out(.syn, nil), .back([.syn, .ack], nil), .out(.ack, nil), .out([.fin, .ack], nil)]),
        (
            .finWait,
            [
                .out(.syn, nil), .back([.syn, .ack], nil), .out(.ack, nil), .out([.fin, .ack], nil),
                .back([.fin, .ack], nil),
            ]
        ),
        (.closed, [.out(.syn, nil), .back(.rst, nil)]),
    ]

    @Test(arguments: [StateProfile.nsxGateway, .nsxDistributed], ends)
    func `end when their timer has run and not before`(profile: StateProfile, end: (StateTimer, [Step])) throws {
        let bench = try GatewayBench(profile, Self.both)
        for step in end.1 { _ = step.isBack ? bench.back(step.flags) : bench.out(step.flags) }
        #expect(bench.connections.map(\.timer) == [end.0.name])
        bench.wait(profile.timers[end.0] - .milliseconds(1))
        #expect(bench.connections.count == 1)
        bench.wait(.milliseconds(40))
        #expect(bench.connections.isEmpty)
        #expect(bench.events.last?.kind == .stateExpired)
    }

    @Test func `of UDP and ICMP have timers of their own`() throws {
        let bench = try GatewayBench(.pf, Self.both)
        let flow = GatewayBench.flow(5000, .udp)
        func datagram(_ flow: FiveTuple, into port: PortIndex) -> GatewayBench.Outcome {
            bench.send(
                PacketText().bytes(
                    "\(flow.text) len 4", from: GatewayBench.balancerMAC, to: GatewayBench.memberMAC), into: port)
        }
        #expect(datagram(flow, into: 0) == .passed)
        #expect(bench.state == "SINGLE:NO_TRAFFIC udp.first-packet")
        #expect(datagram(flow, into: 0) == .passed)
        #expect(bench.state == "SINGLE:NO_TRAFFIC udp.single")
        #expect(datagram(flow.reversed, into: 1) == .passed)
        #expect(bench.state == "MULTIPLE:SINGLE udp.single")
        #expect(datagram(flow, into: 0) == .passed)
        #expect(bench.state == "MULTIPLE:MULTIPLE udp.multiple")
        bench.wait(.seconds(60) + .milliseconds(40))
        func echo(_ packet: String, into port: PortIndex) -> GatewayBench.Outcome {
            bench.send(
                PacketText().bytes(packet, from: GatewayBench.balancerMAC, to: GatewayBench.memberMAC), into: port)
        }
        #expect(echo("icmp 10.0.0.1 > 10.0.0.3 8/0 id 7 seq 1", into: 0) == .passed)
        #expect(bench.state == "SINGLE:NO_TRAFFIC icmp.first-packet")
        #expect(echo("icmp 10.0.0.3 > 10.0.0.1 0/0 id 7 seq 1", into: 1) == .passed)
        #expect(bench.state == "MULTIPLE:SINGLE icmp.error-reply")
    }

    // MARK: Events

    @Test func `are told of at a bounded rate, rare kinds apart from frequent ones`() throws {
        let bench = try GatewayBench(.nsxGateway)
        for port in 1..<1000 as Range<UInt16> { bench.back([.syn, .ack], port: port) }
        bench.back([.fin, .ack], port: 4000)
        let created = bench.kinds().filter { $0 == .stateCreated }.count
        #expect(created == 200)
        #expect(bench.kinds().last == .stateClosingClosed)
        #expect(bench.counter("events.suppressed") == 800)
    }
}
