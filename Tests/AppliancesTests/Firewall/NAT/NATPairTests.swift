import Appliances
import Configuration
import Dataplane
import LabTime
import Redundancy
import TestSupport
import Testing
import VirtualNetwork
import Wire

/// A pair that translates, in virtual time: the inside host opens connections to the one outside.
struct NATPairTests {
    private static let virtual = FirewallLab.virtualAddresses[0]

    private static func nat(_ addresses: IPv4Address..., ports: ClosedRange<UInt16> = NATPool.everyPort)
        -> NATConfiguration
    {
        NATConfiguration(
            pools: [NATPool(name: "internet", addresses: addresses, ports: ports)],
            rules: [NATRule(source: IPv4Network("198.51.100.0/24")!, pool: "internet")])
    }

    private static func lab(
        seed: UInt64 = 1, virtualMAC: Bool = true, nat: @escaping (Int) -> NATConfiguration? = { _ in nat(virtual) }
    ) throws -> FirewallLab {
        let lab = try FirewallLab(seed: seed, usesVirtualMAC: virtualMAC, nat: nat)
        try lab.startBoth()
        lab.run(for: .seconds(1))
        return lab
    }

    private static func flow(_ lab: FirewallLab, _ port: UInt16) -> FiveTuple {
        FiveTuple(
            source: lab.server.address, destination: lab.client.address, sourcePort: port, destinationPort: 80,
            protocol: .tcp)
    }

    /// What the outside host got last, as it is to be answered.
    private static func answer(_ lab: FirewallLab) -> FiveTuple? {
        lab.client.received.last { $0.frame.flow?.protocol == .tcp }?.frame.flow?.reversed
    }

    /// - Returns: the external endpoint; nil where the SYN or its answer did not get through
    private static func connect(_ lab: FirewallLab, _ port: UInt16) -> NATEndpoint<IPv4>? {
        let (sent, got) = (lab.client.received.count, lab.server.received.count)
        lab.send(flow(lab, port), .syn, from: lab.server)
        lab.run(for: .milliseconds(1))
        guard lab.client.received.count > sent, let answer = answer(lab) else { return nil }
        lab.send(answer, [.syn, .ack], from: lab.client)
        lab.run(for: .milliseconds(1))
        guard lab.server.received.count > got else { return nil }
        lab.send(flow(lab, port), .ack, from: lab.server)
        lab.run(for: .milliseconds(1))
        return NATEndpoint<IPv4>(answer.destination, answer.destinationPort)
    }

    /// Data out, and an answer back.
    /// - Returns: the external endpoint that the outside host saw; nil where either did not arrive
    private static func exchange(_ lab: FirewallLab, _ port: UInt16) -> NATEndpoint<IPv4>? {
        let (sent, got) = (lab.client.received.count, lab.server.received.count)
        lab.send(flow(lab, port), [.psh, .ack], payload: 10, from: lab.server)
        lab.run(for: .milliseconds(1))
        guard lab.client.received.count > sent, let answer = answer(lab) else { return nil }
        lab.send(answer, [.psh, .ack], payload: 10, from: lab.client)
        lab.run(for: .milliseconds(1))
        guard lab.server.received.count > got, lab.server.received.last?.frame.flow == flow(lab, port).reversed else {
            return nil
        }
        return NATEndpoint<IPv4>(answer.destination, answer.destinationPort)
    }

    @Test(arguments: [true, false])
    func `connections keep their external address and port when the Active dies`(virtualMAC: Bool) throws {
        let lab = try Self.lab(virtualMAC: virtualMAC)
        let ports: [UInt16] = Array(4000..<4040)
        let before = ports.map { Self.connect(lab, $0) }
        #expect(before.allSatisfy { $0?.address == Self.virtual })
        #expect(Set(before.compactMap(\.self)).count == ports.count)
        lab.powerOff(0)
        lab.run(for: .seconds(1))
        #expect(lab.boxes[1].firewall.role == .active)
        #expect(ports.map { Self.exchange(lab, $0) } == before)
        #expect(lab.counter(1, "nat.adopted") == 40)
        // New ones get what nobody has.
        let new = (5000..<5040 as Range<UInt16>).map { Self.connect(lab, $0) }
        #expect(new.allSatisfy { $0 != nil } && Set(new + before).count == 80)
    }

