import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import PacketText
import Testing
import Wire

/// The document's sequence, packet by packet. Source: VMware article 322035
@Suite struct `The intermittent 502` {
    /// A whole connection of which the gateway sees the member's half only.
    private func oldConnection(_ bench: GatewayBench) {
        #expect(bench.out(.syn, 1000) == .passed)
        #expect(bench.state == "")
        #expect(bench.back([.syn, .ack], 5000, ack: 1001) == .passed)
        #expect(bench.state == "SYN_SENT:CLOSED first-packet")
        bench.out(.ack, 1001, ack: 5001)
        bench.out([.ack, .psh], 1001, ack: 5001, payload: 100)
        #expect(bench.back([.ack, .psh], 5001, ack: 1101, payload: 500) == .passed)
        #expect(bench.state == "ESTABLISHED:ESTABLISHED established")
        bench.out([.fin, .ack], 1101, ack: 5501)
        #expect(bench.back([.fin, .ack], 5501, ack: 1102) == .passed)
        #expect(bench.state == "CLOSING:CLOSING finwait")
        bench.out(.ack, 1102, ack: 5502)
    }

    /// What the gateway answers to a SYN-ACK: 14 + 20 + 8 + 28 bytes.
    private func unreachable(about frame: [UInt8]) -> [UInt8] {
        let quote = Array(frame[14..<42])
        return PacketText().bytes(
            "icmp 10.0.0.1 > 10.0.0.3 3/3", payload: quote, from: GatewayBench.balancerMAC, to: GatewayBench.memberMAC)
    }

    @Test func `begins with a FIN of the finished connection and ends when the first-packet timer has run`() throws {
        let bench = try GatewayBench(.nsxGateway)
        oldConnection(bench)
        bench.wait(.milliseconds(4040))
        #expect(bench.state == "")

        // The port is used again; the balancer's SYN leaves no trace.
        #expect(bench.out(.syn, 90_000) == .passed)
        #expect(bench.state == "")
        // The old connection's FIN was held up on its way.
        #expect(bench.back([.fin, .ack], 5501, ack: 1102) == .passed)
        #expect(bench.state == "CLOSING:CLOSED first-packet")
        #expect(
            bench.connections.map(\.description)
                == ["10.0.0.3:443 -> 10.0.0.1:4000 dir in protocol tcp state CLOSING:CLOSED"])
        #expect(bench.events.last?.kind == .stateClosingClosed)
        #expect(bench.events.last?.details[.flow] == "10.0.0.3:443 -> 10.0.0.1:4000")
        #expect(bench.events.last?.details[.interface] == "servers")

