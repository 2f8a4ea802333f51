import Appliances
import Configuration
import Dataplane
import LabTime
import PacketText
import Redundancy
import TestSupport
import Testing
import VirtualNetwork
import Wire

/// The passive box hands data frames to the Active before it looks anything up.
struct FirewallConduitTests {
    func lab(_ conduit: ConduitConfiguration = ConduitConfiguration(), decrement: UInt8 = 0) throws -> FirewallLab {
        let lab = try FirewallLab(
            usesVirtualMAC: true,
            configure: { _, configuration in
                configuration.ports[2].mtu = 1600
                configuration.redundancy?.conduit = conduit
                configuration.redundancy?.trackedLinks = [
                    TrackedLink(port: "outside", decrement: decrement),
                    TrackedLink(port: "inside", decrement: decrement),
                ]
            })
        lab.isSwitched = true
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        return lab
    }

    /// To the passive box's own MAC address on a network.
    func send(
        _ lab: FirewallLab, _ flow: FiveTuple, _ flags: TCPFlags, payload: Int = 0, from host: VirtualHost
    ) {
        let port = host === lab.client ? FirewallLab.outside : FirewallLab.inside
        host.send(
            PacketText().bytes("\(flow.text) \(flags) len \(payload)", from: host.mac, to: FirewallLab.mac(1, port)))
        lab.run(for: .milliseconds(1))
    }

    @Test func `the first row of the table: a SYN-ACK that reaches the passive box is processed by the Active`() throws
    {
        let lab = try lab()
        lab.send(lab.flow(4000), .syn, from: lab.client)
        lab.run(for: .milliseconds(1))
        send(lab, lab.flow(4000).reversed, [.syn, .ack], from: lab.server)
        #expect(lab.client.received.count == 1)
        #expect(lab.client.received.first?.frame.timeToLive == 63, "one router has touched it, not two")
        #expect(lab.client.received.first?.frame.source == .virtualRouter(ipv4: 10))
        #expect(lab.counter(1, "conduit.forwarded") == 1 && lab.counter(1, "sessions.lookups") == 0)
        #expect(lab.counter(0, "conduit.received") == 1 && lab.counter(0, "sessions.lookups") == 2)
    }

    @Test
    func `a connection whose client only reaches the passive box works, in both directions and with full packets`()
        throws
    {
        let lab = try lab()
        let flow = lab.flow(4000)
        send(lab, flow, .syn, from: lab.client)
        lab.send(flow.reversed, [.syn, .ack], from: lab.server)
        lab.run(for: .milliseconds(1))
        send(lab, flow, .ack, from: lab.client)
        send(lab, flow, .ack, payload: 1460, from: lab.client)
        #expect(lab.server.received.count == 3)
        #expect(lab.server.received.last?.frame.layout?.payloadLength == 1460)
        #expect(lab.counter(1, "sessions.lookups") == 0 && lab.counter(1, "conduit.forwarded") == 3)
    }

    @Test func `the Active that lost its link to the client answers through the passive box and stays Active`() throws {
        let lab = try lab()
        lab.connect(4000)
        // The passive box knows where the client is, as from its own traffic.
        send(lab, lab.flow(4000), .ack, payload: 5, from: lab.client)
        _ = lab.perform(0, .carrier(port: "outside", isUp: false))
        lab.run(for: .milliseconds(500))
        #expect(lab.boxes.map { $0.firewall.role } == [.active, .backup])
        let (toServer, toClient) = (lab.server.received.count, lab.client.received.count)
        send(lab, lab.flow(4000), .ack, payload: 7, from: lab.client)
        #expect(lab.server.received.count == toServer + 1)
        lab.send(lab.flow(4000).reversed, .ack, payload: 8, from: lab.server)
        lab.run(for: .milliseconds(5))
        #expect(lab.client.received.count == toClient + 1)
        let answer = lab.client.received.last?.frame
        #expect(answer?.source == FirewallLab.mac(1, 0) && answer?.timeToLive == 63)
        #expect(answer?.layout?.payloadLength == 8)
        #expect(lab.counter(0, "conduit.returned") == 1 && lab.counter(1, "conduit.delivered") == 1)
        #expect(lab.counter(1, "sessions.lookups") == 0)
    }

    /// BGP between the boxes finds the peer where the own neighbour is gone.
    @Test func `an answer whose route leads to the peer leaves by the peer, which looks nothing up`() throws {
        let lab = try lab()
        let inside = IPv4Network(IPv4Address(10, 77, 0, 0), prefixLength: 16)
        for box in lab.boxes {
            let isAdded = box.firewall.addRoute(to: inside, via: lab.client.address)
            #expect(isAdded)
        }
        let flow = FiveTuple(
            source: IPv4Address(10, 77, 0, 9), destination: lab.server.address, sourcePort: 4000, destinationPort: 80,
            protocol: .tcp)
        lab.send(flow, .syn, from: lab.client)
        lab.run(for: .milliseconds(5))
        #expect(lab.server.received.count == 1)
        _ = lab.perform(
            0, .routes([RouteConfiguration(destination: .ipv4(inside), gateway: .ipv4(IPv4Address(10, 0, 0, 2)))]))
        let before = lab.client.received.count
        lab.send(flow.reversed, [.syn, .ack], from: lab.server)
        lab.run(for: .milliseconds(20))
        #expect(lab.client.received.count == before + 1)
        #expect(lab.client.received.last?.frame.source == FirewallLab.mac(1, 0))
        #expect(lab.counter(0, "conduit.returned") == 1 && lab.counter(1, "conduit.delivered") == 1)
        #expect(lab.counter(1, "sessions.lookups") == 0)
    }

