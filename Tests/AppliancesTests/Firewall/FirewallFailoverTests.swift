import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import PacketText
import Redundancy
import Testing
import VirtualNetwork
import Wire

struct FirewallFailoverTests {
    /// Who starts anew while nobody can tell it of the sessions takes the role without them; its peer has them still.
    @Test func `a Backup does not forget its sessions because a peer that lost them in a partition has the role`()
        throws
    {
        let lab = try FirewallLab(preempts: false)
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        lab.connect(1000)
        lab.run(for: .milliseconds(100))
        #expect(lab.knows(1, lab.flow(1000)))
        // The Backup has no link any more; the Active starts anew and hears nobody.
        for port in 0..<3 { lab.setCarrier(1, port, isUp: false) }
        lab.powerOff(0)
        lab.setCarrier(0, FirewallLab.crossConnect, isUp: false)
        try lab.start(0)
        lab.run(for: .seconds(1))
        #expect(lab.boxes[0].firewall.role == .active && lab.boxes[1].firewall.role == .backup)
        lab.connect(2000)
        #expect(!lab.knows(0, lab.flow(1000)))
        for box in 0..<2 {
            for port in 0..<3 { lab.setCarrier(box, port, isUp: true) }
        }
        lab.run(for: .milliseconds(500))
        for port in [UInt16(1000), 2000] {
            #expect(lab.knows(0, lab.flow(port)) && lab.knows(1, lab.flow(port)), "\(port)")
        }
    }

    /// What passed at the loser alone is on its way to the winner, whose own transfer does not name it.
    @Test func `a rival that yields keeps its own sessions while it tells the winner of them`() throws {
        let lab = try FirewallLab()
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        lab.isApart = [true, true, true]
        lab.run(for: .seconds(1))
        #expect(lab.boxes.allSatisfy { $0.firewall.role == .active })
        // Through each of the two.
        for (box, port) in [(0, UInt16(1000)), (1, 2000)] {
            lab.client.gatewayMAC = FirewallLab.mac(box, 0)
            lab.server.gatewayMAC = FirewallLab.mac(box, 1)
            lab.connect(port)
            #expect(lab.knows(box, lab.flow(port)) && !lab.knows(1 - box, lab.flow(port)))
        }
        lab.isApart = [false, false, false]
        let end = lab.now + .milliseconds(300)
        while lab.step(until: end) { #expect(lab.knows(1, lab.flow(2000))) }
        #expect(lab.boxes[0].firewall.role == .active && lab.boxes[1].firewall.role == .backup)
        for port in [UInt16(1000), 2000] {
            #expect(lab.knows(0, lab.flow(port)) && lab.knows(1, lab.flow(port)), "\(port)")
        }
    }

    /// A settled pair whose hosts know their gateways.
    func settled(usesVirtualMAC: Bool = false, preempts: Bool = true) throws -> FirewallLab {
        let lab = try FirewallLab(usesVirtualMAC: usesVirtualMAC, preempts: preempts)
        try lab.startBoth()
        lab.run(for: .milliseconds(50))
        return lab
    }

    @Test func `a pair is ready within milliseconds of its start`() throws {
        let lab = try FirewallLab()
        try lab.startBoth()
        lab.run(for: .milliseconds(2))
        #expect(lab.events(0, .ready).map { $0.details[.role] } == ["active"])
        #expect(lab.events(1, .ready).map { $0.details[.role] } == ["backup"])
        lab.run(for: .milliseconds(100))
        #expect(lab.events(0, .syncComplete).count == 1)
        #expect(lab.events(1, .syncComplete).count == 1)
    }

    @Test(arguments: [false, true])
    func `the Active answers for the virtual address and forwards from the MAC address that it answers with`(
        usesVirtualMAC: Bool
    ) throws {
        let lab = try settled(usesVirtualMAC: usesVirtualMAC)
        let outside = usesVirtualMAC ? MACAddress.virtualRouter(ipv4: 10) : FirewallLab.mac(0, 0)
        let inside = usesVirtualMAC ? MACAddress.virtualRouter(ipv4: 20) : FirewallLab.mac(0, 1)
        #expect(lab.client.gatewayMAC == outside)
        lab.captured.removeAll()
        lab.client.ask(for: .ipv4(FirewallLab.virtualAddresses[0]))
        lab.run(for: .milliseconds(1))
        let answers = lab.captured.filter { $0.sender < 2 && $0.frame.arp?.operation == .reply }
        #expect(answers.map(\.frame.arp?.senderMAC) == [outside])
        #expect(answers.map(\.sender) == [0])
        lab.connect(1000)
        #expect(lab.server.received.map(\.frame.source) == [inside, inside])
        #expect(lab.client.received.map(\.frame.source) == [outside])
        #expect(lab.server.received.allSatisfy { $0.frame.timeToLive == 63 && $0.frame.layout != nil })
        for (_, _, sender, frame) in lab.captured where frame.isAdvertisement {
            #expect(sender == 0)
            #expect(frame.source == outside || frame.source == inside)
        }
    }

    @Test(arguments: [false, true])
    func `a running TCP session goes on through the peer after a requested switchover`(usesVirtualMAC: Bool) throws {
        let lab = try settled(usesVirtualMAC: usesVirtualMAC)
        lab.connect(1000)
        let reply = lab.perform(0, .switchover)
        #expect(reply == .done)
        lab.run(for: .milliseconds(1))
        #expect(lab.boxes[1].firewall.role == .active)
        #expect(lab.client.gatewayMAC == (usesVirtualMAC ? .virtualRouter(ipv4: 10) : FirewallLab.mac(1, 0)))
        lab.send(lab.flow(1000), [.ack, .psh], payload: 100, from: lab.client)
        lab.send(lab.flow(1000).reversed, [.ack, .psh], payload: 100, from: lab.server)
        lab.run(for: .milliseconds(1))
        #expect(lab.server.received.last?.frame.layout?.payloadLength == 100)
        #expect(
            lab.server.received.last?.frame.source
                == (usesVirtualMAC ? .virtualRouter(ipv4: 20) : FirewallLab.mac(1, 1)))
        #expect(lab.client.received.last?.frame.layout?.payloadLength == 100)
        #expect(lab.events(0, .switchover).count == 1)
        #expect(lab.events(0, .backup).count == 1)
        #expect(lab.events(1, .active).count == 1)
        lab.run(for: .seconds(5))
        #expect(lab.boxes[1].firewall.role == .active)
    }