        // SYN-ACK and its retransmissions at 1, 3, 7, 15, 31 s, each after a retransmitted SYN.
        let synAck = GatewayBench.tcp(
            GatewayBench.flow().reversed, [.syn, .ack], sequence: 700_000, acknowledgement: 90_001, window: 65_160,
            scale: 7, from: GatewayBench.memberMAC, to: GatewayBench.balancerMAC)
        var elapsed = 0
        for second in [0, 1, 3, 7, 15, 31] {
            bench.wait(.seconds(second - elapsed))
            elapsed = second
            #expect(bench.out(.syn, 90_000) == .passed)
            let outcome = bench.send(synAck, into: 1)
            guard case .answered(let answer) = outcome else {
                Issue.record("at \(second) s the SYN-ACK was \(outcome)")
                return
            }
            #expect(answer.count == 70)
            // Identification and time to live of the outer header are the sender's own; everything else is given.
            let expected = unreachable(about: synAck)
            #expect(Array(answer[0..<18]) == Array(expected[0..<18]))
            #expect(Array(answer[26...]) == Array(expected[26...]))
            #expect(bench.events.last?.kind == .stateRefused)
            #expect(bench.events.last?.details[.packet] == "SYN,ACK")
            #expect(bench.events.last?.details[.action] == "icmp")
            #expect(bench.state == "CLOSING:CLOSED first-packet")
        }
        #expect(bench.counter("states.misfits") == 6)
        #expect(bench.counter("icmp.made") == 6)
        // Refused packets put nothing off: 120 s after the FIN the entry is gone and the SYN-ACK passes.
        bench.wait(.seconds(120 - 31) - .milliseconds(1))
        #expect(bench.state == "CLOSING:CLOSED first-packet")
        bench.wait(.milliseconds(60))
        #expect(bench.state == "")
        #expect(bench.events.last?.kind == .stateClosingClosedExpired)
        #expect(bench.send(synAck, into: 1) == .passed)
        #expect(bench.state == "SYN_SENT:CLOSED first-packet")
    }

    @Test func `recovers on the retry at 15 s where the first-packet timer is 10 s`() throws {
        var timers = StateTimers.nsxGateway
        timers.firstPacket = .seconds(10)
        let bench = try GatewayBench(.nsxGateway, timers: timers)
        bench.out(.syn, 90_000)
        bench.back([.fin, .ack], 5501, ack: 1102)
        var passed: [Int] = []
        var elapsed = 0
        for second in [0, 1, 3, 7, 15, 31] {
            bench.wait(.seconds(second - elapsed))
            elapsed = second
            if bench.back([.syn, .ack], 700_000, ack: 90_001) == .passed { passed.append(second) }
        }
        #expect(passed == [15, 31])
    }

    @Test func `ends with the member's reset, which passes`() throws {
        let bench = try GatewayBench(.nsxGateway)
        bench.back([.fin, .ack], 5501, ack: 1102)
        #expect(bench.back(.rst, 700_001) == .passed)
        #expect(bench.state == "TIME_WAIT:TIME_WAIT closed")
    }

    @Test func `does not happen without the delayed FIN`() throws {
        let bench = try GatewayBench(.nsxGateway)
        for round in 0..<5 {
            oldConnection(bench)
            bench.wait(.milliseconds(4040))
            #expect(bench.state == "", "round \(round)")
        }
        #expect(bench.counter("states.misfits") == 0)
        #expect(!bench.kinds().contains(.stateClosingClosed))
    }

    @Test func `happens to one port only`() throws {
        let bench = try GatewayBench(.nsxGateway)
        bench.back([.fin, .ack], 5501, ack: 1102)
        #expect(bench.back([.syn, .ack], 700_000, ack: 90_001) != .passed)
        #expect(bench.back([.syn, .ack], 700_000, ack: 90_001, port: 4001) == .passed)
    }

    @Test(arguments: [(OutOfStatePolicy.drop, 0), (.reset, 54), (.icmp, 70)])
    func `answers as the policy says`(policy: OutOfStatePolicy, length: Int) throws {
        let bench = try GatewayBench(.nsxGateway, outOfState: policy)
        bench.back([.fin, .ack], 5501, ack: 1102)
        switch bench.back([.syn, .ack], 700_000, ack: 90_001) {
        case .dropped: #expect(length == 0)
        case .answered(let bytes):
            #expect(bytes.count == length)
            guard policy == .reset else { return }
            let seen = SeenFrame(bytes: bytes)
            #expect(seen.flow == GatewayBench.flow())
            #expect(seen.layout?.tcpFlags == .rst)
            // As the balancer itself would refuse it: with the sequence number that the SYN-ACK acknowledges.
            #expect(Array(bytes[38..<42]) == [0, 1, 0x5f, 0x91])
        default: Issue.record("neither dropped nor answered")
        }
    }

    @Test func `is different with stock pf, which sees the SYN and drops the FIN by its sequence number`() throws {
        let bench = try GatewayBench(.pf, [.both, .both])
        #expect(bench.out(.syn, 3_000_000) == .passed)
        // A FIN of the old connection: both sides are SYN_SENT then, and pf resets the sender.
        guard case .answered(let reset) = bench.back([.fin, .ack], 5501, ack: 1102) else {
            Issue.record("the FIN was not refused")
            return
        }
        #expect(SeenFrame(bytes: reset).layout?.tcpFlags == .rst)
        #expect(bench.state == "SYN_SENT:SYN_SENT first-packet")
        #expect(bench.back([.syn, .ack], 700_000, ack: 3_000_001) == .passed)
        #expect(bench.out(.ack, 3_000_001, ack: 700_001) == .passed)
        #expect(bench.state == "ESTABLISHED:ESTABLISHED established")
    }
}