    @Test func `each box grants from its own half, a lone one from all`() throws {
        let lab = try Self.lab()
        for port in 4000..<4016 as Range<UInt16> {
            let external = try #require(Self.connect(lab, port))
            #expect(external.port & 2 == 0)
            // Preserved where it is this box's to grant; the parity always.
            #expect(port & 2 != 0 || external.port == port)
            #expect(external.port & 1 == port & 1)
        }
        _ = lab.perform(0, .switchover)
        lab.run(for: .seconds(1))
        for port in 4100..<4116 as Range<UInt16> { #expect(try #require(Self.connect(lab, port)).port & 2 == 2) }
    }

    @Test func `mappings come back with the box that had died, and its peer's new ones too`() throws {
        let lab = try Self.lab()
        let old = (4000..<4010 as Range<UInt16>).map { Self.connect(lab, $0) }
        lab.powerOff(0)
        lab.run(for: .seconds(1))
        let new = (4100..<4110 as Range<UInt16>).map { Self.connect(lab, $0) }
        try lab.start(0)
        lab.run(for: .seconds(3))
        #expect(lab.boxes[0].firewall.role == .active)
        #expect((4000..<4010 as Range<UInt16>).map { Self.exchange(lab, $0) } == old)
        #expect((4100..<4110 as Range<UInt16>).map { Self.exchange(lab, $0) } == new)
        #expect(lab.counter(0, "nat.mappings") == 20)
    }

    @Test func `a pool with the interface's own address: existing connections are lost, new ones work`() throws {
        let own = { (number: Int) in IPv4Address(192, 0, 2, UInt8(number + 2)) }
        let lab = try Self.lab(nat: { Self.nat(own($0), ports: NATPool.besideHost) })
        let before = try #require(Self.connect(lab, 4000))
        #expect(before.address == own(0))
        lab.powerOff(0)
        lab.run(for: .seconds(1))
        // What is sent still carries the dead box's address, to which nobody answers ARP any more.
        let sent = lab.client.received.count
        lab.send(Self.flow(lab, 4000), [.psh, .ack], payload: 10, from: lab.server)
        lab.run(for: .milliseconds(1))
        #expect(lab.client.received.count == sent + 1)
        #expect(Self.answer(lab)?.destination == own(0))
        #expect(lab.counter(1, "nat.foreign") > 0)
        let knows = lab.boxes[1].firewall.knows(Self.flow(lab, 4000))
        #expect(knows)
        let after = try #require(Self.connect(lab, 4001))
        #expect(after.address == own(1))
        // Even of the same inside endpoint.
        let again = try #require(Self.connect(lab, 4002))
        #expect(again.address == own(1))
    }

    @Test func `the Active alone answers for an address of a pool, and announces it`() throws {
        let external = IPv4Address(192, 0, 2, 9)
        let lab = try Self.lab(nat: { _ in Self.nat(external) })
        func question() -> [MACAddress] {
            lab.captured.removeAll()
            lab.client.ask(for: .ipv4(external))
            lab.run(for: .milliseconds(1))
            return lab.captured.compactMap { $0.frame.arp }.filter { $0.operation == .reply }.map(\.senderMAC)
        }
        #expect(question() == [.virtualRouter(ipv4: 10)])
        lab.captured.removeAll()
        lab.powerOff(0)
        lab.run(for: .seconds(2))
        let announced = lab.captured.filter {
            $0.sender == 1 && $0.frame.arp.map { $0.senderAddress == external && $0.targetAddress == external } ?? false
        }
        #expect(announced.count == 5)
        #expect(question() == [.virtualRouter(ipv4: 10)])
    }

    @Test(arguments: [501, 502, 503, 504] as [UInt64])
    func `whatever the cross-connect loses, no external endpoint has two owners after a takeover`(seed: UInt64) throws {
        let lab = try Self.lab(seed: seed)
        lab.loss = 300
        lab.duplication = 100
        lab.delay = 20...3000
        var random = SeededGenerator(seed: seed)
        var owners: [NATEndpoint<IPv4>: UInt16] = [:]
        for port in 4000..<4060 as Range<UInt16> {
            if let external = Self.connect(lab, port) {
                #expect(owners.updateValue(port, forKey: external) == nil, "seed \(seed)")
            }
        }
        // Just before the failover: granted, and perhaps never told.
        for port in 4060..<4064 as Range<UInt16> {
            lab.send(Self.flow(lab, port), .syn, from: lab.server)
            lab.run(for: .microseconds(Int64.random(in: 50...200, using: &random)))
            if let answer = Self.answer(lab) {
                owners[NATEndpoint<IPv4>(answer.destination, answer.destinationPort)] = port
            }
        }
        lab.powerOff(0)
        lab.run(for: .seconds(1))
        for port in 4100..<4160 as Range<UInt16> {
            let external = try #require(Self.connect(lab, port), "seed \(seed)")
            #expect(owners.updateValue(port, forKey: external) == nil, "seed \(seed): \(external) was another's")
        }
    }
}