    @Test func `frames that reach the former Active in a handover are the new one's, and none is lost`() throws {
        let lab = try lab()
        lab.connect(4000)
        let before = lab.server.received.count
        _ = lab.perform(0, .switchover)
        // Before anybody has heard of it: the switch still sends the virtual address's frames to the former Active.
        for number in 0..<50 {
            lab.client.send(
                PacketText().bytes(
                    "\(lab.flow(4000).text) ACK len \(number + 1)", from: lab.client.mac,
                    to: .virtualRouter(ipv4: 10)))
            // Fast enough that several are in flight, slow enough for the few that may wait for the server's address.
            lab.run(for: .microseconds(12))
        }
        lab.run(for: .milliseconds(50))
        let seen = lab.server.received[before...].compactMap { $0.frame.layout?.payloadLength }
        // Those that went through the former Active may arrive behind later ones.
        #expect(seen.sorted() == Array(1...50))
        #expect(lab.counter(0, "conduit.forwarded") > 0)
    }

    @Test func `a data frame crosses once: a box that is not the Active hands nothing back`() throws {
        let lab = try lab()
        lab.send(lab.flow(4000), .syn, from: lab.client)
        lab.run(for: .milliseconds(1))
        send(lab, lab.flow(4000).reversed, [.syn, .ack], from: lab.server)
        let frame = try #require(
            lab.captured.last { $0.network == FirewallLab.crossConnect && $0.frame.flow?.protocol == .gre }?.frame.bytes
        )
        let crossed = lab.counter(1, "conduit.forwarded")
        var turned = frame
        // From the peer's address to the Backup's, the header's checksum stays right.
        turned.replaceSubrange(26..<30, with: frame[30..<34])
        turned.replaceSubrange(30..<34, with: frame[26..<30])
        turned.replaceSubrange(0..<6, with: frame[6..<12])
        lab.deliver(turned, to: 1, port: 2)
        #expect(lab.counter(1, "conduit.forwarded") == crossed && lab.counter(1, "drop.standby") >= 1)
    }

    @Test func `a data frame cut off anywhere or with any byte of its head changed never crashes a box`() throws {
        let lab = try lab()
        send(lab, lab.flow(4000), .syn, from: lab.client)
        let frame = try #require(
            lab.captured.last { $0.network == FirewallLab.crossConnect && $0.frame.flow?.protocol == .gre }?.frame.bytes
        )
        for length in 14..<frame.count { lab.deliver(Array(frame[..<length]), to: 0, port: 2) }
        for offset in 34..<frame.count {
            for value in [UInt8(0x00), 0x7f, 0xff] {
                var changed = frame
                changed[offset] = value
                lab.deliver(changed, to: 0, port: 2)
            }
        }
        #expect(lab.boxes[0].firewall.role == .active)
    }

    @Test(arguments: ConduitConfiguration.Spread.allCases)
    func `the receiving box spreads by the inner flow, or gives one worker everything`(
        _ spread: ConduitConfiguration.Spread
    ) throws {
        let lab = try lab(ConduitConfiguration(spread: spread, workers: 4))
        lab.isCapturing = false
        for port in UInt16(1)...400 { send(lab, lab.flow(port), .syn, from: lab.client) }
        let frames = (0..<4).map { lab.counter(0, "conduit.worker.\($0)") }
        #expect(frames.reduce(0, +) == 400)
        switch spread {
        case .inner: #expect(frames.allSatisfy { $0 > 60 && $0 < 140 }, "\(frames)")
        case .outer: #expect(frames.max() == 400, "\(frames)")
        }
    }

    @Test func `a cross-connect that is too small for the conduit is refused in words`() throws {
        do throws(ConfigurationError) {
            var configuration = FirewallConfiguration(
                name: "fw-a",
                ports: [
                    PortConfiguration(
                        name: "outside", mac: FirewallLab.mac(0, 0),
                        address: IPv4InterfaceAddress(IPv4Address(192, 0, 2, 2), prefixLength: 24)),
                    PortConfiguration(
                        name: "sync", mac: FirewallLab.mac(0, 2),
                        address: IPv4InterfaceAddress(IPv4Address(10, 0, 0, 1), prefixLength: 30)),
                ],
                routes: [],
                redundancy: RedundancyConfiguration(
                    peer: "fw-b", priority: 200, preempts: true, usesVirtualMAC: true,
                    advertisementInterval: .milliseconds(100), heartbeatInterval: .milliseconds(20), heartbeatMisses: 3,
                    crossConnect: CrossConnectConfiguration(port: "sync", peerAddress: IPv4Address(10, 0, 0, 2)),
                    virtualRouters: [
                        VirtualRouterConfiguration(port: "outside", id: 1, addresses: [IPv4Address(192, 0, 2, 1)])
                    ]))
            configuration.redundancy?.conduit = ConduitConfiguration()
            _ = try Firewall(configuration)
            Issue.record("it was accepted")
        } catch {
            #expect(error.description.contains("its conduit needs 1528 to carry packets of 1500"))
        }
    }
}
