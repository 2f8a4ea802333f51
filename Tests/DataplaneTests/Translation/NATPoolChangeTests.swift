import LabTime
import TestSupport
import Testing
import Wire

@testable import Dataplane

/// Pools that change while sessions use them.
@Suite struct NATPoolChangeTests {
    private typealias Property = NATPropertyTests

    private static let now = Instant(nanoseconds: 1_000_000_000)
    private static let remote = IPv4Address(203, 0, 113, 1)
    private static let address = IPv4Address(192, 0, 2, 9)
    private static let inside = IPv4Network("10.0.0.0/24")!
    private static let all = NATRule(source: inside, pool: "a")

    private static func pool(
        _ name: String, _ ports: ClosedRange<UInt16>, _ addresses: [IPv4Address] = [address],
        _ filtering: NATPool.Filtering = .endpointIndependent, _ pooling: NATPool.Pooling = .paired
    ) -> NATPool {
        NATPool(name: name, addresses: addresses, ports: ports, filtering: filtering, pooling: pooling)
    }

    private static func filter(_ pools: [NATPool], _ rules: [NATRule] = [all], _ share: NATShare = .all)
        -> SessionEngine<IPv4>
    {
        SessionEngine<IPv4>(capacity: 64, nat: SourceNAT<IPv4>(pools: pools, rules: rules, capacity: 64, share: share))
    }

    private static func install(
        _ pools: [NATPool], _ rules: [NATRule] = [all], former: [NATPool] = [], in filter: inout SessionEngine<IPv4>
    ) {
        filter.install(pools: pools, former: former, rules: rules, timers: filter.table.timers, at: now)
    }

    private static func flow(_ port: UInt16, to destination: UInt16 = 53) -> FiveTuple {
        FiveTuple(
            source: IPv4Address(10, 0, 0, 9), destination: remote, sourcePort: port, destinationPort: destination,
            protocol: .udp)
    }

    /// - Returns: the external endpoint; nil where the packet is dropped
    private static func external(_ filter: inout SessionEngine<IPv4>, _ flow: FiveTuple) -> NATEndpoint<IPv4>? {
        guard case .pass(let index) = Property.evaluate(&filter, flow, [], at: now) else { return nil }
        let leaves = filter.outgoing(of: index, arrivedAs: flow)
        return NATEndpoint<IPv4>(leaves.source, leaves.sourcePort)
    }

    @Test func `a session keeps its endpoint when its pool goes, and a new one of the same host gets another`() {
        var filter = Self.filter([Self.pool("a", 2000...2099)])
        let before = Self.external(&filter, Self.flow(2010))
        #expect(before == NATEndpoint<IPv4>(Self.address, 2010))
        let next = IPv4Address(192, 0, 2, 10)
        Self.install([Self.pool("b", 3000...3099, [next])], [NATRule(source: Self.inside, pool: "b")], in: &filter)
        #expect(Self.external(&filter, Self.flow(2010)) == before)
        #expect(Self.external(&filter, Self.flow(2010, to: 54))?.address == next)
        #expect(filter.nat.retiredCount == 1 && filter.nat.isExternal(Self.address) && filter.nat.isExternal(next))
        // Nobody from outside opens anything through it any more; the answers of its session come.
        func arrives(from port: UInt16) -> FilterVerdict {
            let inbound = FiveTuple(
                source: Self.remote, destination: Self.address, sourcePort: port, destinationPort: 2010, protocol: .udp)
            return Property.evaluate(&filter, inbound, [], at: Self.now)
        }
        #expect(arrives(from: 99) == .drop(.noMapping))
        if case .drop = arrives(from: 53) { Issue.record("an answer is dropped") }
        let changes = filter.nat.addressChanges
        filter.advance(to: Self.now + .seconds(10_000))
        #expect(filter.nat.count == 0 && filter.nat.retiredCount == 0 && filter.nat.addresses == [next])
        #expect(filter.nat.addressChanges > changes)
    }

