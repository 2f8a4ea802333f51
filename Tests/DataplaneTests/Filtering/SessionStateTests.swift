import Dataplane
import LabTime
import Testing
import Wire

struct SessionStateTests {
    struct Step: Sendable {
        var flags: TCPFlags
        var direction: FlowDirection
        var after: String
        init(_ flags: TCPFlags, _ direction: FlowDirection, _ after: String) {
            self.flags = flags
            self.direction = direction
            self.after = after
        }
    }

    static let conversations: [(String, [Step])] = [
        (
            "handshake and close from the original side",
            [
                Step(.syn, .original, "SYN_SENT:CLOSED"), Step([.syn, .ack], .reply, "ESTABLISHED:SYN_SENT"),
                Step(.ack, .original, "ESTABLISHED:ESTABLISHED"), Step([.fin, .ack], .original, "CLOSING:ESTABLISHED"),
                Step(.ack, .reply, "FIN_WAIT_2:ESTABLISHED"), Step([.fin, .ack], .reply, "FIN_WAIT_2:CLOSING"),
                Step(.ack, .original, "FIN_WAIT_2:FIN_WAIT_2"),
            ]
        ),
        (
            "a reset ends both sides",
            [
                Step(.syn, .original, "SYN_SENT:CLOSED"), Step([.rst, .ack], .reply, "TIME_WAIT:TIME_WAIT"),
            ]
        ),
        (
            "a box that took over before the SYN-ACK learns the state from what follows",
            [
                Step(.syn, .original, "SYN_SENT:CLOSED"), Step(.ack, .original, "SYN_SENT:CLOSED"),
                Step([.ack, .psh], .reply, "ESTABLISHED:ESTABLISHED"),
            ]
        ),
        (
            "simultaneous open",
            [
                Step(.syn, .original, "SYN_SENT:CLOSED"), Step(.syn, .reply, "SYN_SENT:SYN_SENT"),
                Step([.syn, .ack], .original, "SYN_SENT:ESTABLISHED"),
                Step([.syn, .ack], .reply, "ESTABLISHED:ESTABLISHED"),
            ]
        ),
    ]

    @Test(arguments: conversations.indices)
    func `each packet of a conversation moves both sides as the table says`(index: Int) {
        let (name, steps) = Self.conversations[index]
        var state = SessionState.opening
        for (number, step) in steps.enumerated() {
            if number > 0 { state.update(by: step.flags, from: step.direction) }
            #expect(state.description == step.after, "\(name), packet \(number)")
        }
    }

    @Test func `a connectionless session is single until the other side speaks`() {
        let timers = SessionTimers.standard
        var state = SessionState.opening
        state.updateConnectionless(from: .original)
        #expect(timers.timeout(of: state, protocol: .udp) == .seconds(120))
        state.updateConnectionless(from: .reply)
        #expect(timers.timeout(of: state, protocol: .udp) == .seconds(300))
        #expect(timers.timeout(of: state, protocol: .icmp) == .seconds(60))
    }

    @Test(arguments: [
        (SideState.synSent, SideState.closed, 120), (.established, .synSent, 30), (.established, .established, 7200),
        (.closing, .established, 900), (.closing, .closing, 4), (.finWait2, .finWait2, 2), (.timeWait, .timeWait, 2),
        (.closing, .synSent, 30),
    ])
    func `the timer follows the states of both sides, as the NSX gateway firewall has it`(
        original: SideState, reply: SideState, seconds: Int
    ) {
        let state = SessionState(original: original, reply: reply)
        #expect(SessionTimers.nsxGateway.timeout(of: state, protocol: .tcp) == .seconds(seconds))
    }
}
