import Appliances
import Dataplane
import Impairment
import LabTime
import Redundancy
import Testing
import VirtualNetwork
import Wire

/// A role that is handed over goes to a box with the pair's sessions. Found by `PairChaos`.
struct FirewallHandoverTests {
    /// What a box receives on the cross-connect has been under way for so long.
    private func slow(_ lab: FirewallLab, to box: Int, by time: Duration) {
        let delay = FaultRule(
            name: "delay", selection: FrameSelection(direction: .fromNear), action: .delay(Delay(.fixed(time))))
        lab.hubs[FirewallLab.crossConnect].cable(of: lab.boxes[box])?.install(delay)
    }

    @Test func `a box that yielded is not given the role before it has the sessions of the Active`() throws {
        let lab = try FirewallLab(preempts: false)
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        lab.isApart = [true, true, true]
        lab.run(for: .seconds(1))
        for (box, port) in [(0, UInt16(1000)), (1, 2000)] {
            lab.client.gatewayMAC = FirewallLab.mac(box, 0)
            lab.server.gatewayMAC = FirewallLab.mac(box, 1)
            lab.connect(port)
        }
        slow(lab, to: 1, by: .milliseconds(5))
        lab.isApart = [false, false, false]
        while lab.boxes[1].firewall.role == .active { lab.step(until: lab.now + .seconds(1)) }
        // The winner receives that the other one is Backup now; its own sessions are still under way.
        lab.run(for: .milliseconds(1))
        #expect(lab.boxes[0].firewall.role == .active && !lab.knows(1, lab.flow(1000)))
        // A box that was Active states that it knows sessions, also when it has yielded.
        let reply = lab.perform(0, .switchover)
        #expect(reply != .done)
        lab.run(for: .milliseconds(500))
        #expect(lab.boxes[0].firewall.role == .active)
        for box in 0..<2 { #expect(lab.knows(box, lab.flow(1000)) && lab.knows(box, lab.flow(2000))) }
        #expect(lab.perform(0, .switchover) == .done)
        lab.run(for: .milliseconds(100))
        #expect(lab.boxes[1].firewall.role == .active && lab.knows(1, lab.flow(1000)))
    }

    @Test func `a box that missed what was opened meanwhile is not given the role before it has it`() throws {
        let lab = try FirewallLab(preempts: false)
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        lab.isApart[FirewallLab.crossConnect] = true
        lab.run(for: .milliseconds(300))
        lab.connect(1000)
        slow(lab, to: 1, by: .milliseconds(5))
        lab.isApart[FirewallLab.crossConnect] = false
        while lab.boxes[0].firewall.receivedEpoch == nil { lab.step(until: lab.now + .seconds(1)) }
        #expect(lab.boxes[0].firewall.role == .active && !lab.knows(1, lab.flow(1000)))
        let reply = lab.perform(0, .switchover)
        #expect(reply != .done)
        lab.run(for: .milliseconds(100))
        #expect(lab.knows(1, lab.flow(1000)))
        #expect(lab.perform(0, .switchover) == .done)
    }

    @Test func `the role is not left to an incarnation whose successor was received`() throws {
        let lab = try FirewallLab(preempts: false)
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        #expect(lab.perform(0, .switchover) == .done)
        lab.run(for: .milliseconds(300))
        lab.connect(1000)
        lab.run(for: .milliseconds(100))
        #expect(lab.knows(0, lab.flow(1000)) && lab.knows(1, lab.flow(1000)))
        // For three heartbeats the Active receives the incarnation that it knows; its peer receives it at once.
        lab.powerOff(0)
        try lab.start(0)
        while lab.boxes[0].firewall.receivedEpoch == nil { lab.step(until: lab.now + .seconds(1)) }
        #expect(lab.boxes[1].firewall.role == .active)
        let reply = lab.perform(1, .switchover)
        #expect(reply != .done)
        lab.run(for: .milliseconds(500))
        #expect(lab.boxes[1].firewall.role == .active)
        #expect(lab.knows(0, lab.flow(1000)) && lab.knows(1, lab.flow(1000)))
        #expect(lab.perform(1, .switchover) == .done)
    }
}
