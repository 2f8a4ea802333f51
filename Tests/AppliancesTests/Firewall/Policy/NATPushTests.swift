import Configuration
import LabEvents
import LabTime
import TestSupport
import Testing
import VirtualNetwork
import Wire

@testable import Appliances
@testable import Dataplane
@testable import Redundancy

/// Pools that are pushed to a pair while it translates.
struct NATPushTests {
    private static let insides = IPv4Network("198.51.100.0/24")!
    private static let virtual = FirewallLab.virtualAddresses[0]
    private static let second = IPv4Address(192, 0, 2, 50)
    private static let initial = NATConfiguration(
        pools: [NATPool(name: "internet", addresses: [virtual])],
        rules: [NATRule(name: "1", source: insides, pool: "internet")])
    private static let pool = NATPool(name: "second", addresses: [second], ports: 20000...20999)
    private static let rule = NATChange.AddedRule(
        "second", [NATRule(source: insides, protocol: .tcp, pool: "second")], before: "1")
    private static let add = PolicyChange(nat: NATChange(addedPools: [pool], addedRules: [rule]))
    private static let delete = PolicyChange(
        nat: NATChange(deletedPools: ["second"], deletedRules: ["second"]))

    private static func pair(
        _ nat: NATConfiguration? = initial, seed: UInt64 = 1
    ) throws -> FirewallLab {
        let lab = try FirewallLab(seed: seed, usesVirtualMAC: true, nat: { _ in nat })
        try lab.startBoth()
        lab.run(for: .seconds(1))
        return lab
    }

    /// A SYN from inside.
    /// - Returns: the external endpoint that it left with
    @discardableResult
    private static func open(_ lab: FirewallLab, _ port: UInt16) -> NATEndpoint<IPv4>? {
        let count = lab.client.received.count
        let flow = FiveTuple(
            source: lab.server.address, destination: lab.client.address, sourcePort: port, destinationPort: 80,
            protocol: .tcp)
        lab.send(flow, .syn, from: lab.server)
        lab.run(for: .milliseconds(5))
        guard lab.client.received.count > count, let seen = lab.client.received.last?.frame.flow else { return nil }
        return NATEndpoint<IPv4>(seen.source, seen.sourcePort)
    }

    /// The answer reaches the inside host.
    private static func answers(_ lab: FirewallLab, to external: NATEndpoint<IPv4>, _ port: UInt16) -> Bool {
        let count = lab.server.received.count
        lab.send(
            FiveTuple(
                source: lab.client.address, destination: external.address, sourcePort: 80,
                destinationPort: external.port, protocol: .tcp), [.syn, .ack], from: lab.client)
        lab.run(for: .milliseconds(5))
        return lab.server.received.count > count && lab.server.received.last?.frame.flow?.destinationPort == port
    }

    /// Who answers on the outside for an address, if anybody does.
    private static func asks(_ lab: FirewallLab, for address: IPv4Address) -> [Int] {
        let count = lab.captured.count
        lab.client.ask(for: .ipv4(address))
        lab.run(for: .milliseconds(2))
        return lab.captured[count...].compactMap { entry in
            guard let arp = entry.frame.arp, arp.operation == .reply, arp.senderAddress == address else { return nil }
            return entry.sender
        }
    }

    private static func announcements(_ lab: FirewallLab, of address: IPv4Address) -> Int {
        lab.captured.count { entry in
            entry.network == 0
                && entry.frame.arp.map { $0.senderAddress == address && $0.targetAddress == address } ?? false
        }
    }

    private static func pushUnit(_ lab: FirewallLab, _ change: PolicyChange) {
        let active = lab.boxes[0].firewall.role == .active ? 0 : 1
        for box in [1 - active, active] where !change.additions.isEmpty {
            #expect(lab.perform(box, .policy(.push(change.additions))) == .done)
            lab.run(for: .milliseconds(10))
        }
        for box in [active, 1 - active] where !change.deletions.isEmpty {
            #expect(lab.perform(box, .policy(.push(change.deletions))) == .done)
            lab.run(for: .milliseconds(10))
        }
    }

