import Appliances
import Dataplane
import LabEvents
import LabTime
import Redundancy
import TestSupport
import Testing
import VirtualNetwork
import Wire

struct FirewallSimulationTests {
    /// Runs until the Active's peer has acknowledged every record, and is alive.
    func synchronise(_ lab: FirewallLab, _ active: Int) -> Bool {
        for _ in 0..<200 {
            lab.run(for: .milliseconds(10))
            let isComplete = lab.boxes[active].firewall.isPeerUpToDate
            if isComplete { return true }
        }
        return false
    }

    @Test(arguments: Array(UInt64(1)...8))
    func `with 30 percent loss, repetition and reordering no synchronised session is ever lost in a failover`(
        seed: UInt64
    ) throws {
        let lab = try FirewallLab(seed: seed, usesVirtualMAC: seed % 2 == 0)
        lab.isCapturing = false
        lab.loss = 300
        lab.duplication = 100
        lab.delay = 20...2000
        var random = SeededGenerator(seed: seed &+ 100)
        try lab.startBoth()
        lab.run(for: .seconds(1))
        var known: [UInt16] = []
        var port: UInt16 = 1000
        for round in 0..<25 {
            var active = lab.boxes[0].firewall.role == .active ? 0 : 1
            for _ in 0..<Int.random(in: 1...10, using: &random) {
                lab.connect(port)
                // In the moment of a handover neither box forwards, and a SYN makes no session.
                if lab.knows(0, lab.flow(port)) || lab.knows(1, lab.flow(port)) { known.append(port) }
                port += 1
            }
            // The role may have moved meanwhile.
            active = lab.boxes[0].firewall.role == .active ? 0 : 1
            let isSynchronised = synchronise(lab, active)
            #expect(isSynchronised, "seed \(seed), round \(round): the peer never acknowledged everything")
            let isCrash = Int.random(in: 0..<2, using: &random) == 0
            if isCrash {
                lab.powerOff(active)
            } else {
                let reply = lab.perform(active, .switchover)
                if case .refused = reply { continue }
            }
            lab.run(for: .milliseconds(500))
            active = lab.boxes[0].isAlive && lab.boxes[0].firewall.role == .active ? 0 : 1
            let isActive = lab.boxes[active].isAlive && lab.boxes[active].firewall.role == .active
            #expect(isActive, "seed \(seed), round \(round): nobody took over")
            let lost = known.filter { !lab.boxes[active].firewall.knows(lab.flow($0)) }
            #expect(lost.isEmpty, "seed \(seed), round \(round): lost \(lost)")
            let before = lab.server.received.count
            lab.send(lab.flow(known[known.count - 1]), .ack, payload: 5, from: lab.client)
            lab.run(for: .milliseconds(1))
            #expect(lab.server.received.count == before + 1, "seed \(seed), round \(round)")
            for number in 0..<2 where !lab.boxes[number].isAlive { try lab.start(number) }
            lab.run(for: .seconds(1))
        }
        #expect(lab.trespasses == 0, "seed \(seed)")
    }

    @Test func `a bulk transfer of many sessions completes over a lossy cross-connect, and nothing unbounded grows`()
        throws
    {
        let lab = try FirewallLab(seed: 5, preempts: false, sessionCapacity: 4096)
        lab.isCapturing = false
        try lab.startBoth()
        lab.run(for: .milliseconds(100))
        lab.powerOff(1)
        for port in UInt16(1)...3000 {
            lab.send(lab.flow(port), .syn, from: lab.client)
            lab.run(for: .microseconds(50))
        }
        lab.loss = 200
        lab.delay = 20...500
        try lab.start(1)
        lab.run(for: .seconds(3))
        #expect(lab.boxes[1].firewall.sessionCount == 3000)
        #expect(lab.events(1, .syncComplete).last?.details[.direction] == "received")
    }

    @Test func `a peer that stops reading costs the Active nothing but a window of messages`() throws {
        let lab = try FirewallLab(seed: 6, sessionCapacity: 4096)
        lab.isCapturing = false
        try lab.startBoth()
        lab.run(for: .milliseconds(100))
        let sent = lab.counter(0, "sync.records-sent")
        // Nothing arrives any more; the heartbeats' silence is not noticed yet.
        lab.loss = 1000
        for port in UInt16(1)...3000 {
            lab.send(lab.flow(port), .syn, from: lab.client)
            lab.run(for: .microseconds(10))
        }
        lab.run(for: .milliseconds(1))
        #expect(lab.boxes[0].firewall.sessionCount == 3000)
        #expect(lab.counter(0, "sync.records-sent") - sent <= 64 * 61)
        #expect(lab.counter(0, "sync.messages-under-way") == 64)
        #expect((1...3000).contains(lab.counter(0, "sync.sessions-noted")))
        #expect(lab.server.received.count == 3000)
        lab.loss = 0
        lab.run(for: .seconds(1))
        #expect(lab.boxes[1].firewall.sessionCount == 3000)
        #expect(lab.counter(0, "sync.messages-under-way") == 0 && lab.counter(0, "sync.sessions-noted") == 0)
    }
}