    @Test
    func `frames that still go to the old Active's MAC address are dropped there as standby and nowhere forwarded`()
        throws
    {
        let lab = try settled()
        lab.connect(1000)
        _ = lab.perform(0, .switchover)
        lab.run(for: .milliseconds(1))
        let before = lab.server.received.count
        let drops = lab.counter(0, "drop.standby")
        let frame = PacketText().bytes(
            "\(lab.flow(1000).text) PSH,ACK len 10", from: lab.client.mac, to: FirewallLab.mac(0, 0))
        for _ in 0..<10 { lab.client.send(frame) }
        lab.run(for: .milliseconds(1))
        #expect(lab.server.received.count == before)
        #expect(lab.counter(0, "drop.standby") == drops + 10)
    }

    @Test func `after power-off the peer forwards the established session within the detection bound`() throws {
        let lab = try settled()
        lab.connect(1000)
        lab.powerOff(0)
        let died = lab.now
        lab.run(for: .milliseconds(170))
        #expect(lab.boxes[1].firewall.role == .active)
        let took = try #require(lab.events(1, .active).first?.at)
        // 3 heartbeats of 20 ms and the grace of 40 ms, or 100 ms and the skew of 60.9 ms since the last advertisement.
        #expect(took - died <= .microseconds(160_938))
        #expect(lab.client.gatewayMAC == FirewallLab.mac(1, 0))
        lab.send(lab.flow(1000), [.ack], payload: 7, from: lab.client)
        lab.run(for: .milliseconds(1))
        #expect(lab.server.received.last?.frame.layout?.payloadLength == 7)
        #expect(lab.counter(1, "drop.no-session") == 0)
    }

    @Test func `every virtual address is announced five times within a second, by the winner only`() throws {
        let lab = try settled()
        _ = lab.perform(0, .switchover)
        lab.captured.removeAll()
        let begin = lab.now
        lab.run(for: .seconds(3))
        for network in [FirewallLab.outside, FirewallLab.inside] {
            let gratuitous = lab.captured.filter {
                $0.network == network && $0.frame.arp?.senderAddress == FirewallLab.virtualAddresses[network]
                    && $0.frame.arp?.isGratuitous == true
            }
            #expect(gratuitous.count == 5)
            #expect(gratuitous.allSatisfy { $0.sender == 1 && $0.at - begin <= .milliseconds(1001) })
        }
    }

    @Test
    func `the old Active sends priority 0 for each virtual router, and the new one advertises before it announces`()
        throws
    {
        let lab = try settled()
        lab.captured.removeAll()
        _ = lab.perform(0, .switchover)
        lab.run(for: .milliseconds(1))
        let resigned = lab.captured.filter { $0.sender == 0 && $0.frame.vrrpPriority == 0 }
        #expect(Set(resigned.map(\.network)) == [FirewallLab.outside, FirewallLab.inside])
        let own = lab.captured.filter { $0.sender == 1 && $0.network == FirewallLab.outside }
        let firstAdvertisement = try #require(own.firstIndex { $0.frame.vrrpPriority == 100 })
        let firstAnnouncement = try #require(own.firstIndex { $0.frame.arp?.isGratuitous == true })
        #expect(firstAdvertisement < firstAnnouncement)
    }