    @Test func `a new pool's address is the Active's, announced again and again, and its sessions survive a failover`()
        throws
    {
        let lab = try Self.pair()
        #expect(Self.asks(lab, for: Self.second) == [])
        Self.pushUnit(lab, Self.add)
        let told = Self.announcements(lab, of: Self.second)
        #expect(told > 0 && Self.asks(lab, for: Self.second) == [0])
        lab.run(for: .seconds(2))
        #expect(Self.announcements(lab, of: Self.second) > told)
        let external = try #require(Self.open(lab, 5000))
        #expect(external.address == Self.second && Self.answers(lab, to: external, 5000))
        lab.powerOff(0)
        lab.run(for: .seconds(1))
        #expect(Self.asks(lab, for: Self.second) == [1])
        #expect(Self.answers(lab, to: external, 5000) && Self.open(lab, 5000) == external)
        #expect(lab.events(1, .syncPoolUnknown).isEmpty)
    }

    @Test
    func `an address of a deleted pool stays the box's until its last session ends, through a failover and a restart`()
        throws
    {
        let lab = try Self.pair()
        Self.pushUnit(lab, Self.add)
        let external = try #require(Self.open(lab, 5000))
        #expect(Self.answers(lab, to: external, 5000))
        Self.pushUnit(lab, Self.delete)
        #expect(lab.counter(0, "nat.retired") == 1 && lab.counter(1, "nat.retired") == 1)
        #expect(Self.open(lab, 5001)?.address == Self.virtual)
        #expect(Self.asks(lab, for: Self.second) == [0] && Self.answers(lab, to: external, 5000))
        // A box that starts anew never had the pool, and learns of what outlives it.
        lab.powerOff(1)
        lab.run(for: .seconds(1))
        try lab.start(1)
        lab.run(for: .seconds(2))
        #expect(lab.counter(1, "nat.retired") == 1)
        lab.powerOff(0)
        lab.run(for: .seconds(1))
        #expect(Self.asks(lab, for: Self.second) == [1])
        #expect(Self.answers(lab, to: external, 5000) && Self.open(lab, 5000) == external)
        lab.isCapturing = false
        lab.run(for: .seconds(250))
        lab.isCapturing = true
        #expect(lab.counter(1, "nat.retired") == 0 && Self.asks(lab, for: Self.second) == [])
        #expect(lab.events(1, .natAddressReleased).map(\.details) == [[.address: "\(Self.second)"]])
    }

    @Test func `the Active first: its peer tells that it has nobody's pool, and mends it when the pool comes`() throws {
        let lab = try Self.pair()
        #expect(lab.perform(0, .policy(.push(Self.add))) == .done)
        let external = try #require(Self.open(lab, 5000))
        lab.run(for: .milliseconds(50))
        #expect(lab.events(1, .syncPoolUnknown).map { $0.details[.external] } == ["\(external)"])
        #expect(lab.counter(1, "nat.foreign") > 0 && lab.counter(1, "nat.mappings") == 0)
        #expect(lab.perform(1, .policy(.push(Self.add))) == .done)
        #expect(lab.counter(1, "nat.mappings") == 1)
        lab.powerOff(0)
        lab.run(for: .seconds(1))
        #expect(Self.answers(lab, to: external, 5000) && Self.open(lab, 5000) == external)
    }

    @Test func `deleted at the passive box first: what the Active goes on to grant is not known there`() throws {
        let lab = try Self.pair()
        Self.pushUnit(lab, Self.add)
        let early = try #require(Self.open(lab, 5000))
        #expect(lab.perform(1, .policy(.push(Self.delete))) == .done)
        let late = try #require(Self.open(lab, 5001))
        lab.run(for: .milliseconds(50))
        #expect(early.address == Self.second && late.address == Self.second)
        #expect(lab.events(1, .syncPoolUnknown).map { $0.details[.external] } == ["\(late)"])
        #expect(lab.counter(1, "nat.mappings") == 1)
    }

