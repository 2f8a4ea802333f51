import Appliances
import Configuration
import LabTime
import Redundancy
import TestSupport
import Testing
import VirtualNetwork
import Wire

/// The first packets of a connection wait until the peer has its record.
struct FirewallDeferralTests {
    func lab(_ bound: Duration? = .milliseconds(20), crossConnectDelay: Int = 1000) throws -> FirewallLab {
        let lab = try FirewallLab(usesVirtualMAC: true, configure: { $1.redundancy?.deferral = bound })
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        lab.delay = crossConnectDelay...crossConnectDelay
        return lab
    }

    /// The SYN is sent and the Active dies as soon as the server has it; the server answers.
    /// - Parameter recordCrosses: whether the record of the session is quicker than the failure, where nobody waits
    func loseActiveAfterSYN(_ lab: FirewallLab, recordCrosses: Bool) {
        if !recordCrosses { lab.loss = 1000 }
        lab.send(lab.flow(4000), .syn, from: lab.client)
        while lab.server.received.isEmpty, lab.step(until: lab.now + .seconds(1)) {}
        lab.powerOff(0)
        lab.run(for: .milliseconds(500))
        lab.send(lab.flow(4000).reversed, [.syn, .ack], from: lab.server)
        lab.run(for: .milliseconds(5))
    }

    @Test func `a SYN leaves once the peer has the record, two crossings later`() throws {
        let lab = try lab()
        let sent = lab.now
        lab.send(lab.flow(4000), .syn, from: lab.client)
        lab.run(for: .milliseconds(10))
        let arrived = try #require(lab.server.received.first)
        #expect(arrived.at - sent >= .milliseconds(2) && arrived.at - sent < .milliseconds(3))
        #expect(arrived.frame.timeToLive == 63)
        #expect(lab.counter(0, "defer.held") == 1 && lab.counter(0, "defer.expired") == 0)
        #expect(lab.knows(1, lab.flow(4000)))
        // Only the session's beginning waits.
        lab.send(lab.flow(4000).reversed, [.syn, .ack], from: lab.server)
        lab.run(for: .microseconds(100))
        #expect(lab.client.received.count == 1)
    }

    @Test func `an acknowledgement that does not come costs the bound and no more`() throws {
        let lab = try lab(.milliseconds(15))
        lab.loss = 1000
        let sent = lab.now
        lab.send(lab.flow(4000), .syn, from: lab.client)
        lab.send(lab.flow(4000), .syn, from: lab.client)
        lab.run(for: .milliseconds(30))
        #expect(lab.server.received.count == 2)
        let waited = lab.server.received[0].at - sent
        #expect(waited >= .milliseconds(15) && waited < .milliseconds(16))
        #expect(lab.counter(0, "defer.expired") == 1)
    }

    @Test func `the second row of the table: without the record a SYN-ACK is dropped, with defer it arrives`() throws {
        for (bound, arrives) in [(nil, false), (Duration.milliseconds(20), true)] {
            let lab = try lab(bound)
            loseActiveAfterSYN(lab, recordCrosses: bound != nil)
            #expect(lab.boxes[1].firewall.role == .active)
            #expect((lab.client.received.count == 1) == arrives)
            #expect(lab.counter(1, "drop.no-session") == (arrives ? 0 : 1))
        }
    }

    @Test func `the third row: the handshake that the server did not see end is completed by its repeated SYN-ACK`()
        throws
    {
        for (bound, survives) in [(nil, false), (Duration.milliseconds(20), true)] {
            let lab = try lab(bound)
            // Where nobody waits, the box dies before its record has crossed.
            if bound == nil { lab.loss = 1000 }
            lab.send(lab.flow(4000), .syn, from: lab.client)
            lab.run(for: .milliseconds(6))
            lab.send(lab.flow(4000).reversed, [.syn, .ack], from: lab.server)
            lab.run(for: .milliseconds(6))
            #expect(lab.server.received.count == 1 && lab.client.received.count == 1)
            // The client's ACK is on its way when the box dies.
            lab.powerOff(0)
            lab.run(for: .milliseconds(500))
            lab.loss = 0
            lab.send(lab.flow(4000).reversed, [.syn, .ack], from: lab.server)
            lab.run(for: .milliseconds(1))
            lab.send(lab.flow(4000), .ack, payload: 9, from: lab.client)
            lab.run(for: .milliseconds(1))
            #expect((lab.client.received.count == 2) == survives)
            #expect((lab.server.received.last?.frame.layout?.payloadLength == 9) == survives)
        }
    }

    @Test func `without a peer nothing waits`() throws {
        let lab = try lab()
        lab.powerOff(1)
        lab.run(for: .milliseconds(500))
        lab.send(lab.flow(4000), .syn, from: lab.client)
        lab.run(for: .microseconds(100))
        #expect(lab.server.received.count == 1 && lab.counter(0, "defer.held") == 0)
    }

    @Test func `a flood of new connections finds no room to wait, and passes`() throws {
        let lab = try FirewallLab(sessionCapacity: 4096, configure: { $1.redundancy?.deferral = .milliseconds(20) })
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        lab.isCapturing = false
        // The server's MAC address is known: what waits, waits for the peer.
        lab.connect(5000)
        lab.run(for: .milliseconds(10))
        let held = lab.counter(0, "defer.held")
        lab.server.received.removeAll()
        lab.delay = 5000...5000
        for port in UInt16(1)...2000 { lab.send(lab.flow(port), .syn, from: lab.client) }
        lab.run(for: .milliseconds(100))
        #expect(lab.server.received.count == 2000)
        #expect(lab.counter(0, "defer.held") == held + 512 && lab.counter(0, "defer.no-room") == 1488)
        // Each once, and those that waited in their order.
        let ports = lab.server.received.compactMap { $0.frame.flow?.sourcePort }
        #expect(Set(ports).count == 2000)
    }

    @Test func `packets that wait are lost with a crash and let go by a handover, and the pool of memory comes back`()
        throws
    {
        let lab = try lab()
        lab.delay = 8000...8000
        for port in UInt16(1)...3 { lab.send(lab.flow(port), .syn, from: lab.client) }
        lab.run(for: .milliseconds(1))
        #expect(lab.server.received.isEmpty)
        _ = lab.perform(0, .switchover)
        lab.run(for: .milliseconds(100))
        #expect(lab.boxes[1].firewall.role == .active)
        #expect(lab.counter(0, "drop.standby") == 3)
        let port = UInt16(1)
        lab.send(lab.flow(port), .syn, from: lab.client)
        lab.run(for: .milliseconds(50))
        #expect(lab.server.received.count == 1)
    }
}