    @Test func `a returning box receives every session before it takes the role back`() throws {
        let lab = try settled()
        for port in UInt16(1000)..<1200 { lab.connect(port) }
        lab.powerOff(0)
        lab.run(for: .milliseconds(200))
        #expect(lab.boxes[1].firewall.role == .active)
        try lab.start(0)
        lab.run(for: .milliseconds(500))
        #expect(lab.boxes[0].firewall.role == .active)
        #expect(lab.boxes[0].firewall.sessionCount == 200)
        let complete = try #require(lab.events(0, .syncComplete).last { $0.details[.direction] == "received" }?.at)
        let active = try #require(lab.events(0, .active).last?.at)
        #expect(complete <= active)
        for port in UInt16(1000)..<1200 {
            let isKnown = lab.boxes[0].firewall.knows(lab.flow(port))
            #expect(isKnown)
        }
    }

    @Test func `a box that loses a port hands over to its healthy peer`() throws {
        let lab = try settled()
        lab.connect(1000)
        _ = lab.perform(0, .carrier(port: "inside", isUp: false))
        lab.run(for: .milliseconds(1))
        #expect(lab.boxes[1].firewall.role == .active)
        #expect(lab.events(0, .switchover).first?.details[.reason] == "carrier lost on inside")
        lab.send(lab.flow(1000), .ack, payload: 3, from: lab.client)
        lab.run(for: .milliseconds(1))
        #expect(lab.server.received.last?.frame.layout?.payloadLength == 3)
        _ = lab.perform(0, .carrier(port: "inside", isUp: true))
        lab.run(for: .milliseconds(500))
        #expect(lab.boxes[0].firewall.role == .active)
    }

    @Test func `a cut cross-connect causes no dual Active, and its return brings the peer every session`() throws {
        let lab = try settled()
        lab.isUp[FirewallLab.crossConnect] = false
        lab.run(for: .seconds(1))
        for port in UInt16(1000)..<1010 { lab.connect(port) }
        #expect(lab.boxes[0].firewall.role == .active)
        #expect(lab.boxes[1].firewall.role == .backup)
        #expect(lab.boxes[1].firewall.sessionCount == 0)
        lab.isUp[FirewallLab.crossConnect] = true
        lab.run(for: .milliseconds(300))
        #expect(lab.boxes[1].firewall.sessionCount == 10)
        #expect(lab.boxes[0].firewall.role == .active)
        #expect(lab.events(1, .active).isEmpty)
        #expect(lab.events(0, .dualActive).isEmpty)
    }

    @Test func `a switchover asked of the Backup or of a lone firewall is refused in words`() throws {
        let lab = try settled()
        let reply = lab.perform(1, .switchover)
        #expect(reply == .refused(reason: "fw-b is not the Active of its pair; ask fw-a to switch over"))
        var queue = FrameQueue()
        var lone = try Firewall(
            FirewallConfiguration(name: "fw", ports: [], routes: [], redundancy: nil), sessionCapacity: 16)
        lone.start(at: lab.now, into: &queue)
        let answer = lone.perform(.switchover, at: lab.now, into: &queue)
        #expect(answer == .refused(reason: "fw stands alone; there is no peer to switch over to"))
        let events = lone.takeEvents()
        #expect(events.map(\.kind) == [.ready])
    }

    @Test func `a Backup answers for its own addresses only`() throws {
        let lab = try settled(usesVirtualMAC: true)
        lab.captured.removeAll()
        for address in [IPv4Address(192, 0, 2, 3), IPv4Address(192, 0, 2, 1)] {
            let question = PacketText().bytes(
                "arp who-has \(address) tell \(lab.client.address)", from: lab.client.mac, to: .broadcast)
            lab.deliver(question, to: 1, port: 0)
        }
        let answers = lab.captured.filter { $0.sender == 1 && $0.frame.arp?.operation == .reply }
        #expect(answers.map(\.frame.arp?.senderAddress) == [IPv4Address(192, 0, 2, 3)])
        func ping(_ address: String, _ mac: MACAddress) {
            let echo = PacketText().bytes(
                "icmp \(lab.client.address) > \(address) 8/0 id 1 seq 1", from: lab.client.mac, to: mac)
            lab.deliver(echo, to: 1, port: 0)
        }
        ping("192.0.2.3", FirewallLab.mac(1, 0))
        let own = lab.boxes[1].hostFrames.last.map { SeenFrame(bytes: $0.bytes) }
        #expect(own?.flow?.destination == IPv4Address(192, 0, 2, 3))
        let drops = lab.counter(1, "drop.standby")
        ping("192.0.2.1", .virtualRouter(ipv4: 10))
        #expect(lab.counter(1, "drop.standby") == drops + 1)
    }
}