    @Test func `a change goes from form to form, and at no time has a session no mapping at the peer`() throws {
        let lab = try Self.pair()
        Self.pushUnit(lab, Self.add)
        var pool = Self.pool
        pool.ports = 30000...30999
        let change = PolicyChange(nat: NATChange(changedPools: [pool]))
        var (port, opened): (UInt16, [UInt16: NATEndpoint<IPv4>]) = (5000, [:])
        func sessions() {
            for _ in 0..<3 {
                opened[port] = Self.open(lab, port)
                port += 1
            }
        }
        sessions()
        for (box, half) in [
            (1, change.additions), (0, change.additions), (0, change.deletions), (1, change.deletions),
        ] {
            #expect(lab.perform(box, .policy(.push(half))) == .done)
            sessions()
        }
        lab.run(for: .milliseconds(50))
        #expect(lab.events(1, .syncPoolUnknown).isEmpty && lab.counter(1, "nat.mappings") == 15)
        #expect((5000..<5006).allSatisfy { opened[$0]?.port ?? 0 < 30000 })
        #expect((5006..<5015).allSatisfy { opened[$0]?.port ?? 0 >= 30000 })
        lab.powerOff(0)
        lab.run(for: .seconds(1))
        for (port, external) in opened { #expect(Self.open(lab, port) == external) }
    }

    @Test func `with agreement a pool that differs blocks both, and both say in what`() throws {
        let lab = try Self.pair()
        var typo = Self.pool
        typo.ports = 20000...2_0998
        typo.filtering = .addressDependent
        let other = PolicyChange(nat: NATChange(addedPools: [typo], addedRules: [Self.rule]))
        #expect(lab.perform(0, .policy(.agree(Self.add))) == .done)
        #expect(lab.perform(1, .policy(.agree(other))) == .done)
        lab.run(for: .milliseconds(500))
        for box in 0..<2 {
            #expect(
                lab.events(box, .pushBlocked).map { $0.details[.differences] } == [
                    "the ports of NAT pool 'second' differ; the filtering of NAT pool 'second' differs"
                ])
        }
        #expect(Self.open(lab, 5000)?.address == Self.virtual)
        // Missing as a whole is said once.
        let rules = PolicyChange(
            nat: NATChange(addedRules: [.init("second", [NATRule(source: Self.insides, pool: nil)])]))
        #expect(lab.perform(0, .policy(.agree(Self.add))) == .done)
        #expect(lab.perform(1, .policy(.agree(rules))) == .done)
        lab.run(for: .milliseconds(500))
        #expect(
            lab.events(0, .pushBlocked).last?.details[.differences]
                == "NAT pool 'second' is missing on fw-b; NAT rule 'second' differs; the order of the NAT rules differs"
        )
        for box in 0..<2 { #expect(lab.perform(box, .policy(.agree(Self.add))) == .done) }
        lab.run(for: .milliseconds(500))
        #expect(Self.open(lab, 5001)?.address == Self.second)
        for box in lab.boxes { #expect(box.events.filter { $0.kind == .pushDone }.count == 1) }
    }

    @Test func `a pool of each box's own address is the same pool on both`() throws {
        let lab = try FirewallLab(nat: { box in
            NATConfiguration(
                pools: [NATPool(name: "own", addresses: [IPv4Address(192, 0, 2, UInt8(box + 2))], ports: 1024...2047)],
                rules: [NATRule(name: "1", source: Self.insides, pool: "own")])
        })
        try lab.startBoth()
        lab.run(for: .seconds(2))
        for box in 0..<2 { #expect(lab.events(box, .configurationDiffers).isEmpty) }
        #expect(lab.perform(0, .policy(.agree(Self.add))) == .done)
        #expect(lab.perform(1, .policy(.agree(Self.add))) == .done)
        lab.run(for: .milliseconds(500))
        for box in 0..<2 { #expect(lab.events(box, .pushDone).count == 1) }
    }

    @Test(arguments: [
        (
            NATChange(addedPools: [pool, pool]),
            "there is a NAT pool 'second' already; change it, or delete it in a push before"
        ),
        (NATChange(changedPools: [pool]), "there is no NAT pool 'second' to change; the NAT pools are internet"),
        (NATChange(deletedPools: ["internt"]), "there is no NAT pool 'internt' to delete; the NAT pools are internet"),
        (
            NATChange(deletedPools: ["internet"]),
            "the NAT pool 'internet' cannot be deleted: the NAT rule '1' uses it; delete the rule in the same push, or before"
        ),
        (NATChange(deletedRules: ["2"]), "there is no NAT rule '2' to delete; the NAT rules are 1"),
        (
            NATChange(addedRules: [.init("1", [NATRule(source: .any, pool: nil)])]),
            "there is a NAT rule '1' already; delete it in a push before"
        ),
        (
            NATChange(addedRules: [.init("a", [NATRule(source: .any, pool: nil)], before: "b")]),
            "NAT rule 'a' is to come before 'b', which is no NAT rule here; the NAT rules are 1"
        ),
        (
            NATChange(addedRules: [.init("a", [NATRule(source: .any, pool: "second")])]),
            "the NAT rule 'a' of fw-a names the pool 'second'; the NAT pools are internet"
        ),
        (
            NATChange(addedPools: [NATPool(name: "b", addresses: [virtual], ports: 2000...2999)]),
            "the NAT pools 'internet' and 'b' of fw-a both have 192.0.2.1 with the same ports; give each its own addresses or ports"
        ),
        (
            NATChange(addedPools: [NATPool(name: "b", addresses: [IPv4Address(192, 0, 2, 255)])]),
            "192.0.2.255 of the NAT pool 'b' is the first or last address of 192.0.2.0/24, which no host may have"
        ),
        (
            NATChange(addedPools: [NATPool(name: "b", addresses: [IPv4Address(10, 0, 0, 2)])]),
            "10.0.0.2 of the NAT pool 'b' is another machine's, next to fw-a; give the pool an address that nobody has"
        ),
        (
            NATChange(addedPools: [NATPool(name: "b", addresses: [IPv4Address(224, 0, 0, 2)])]),
            "224.0.0.2 of the NAT pool 'b' of fw-a is no address of a host"
        ),
        (
            NATChange(addedPools: [NATPool(name: "b", addresses: [second], ports: 2000...2001)]),
            "the ports of the NAT pool 'b' leave one box of the pair none: each grants from its half, and no port from 2000 to 2001 has bit 1 set; use a range such as 2000-2003"
        ),
        (
            NATChange(addedPools: [NATPool(name: "b", addresses: [second, second])]),
            "the NAT pool 'b' of fw-a has an address twice"
        ),
        (
            NATChange(addedPools: [NATPool(name: "b", addresses: [])]),
            "the NAT pool 'b' of fw-a needs 1 to 256 addresses and ports from 1 on"
        ),
    ])
    func `a change that does not fit is refused whole, with the reason`(change: NATChange, reason: String) throws {
        let lab = try Self.pair()
        let before = lab.boxes[0].firewall.policy.running
        let push = PolicyChange(
            addedRules: [.init(PolicyRule(name: "unseen", action: .deny))], nat: change)
        for order in [PolicyOrder.check(push), .push(push), .agree(push)] {
            #expect(lab.perform(0, .policy(order)) == .refused(reason: reason))
        }
        #expect(lab.boxes[0].firewall.policy.running == before)
        #expect(lab.boxes[0].firewall.filter.nat.pools == Self.initial.pools)
        #expect(lab.boxes[0].firewall.filter.policy.rules.isEmpty)
    }

    @Test func `a pool that gives way to another with its address leaves no gap in a unit's push`() throws {
        let lab = try Self.pair()
        let before = try #require(Self.open(lab, 5000))
        let renamed = PolicyChange(
            nat: NATChange(
                addedPools: [NATPool(name: "renamed", addresses: [Self.virtual])], deletedPools: ["internet"],
                addedRules: [.init("2", [NATRule(source: Self.insides, pool: "renamed")])], deletedRules: ["1"]))
        Self.pushUnit(lab, renamed)
        #expect(Self.open(lab, 5000) == before && Self.answers(lab, to: before, 5000))
        let after = try #require(Self.open(lab, 5001))
        #expect(after.address == Self.virtual && after.port != before.port)
        #expect(lab.boxes[0].firewall.policy.running.nat.former.isEmpty)
    }

    @Test func `what is in effect can be saved, but not the halves of a change that only go together`() throws {
        let lab = try Self.pair()
        let renamed = PolicyChange(
            nat: NATChange(
                addedPools: [NATPool(name: "renamed", addresses: [Self.virtual])], deletedPools: ["internet"],
                addedRules: [.init("2", [NATRule(source: Self.insides, pool: "renamed")])], deletedRules: ["1"]))
        #expect(lab.perform(0, .policy(.configuration)) == .configuration(.open, Self.initial))
        #expect(lab.perform(0, .policy(.push(renamed.additions))) == .done)
        guard case .refused = lab.perform(0, .policy(.configuration)) else {
            Issue.record("two pools with one address were saved")
            return
        }
        #expect(lab.perform(0, .policy(.push(renamed.deletions))) == .done)
        guard case .configuration(let policy, let nat?) = lab.perform(0, .policy(.configuration)) else {
            Issue.record("nothing was saved")
            return
        }
        #expect(policy == .open && nat.pools.map(\.name) == ["renamed"] && nat.rules.map(\.name) == ["2"])
    }

    @Test func `no box keeps its gateway's address for the peer's sessions, and answers for it after a takeover`()
        throws
    {
        let lab = try FirewallLab(
            usesVirtualMAC: true, nat: { _ in Self.initial },
            configure: { number, box in
                guard number == 1 else { return }
                box.routes.append(RouteConfiguration(destination: .any, gateway: Self.second))
            })
        try lab.startBoth()
        lab.run(for: .seconds(1))
        #expect(lab.perform(0, .policy(.push(Self.add))) == .done)
        let external = try #require(Self.open(lab, 5000))
        #expect(external.address == Self.second)
        #expect(lab.perform(0, .policy(.push(Self.delete))) == .done)
        lab.run(for: .milliseconds(200))
        #expect(lab.boxes[0].firewall.filter.nat.retiredCount == 1)
        #expect(lab.boxes[1].firewall.filter.count > 0 && lab.boxes[1].firewall.filter.nat.retiredCount == 0)
        lab.powerOff(0)
        lab.run(for: .seconds(1))
        #expect(lab.boxes[1].firewall.role == .active && Self.asks(lab, for: Self.second) == [])
    }

    @Test func `between the halves of a change of a pool nothing is saved: its earlier form could not be`() throws {
        let lab = try Self.pair()
        let grown = NATPool(name: "internet", addresses: [Self.virtual, Self.second])
        let change = PolicyChange(nat: NATChange(changedPools: [grown]))
        #expect(lab.perform(0, .policy(.push(change.additions))) == .done)
        guard case .refused(let reason) = lab.perform(0, .policy(.configuration)) else {
            Issue.record("half of a change was saved")
            return
        }
        #expect(reason.contains("'internet'"))
        #expect(lab.perform(0, .policy(.push(change.deletions))) == .done)
        guard case .configuration(_, let nat?) = lab.perform(0, .policy(.configuration)) else {
            Issue.record("nothing was saved")
            return
        }
        #expect(nat.pools == [grown])
    }

    @Test func `a firewall that translated nothing takes pools, with the timers of a translator`() throws {
        let lab = try Self.pair(nil)
        #expect(Self.open(lab, 5000)?.address == lab.server.address)
        let nat = NATChange(addedPools: [Self.pool], addedRules: [.init("second", Self.rule.rules)])
        for box in 0..<2 { #expect(lab.perform(box, .policy(.agree(PolicyChange(nat: nat)))) == .done) }
        lab.run(for: .milliseconds(500))
        #expect(Self.open(lab, 5001)?.address == Self.second)
        for (number, box) in lab.boxes.enumerated() {
            #expect(box.firewall.filter.table.timers == NATTimers.standard.sessions)
            #expect(box.firewall.filter.nat.share == (number == 0 ? .first : .second))
        }
    }

    @Test func `pushes during a flood, with a full pool, one upon the other, leave no port with two owners`() throws {
        let lab = try Self.pair(nil, seed: 7)
        var small = NATPool(name: "small", addresses: [Self.second], ports: 20000...20015)
        let nat = NATChange(
            addedPools: [small], addedRules: [.init("small", [NATRule(source: Self.insides, pool: "small")])])
        Self.pushUnit(lab, PolicyChange(nat: nat))
        var owners: [NATEndpoint<IPv4>: UInt16] = [:]
        for port in 5000..<5120 as Range<UInt16> {
            if let external = Self.open(lab, port) {
                #expect(owners.updateValue(port, forKey: external) == nil, "\(external)")
            }
            guard port % 20 == 19 else { continue }
            // Shrunk below what is in use, and moved; the second push comes before the first one's records.
            let next = small.ports.lowerBound + 4
            small.ports = next...(next + 7)
            for box in [1, 0] {
                #expect(lab.perform(box, .policy(.push(PolicyChange(nat: NATChange(changedPools: [small]))))) == .done)
            }
            small.ports = next...(next + 15)
            for box in [1, 0] {
                #expect(lab.perform(box, .policy(.push(PolicyChange(nat: NATChange(changedPools: [small]))))) == .done)
            }
        }
        #expect(lab.counter(0, "nat.exhausted") > 0 && lab.counter(0, "nat.retired") > 0)
        #expect(owners.count > 12)
        #expect(lab.counter(1, "nat.mappings") == lab.counter(0, "nat.mappings"))
    }

    @Test func `a push during a takeover is no harm to either`() throws {
        let lab = try Self.pair()
        let before = try #require(Self.open(lab, 5000))
        #expect(lab.perform(0, .switchover) == .done)
        #expect(lab.perform(1, .policy(.push(Self.add))) == .done)
        #expect(lab.perform(0, .policy(.push(Self.add))) == .done)
        lab.run(for: .seconds(1))
        let active = lab.boxes[0].firewall.role == .active ? 0 : 1
        #expect(Self.asks(lab, for: Self.second) == [active])
        #expect(Self.open(lab, 5000) == before && Self.open(lab, 5001)?.address == Self.second)
    }
}