    @Test func `the port of a session that outlives its pool is given to nobody while it lives`() {
        var filter = Self.filter([Self.pool("a", 2000...2003)])
        let kept = Self.external(&filter, Self.flow(2001))
        #expect(kept?.port == 2001)
        Self.install([Self.pool("b", 2000...2003)], [NATRule(source: Self.inside, pool: "b")], in: &filter)
        let others = (5000..<5010).compactMap { Self.external(&filter, Self.flow($0))?.port }
        #expect(Set(others) == [2000, 2002, 2003] && others.count == 3)
        #expect(Self.external(&filter, Self.flow(2001)) == kept)
        filter.advance(to: Self.now + .seconds(10_000))
        #expect(
            Set((5000..<5010).compactMap { Self.external(&filter, Self.flow($0))?.port }) == [2000, 2001, 2002, 2003])
    }

    @Test func `a pool that changes and still has an endpoint keeps the mapping for new sessions too`() {
        var filter = Self.filter([Self.pool("a", 2000...2099)])
        let before = (2000..<2020).map { Self.external(&filter, Self.flow($0)) }
        Self.install([Self.pool("a", 2010...2199)], in: &filter)
        let after = (2000..<2020).map { Self.external(&filter, Self.flow($0, to: 54)) }
        #expect(after[10...] == before[10...] && filter.nat.retiredCount == 10)
        #expect(after[..<10].allSatisfy { $0 != nil && $0!.port >= 2020 })
        #expect((2000..<2020).map { Self.external(&filter, Self.flow($0)) } == before)
        // It comes back as it was: so do the mappings, where their hosts have no other.
        Self.install([Self.pool("a", 2000...2199)], in: &filter)
        #expect(filter.nat.retiredCount == 0)
    }

    @Test func `a pool that was deleted and added again has its mappings back`() {
        var filter = Self.filter([Self.pool("a", 2000...2099)])
        let before = Self.external(&filter, Self.flow(2010))
        Self.install([], [], in: &filter)
        #expect(Self.external(&filter, Self.flow(2010)) == before)
        // Nothing translates a new one.
        #expect(Self.external(&filter, Self.flow(2010, to: 54)) == NATEndpoint<IPv4>(IPv4Address(10, 0, 0, 9), 2010))
        Self.install([Self.pool("a", 2000...2099)], in: &filter)
        #expect(filter.nat.retiredCount == 0 && Self.external(&filter, Self.flow(2010, to: 55)) == before)
    }

    @Test func `a translator that had no pool at all takes some`() {
        var filter = Self.filter([], [])
        #expect(Self.external(&filter, Self.flow(2010)) == NATEndpoint<IPv4>(IPv4Address(10, 0, 0, 9), 2010))
        Self.install([Self.pool("a", 2000...2099, [Self.address], .addressDependent)], in: &filter)
        let granted = (2000..<2040).compactMap { Self.external(&filter, Self.flow($0, to: 54)) }
        #expect(granted.count == 40 && granted.allSatisfy { $0.address == Self.address })
    }

    @Test(arguments: [NATShare.first, .second])
    func `pushed pools too are granted from a box's own half of the ports`(share: NATShare) {
        var filter = Self.filter([Self.pool("a", 2000...2099)], [Self.all], share)
        Self.install([Self.pool("a", 3000...3127)], in: &filter)
        let ports = (5000..<5050).compactMap { Self.external(&filter, Self.flow($0))?.port }
        #expect(ports.count == 50 && ports.allSatisfy { share.pattern.allows($0) })
        #expect(zip(5000..<5050, ports).allSatisfy { $0 % 2 == Int($1) % 2 })
    }

    @Test func `filtering that changes counts for the sessions that there are`() {
        func inbound(_ filter: inout SessionEngine<IPv4>, from source: IPv4Address) -> FilterVerdict {
            Property.evaluate(
                &filter,
                FiveTuple(
                    source: source, destination: Self.address, sourcePort: 99, destinationPort: 2010, protocol: .udp),
                [], at: Self.now)
        }
        let stranger = IPv4Address(203, 0, 113, 7)
        var filter = Self.filter([Self.pool("a", 2000...2099)])
        _ = Self.external(&filter, Self.flow(2010))
        Self.install([Self.pool("a", 2000...2099, [Self.address], .addressDependent)], in: &filter)
        #expect(inbound(&filter, from: stranger) == .drop(.mappingFilter))
        if case .drop(let reason) = inbound(&filter, from: Self.remote) { Issue.record("\(reason)") }
        Self.install([Self.pool("a", 2000...2099, [Self.address], .addressAndPortDependent)], in: &filter)
        #expect(inbound(&filter, from: IPv4Address(203, 0, 113, 8)) == .drop(.mappingFilter))
        Self.install([Self.pool("a", 2000...2099)], in: &filter)
        if case .drop(let reason) = inbound(&filter, from: stranger) { Issue.record("\(reason)") }
    }

    // MARK: The peer

    private static func send(_ active: borrowing SessionEngine<IPv4>, to backup: inout SessionEngine<IPv4>) {
        backup.adopt(active.allRecords(at: now), at: now)
    }

    @Test func `a session of a pool that the peer lacks is kept there, and gets its mapping when the pool comes`() {
        var active = Self.filter([], [], .first)
        var backup = Self.filter([], [], .second)
        Self.install([Self.pool("a", 2000...2099)], in: &active)
        let before = Self.external(&active, Self.flow(2010))
        Self.send(active, to: &backup)
        #expect(backup.count == 1 && backup.nat.count == 0 && backup.nat.tally.foreign == 1)
        #expect(backup.nat.tally.lastForeign == before)
        Self.install([Self.pool("a", 2000...2099)], in: &backup)
        #expect(backup.nat.count == 1 && backup.nat.retiredCount == 0)
        #expect(Self.external(&backup, Self.flow(2010, to: 54)) == before)
        backup.advance(to: Self.now + .seconds(10_000))
        #expect(backup.nat.count == 0)
    }

    @Test func `an earlier form of a pool is adopted from, and nothing is granted from it`() {
        var active = Self.filter([Self.pool("a", 2000...2099)], [Self.all], .first)
        var backup = Self.filter([Self.pool("a", 2000...2099)], [Self.all], .second)
        Self.install([Self.pool("a", 3000...3099)], former: [Self.pool("a", 2000...2099)], in: &backup)
        let before = Self.external(&active, Self.flow(2012))
        Self.send(active, to: &backup)
        #expect(backup.nat.count == 1 && backup.nat.retiredCount == 1 && backup.nat.tally.foreign == 0)
        #expect(Self.external(&backup, Self.flow(2012)) == before)
        #expect(Self.external(&backup, Self.flow(2012, to: 54)).map { $0.port >= 3000 } == true)
    }

    @Test
    func `a peer that starts anew learns of mappings that outlive their pool, but not of the other's own address`() {
        for isHosts in [false, true] {
            var active = Self.filter([Self.pool("a", 2000...2099)], [Self.all], .first)
            if isHosts { active.nat.machineAddresses = [Self.address] }
            let before = Self.external(&active, Self.flow(2012))
            Self.install([], [], in: &active)
            var backup = Self.filter([], [], .second)
            Self.send(active, to: &backup)
            #expect(backup.count == 1 && backup.nat.retiredCount == (isHosts ? 0 : 1))
            #expect(backup.nat.isExternal(Self.address) != isHosts)
            #expect(Self.external(&backup, Self.flow(2012)) == before)
        }
    }

    @Test func `a mapping that is kept by the peer's word alone comes back with its pool, whatever that is numbered`() {
        let other = Self.pool("other", 4000...4099, [IPv4Address(192, 0, 2, 77)])
        var active = Self.filter([Self.pool("a", 2000...2099)], [Self.all], .first)
        let before = Self.external(&active, Self.flow(2012))
        Self.install([], [], in: &active)
        var backup = Self.filter([other], [], .second)
        Self.send(active, to: &backup)
        #expect(backup.nat.retiredCount == 1)
        // What has nothing to do with it leaves it as it is.
        Self.install([other, Self.pool("b", 3000...3099)], [], in: &backup)
        #expect(backup.nat.retiredCount == 1)
        Self.install([Self.pool("a", 2000...2099)], in: &active)
        Self.install([other, Self.pool("a", 2000...2099)], in: &backup)
        Self.check(backup.nat, "added again")
        #expect(active.nat.retiredCount == 0 && backup.nat.retiredCount == 0)
        #expect(Self.external(&active, Self.flow(2012, to: 54)) == before)
        #expect(Self.external(&backup, Self.flow(2012, to: 54)) == before)
        #expect(Self.external(&backup, Self.flow(2012)) == before)
        // It is of that pool from now on, and goes with it.
        Self.install([other], [], in: &backup)
        Self.check(backup.nat, "deleted again")
        #expect(backup.nat.retiredCount == 1)
        backup.advance(to: Self.now + .seconds(10_000))
        Self.check(backup.nat, "over")
        #expect(backup.nat.count == 0 && backup.nat.addresses == other.addresses)
    }

    @Test func `what the peer could not enter before, it is told of again when the pool goes`() {
        var active = Self.filter([Self.pool("a", 2000...2099)], [Self.all], .first)
        var backup = Self.filter([], [], .second)
        let before = Self.external(&active, Self.flow(2012))
        Self.send(active, to: &backup)
        #expect(backup.count == 1 && backup.nat.count == 0)
        var reports = SessionReports<IPv4>()
        active.install(pools: [], rules: [], timers: active.table.timers, at: Self.now, reporting: &reports)
        #expect(reports.all == [.changed(FlowIndex(rawValue: 0), .state)])
        Self.send(active, to: &backup)
        #expect(backup.nat.retiredCount == 1 && backup.nat.tally.foreign == 1)
        #expect(backup.nat.allBindings().first?.external == before)
        active.advance(to: Self.now + .seconds(10_000))
        backup.advance(to: Self.now + .seconds(10_000))
        #expect(active.nat.count == 0 && backup.nat.count == 0)
    }

    // MARK: Whatever comes

    private static func configuration(_ random: inout SeededGenerator) -> ([NATPool], [NATRule]) {
        let addresses = [IPv4Address(192, 0, 2, 9), IPv4Address(192, 0, 2, 10), IPv4Address(192, 0, 2, 11)]
        var pools: [NATPool] = []
        for name in ["small", "web", "other"] where Int.random(in: 0..<4, using: &random) > 0 {
            let first = UInt16.random(in: 0...8, using: &random) * 8 + 1992
            let pool = NATPool(
                name: name, addresses: addresses.filter { _ in Bool.random(using: &random) },
                ports: first...(first + 15), filtering: NATPool.Filtering.allCases.randomElement(using: &random)!,
                pooling: NATPool.Pooling.allCases.randomElement(using: &random)!)
            guard !pool.addresses.isEmpty else { continue }
            pools.append(pool)
        }
        let inside = IPv4Network("10.0.0.0/24")!
        var rules: [NATRule] = []
        for (index, pool) in pools.enumerated() {
            let port = UInt16(80 + index)
            rules.append(NATRule(source: inside, destinationPorts: port...port, pool: pool.name))
        }
        if let last = pools.last { rules.append(NATRule(source: inside, pool: last.name)) }
        return (pools, rules)
    }

    /// Every port that is taken is some mapping's, and every mapping's is taken.
    private static func check(_ nat: borrowing SourceNAT<IPv4>, _ context: String) {
        let all = nat.allBindings()
        for (index, place) in nat.places.enumerated() {
            for (allocator, proto) in [IPProtocol.tcp, .udp].enumerated() {
                let there = all.filter {
                    $0.protocol == proto && $0.external.address == place.address
                        && place.range.contains($0.external.port)
                }
                #expect(nat.ports[index * 3 + allocator].count == there.count, "\(context)")
                #expect(there.allSatisfy { nat.ports[index * 3 + allocator].isTaken($0.external.port) }, "\(context)")
            }
        }
        #expect(all.count(where: \.isRetired) == nat.retiredCount, "\(context)")
        #expect(Set(all.map { "\($0.protocol) \($0.external)" }).count == all.count, "\(context)")
        #expect(all.allSatisfy { $0.users > 0 && nat.isExternal($0.external.address) }, "\(context)")
        #expect(nat.entries.reduce(0) { $0 + $1.mappings } == all.count && nat.entries.count <= 8, "\(context)")
    }

    /// A session that there is leaves as it did before, and its mapping stands for its inside endpoint alone.
    private static func outgoing(_ filter: borrowing SessionEngine<IPv4>, _ context: String) -> [FiveTuple: FiveTuple] {
        var sessions: [FiveTuple: FiveTuple] = [:]
        var next = filter.table.next(after: nil)
        while let index = next {
            next = filter.table.next(after: index)
            let flow = filter.table.original(of: index)
            sessions[flow] = filter.outgoing(of: index, arrivedAs: flow)
            let source = filter.table[index].source
            guard !source.isNone else { continue }
            let binding = filter.nat[source]
            let leaves = sessions[flow]!
            #expect(binding.inside == NATEndpoint<IPv4>(flow.source, flow.sourcePort), "\(context)")
            #expect(binding.external == NATEndpoint<IPv4>(leaves.source, leaves.sourcePort), "\(context)")
        }
        return sessions
    }

    @Test(arguments: 501...516 as ClosedRange<UInt64>)
    func `whatever pools come and go, sessions keep their endpoints, none is given twice, and all comes back`(
        seed: UInt64
    ) {
        var random = SeededGenerator(seed: seed)
        var filter = Property.filter()
        var now = Self.now
        var retired = 0
        for step in 0..<4_000 {
            let context = "seed \(seed), step \(step)"
            _ = {
                let (flow, flags) = Property.packet(&random)
                return Property.evaluate(&filter, flow, flags, at: now)
            }()
            if step % 40 == 39 {
                let before = Self.outgoing(filter, context)
                let (pools, rules) = Self.configuration(&random)
                filter.install(pools: pools, rules: rules, timers: filter.table.timers, at: now)
                #expect(Self.outgoing(filter, context) == before, "\(context)")
                Self.check(filter.nat, context)
                retired = max(retired, filter.nat.retiredCount)
            }
            if step % 10 == 0 { Self.check(filter.nat, context) }
            now += .milliseconds(Int.random(in: 0...300, using: &random))
            filter.advance(to: now)
        }
        #expect(retired > 3, "seed \(seed)")
        filter.advance(to: now + .seconds(100))
        #expect(filter.count == 0 && filter.nat.count == 0 && filter.nat.retiredCount == 0, "seed \(seed)")
        filter.install(
            pools: [Self.pool("new", 2000...2015)], rules: [NATRule(source: Self.inside, pool: "new")],
            timers: filter.table.timers,
            at: now)
        #expect(filter.nat.addresses == [Self.address])
        #expect((5000..<5100).compactMap { Self.external(&filter, Self.flow($0)) }.count == 16, "seed \(seed)")
    }
}
