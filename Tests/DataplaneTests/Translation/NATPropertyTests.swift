import Dataplane
import LabTime
import TestSupport
import Testing
import Wire

/// What must hold whatever happens: no external endpoint has two owners, an inside endpoint has one mapping a pool, and
/// nothing is lost or kept.
@Suite struct NATPropertyTests {
    static let pools = [
        NATPool(
            name: "small", addresses: [IPv4Address(192, 0, 2, 9), IPv4Address(192, 0, 2, 10)], ports: 2000...2031,
            pooling: .arbitrary),
        NATPool(name: "web", addresses: [IPv4Address(192, 0, 2, 9)], ports: 3000...3015, filtering: .addressDependent),
    ]
    static let rules = [
        NATRule(
            source: IPv4Network("10.0.0.0/24")!, protocol: .tcp, destinationPorts: 80...80, pool: "web"),
        NATRule(source: IPv4Network("10.0.0.0/24")!, pool: "small"),
    ]

    static func filter(_ share: NATShare = .all, capacity: Int = 128) -> SessionEngine<IPv4> {
        SessionEngine<IPv4>(
            capacity: capacity,
            timers: SessionTimers(
                first: .seconds(4), opening: .seconds(4), established: .seconds(60), closing: .seconds(4),
                finWait: .seconds(4), closed: .seconds(4), connectionlessSingle: .seconds(5),
                connectionlessMultiple: .seconds(5), echo: .seconds(2)),
            nat: SourceNAT<IPv4>(pools: pools, rules: rules, capacity: capacity, share: share))
    }

    /// A packet of somebody inside, or of somebody outside to one of the pools' endpoints.
    static func packet(_ random: inout SeededGenerator) -> (FiveTuple, TCPFlags) {
        func number(_ range: ClosedRange<UInt16>) -> UInt16 { .random(in: range, using: &random) }
        let proto = [IPProtocol.tcp, .udp, .gre].randomElement(using: &random)!
        let inside = IPv4Address(10, 0, 0, UInt8(number(10...20)))
        let external = IPv4Address(192, 0, 2, UInt8(number(9...10)))
        let remote = IPv4Address(203, 0, 113, UInt8(number(1...3)))
        let flags: TCPFlags = [.syn, .syn, .ack, [.syn, .ack], [.fin, .ack], .rst].randomElement(using: &random)!
        let isGRE = proto == .gre
        let (own, other, outer) = isGRE ? (0, 0, 0) : (number(1998...2010), number(80...82), number(2000...3016))
        switch number(0...9) {
        case 0...5:
            return (
                FiveTuple(
                    source: inside, destination: remote, sourcePort: own, destinationPort: other, protocol: proto),
                flags
            )
        case 6...8:
            return (
                FiveTuple(
                    source: remote, destination: external, sourcePort: other, destinationPort: outer, protocol: proto),
                flags
            )
        default:
            return (
                FiveTuple(
                    source: inside, destination: external, sourcePort: own, destinationPort: outer, protocol: proto),
                flags
            )
        }
    }

    static func evaluate(
        _ filter: inout SessionEngine<IPv4>, _ flow: FiveTuple, _ flags: TCPFlags, at now: Instant
    ) -> FilterVerdict {
        var reports = SessionReports<IPv4>()
        return evaluate(&filter, flow, flags, at: now, reporting: &reports)
    }

    static func evaluate(
        _ filter: inout SessionEngine<IPv4>, _ flow: FiveTuple, _ flags: TCPFlags, at now: Instant,
        reporting reports: inout SessionReports<IPv4>
    ) -> FilterVerdict {
        let layout = FrameLayout(
            fiveTuple: flow, networkOffset: 14, transportOffset: 34, payloadOffset: 54, endOffset: 54, fragment: .whole,
            tcpFlags: flow.protocol == .tcp ? flags : [], hasTransportHeader: flow.protocol != .gre)
        return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) {
            filter.evaluate(
                layout, in: UnsafeRawPointer($0.baseAddress!), from: 0, at: now, reporting: &reports)
        }
    }

    private static func check(_ filter: borrowing SessionEngine<IPv4>, _ context: String) {
        let all = filter.nat.allBindings()
        var external = Set<String>()
        var inside = Set<String>()
        for binding in all {
            #expect(
                external.insert("\(binding.protocol) \(binding.external)").inserted,
                "\(context): \(binding.external) twice")
            let pool = filter.nat.pool(of: binding)
            #expect(
                inside.insert("\(binding.protocol) \(binding.inside) \(pool.name)").inserted,
                "\(context): \(binding.inside) has two mappings of \(pool.name)")
            #expect(pool.addresses.contains(binding.external.address), "\(context)")
            #expect(binding.protocol == .gre || pool.ports.contains(binding.external.port), "\(context)")
            #expect(binding.users > 0, "\(context): nobody uses \(binding.external)")
        }
    }

    @Test(arguments: 401...412 as ClosedRange<UInt64>)
    func `no endpoint has two owners, and all comes back when the sessions end`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var filter = Self.filter()
        var now = Instant(nanoseconds: 1_000_000_000)
        var outgoing: [FiveTuple: FiveTuple] = [:]
        for step in 0..<5_000 {
            let (flow, flags) = Self.packet(&random)
            if case .pass(let index) = Self.evaluate(&filter, flow, flags, at: now) {
                let leaves = filter.outgoing(of: index, arrivedAs: flow)
                #expect(leaves.source.rawValue >> 8 != 0x0a0000, "seed \(seed), step \(step)")
                // The answer to what leaves comes back to whom it came from.
                if case .pass(let back) = Self.evaluate(&filter, leaves.reversed, .ack, at: now) {
                    #expect(
                        filter.outgoing(of: back, arrivedAs: leaves.reversed) == flow.reversed,
                        "seed \(seed), step \(step)")
                }
                outgoing[flow] = leaves
            }
            if step % 50 == 0 { Self.check(filter, "seed \(seed), step \(step)") }
            now += .milliseconds(Int.random(in: 0...300, using: &random))
            filter.advance(to: now)
        }
        #expect(outgoing.count > 100 && filter.nat.tally.exhausted > 0, "seed \(seed)")
        filter.advance(to: now + .seconds(100))
        #expect(filter.count == 0 && filter.nat.count == 0, "seed \(seed)")
        // Every port is free again: as many mappings fit as there are ports.
        var granted = 0
        for port in 10_000..<10_200 as Range<UInt16> {
            let flow = FiveTuple(
                source: IPv4Address(10, 0, 0, 9), destination: IPv4Address(203, 0, 113, 1), sourcePort: port,
                destinationPort: 53, protocol: .udp)
            if case .pass = Self.evaluate(&filter, flow, [], at: now + .seconds(100)) { granted += 1 }
        }
        #expect(granted == 64, "seed \(seed)")
    }

    @Test(arguments: 421...428 as ClosedRange<UInt64>)
    func `two boxes never grant one external endpoint to two, even when they hear nothing of each other`(seed: UInt64) {
        #expect(grantedByBoth(seed: seed, (.first, .second)) == 0, "seed \(seed)")
    }

    @Test func `without their shares they would, so the test sees it`() {
        let twice = (421...428).reduce(0) { $0 + grantedByBoth(seed: $1, (.all, .all)) }
        #expect(twice > 0)
    }

    /// Both boxes are Active and hear nothing of each other.
    private func grantedByBoth(seed: UInt64, _ shares: (NATShare, NATShare)) -> Int {
        var random = SeededGenerator(seed: seed)
        var first = Self.filter(shares.0)
        var second = Self.filter(shares.1)
        let now = Instant(nanoseconds: 1_000_000_000)
        for _ in 0..<100 {
            let (flow, _) = Self.packet(&random)
            guard flow.protocol != .gre else { continue }
            if Bool.random(using: &random) {
                _ = Self.evaluate(&first, flow, .syn, at: now)
            } else {
                _ = Self.evaluate(&second, flow, .syn, at: now)
            }
        }
        let mine = Dictionary(
            first.nat.allBindings().map { ("\($0.protocol) \($0.external)", $0.inside) },
            uniquingKeysWith: { a, _ in a })
        return second.nat.allBindings().count { binding in
            mine["\(binding.protocol) \(binding.external)"].map { $0 != binding.inside } ?? false
        }
    }

    @Test(arguments: 441...446 as ClosedRange<UInt64>)
    func `what the peer is sent it has: the same mappings, and nothing of them is granted again`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var active = Self.filter(.first)
        var backup = Self.filter(.second)
        var now = Instant(nanoseconds: 1_000_000_000)
        var reports = SessionReports<IPv4>()
        for step in 0..<4_000 {
            let (flow, flags) = Self.packet(&random)
            // A packet from one inside host to another may leave a mapping that only this box needs.
            if flow.source.rawValue >> 24 == 10, flow.destination.rawValue >> 24 == 192 { continue }
            _ = Self.evaluate(&active, flow, flags, at: now, reporting: &reports)
            backup.adopt(reports.takeRecords(of: active, at: now), at: now)
            now += .milliseconds(Int.random(in: 0...100, using: &random))
            active.advance(to: now, reporting: &reports)
            backup.adopt(reports.takeRecords(of: active, at: now), at: now)
            guard step % 100 == 0 else { continue }
            let words = { (binding: NATBinding<IPv4>) in "\(binding.protocol) \(binding.inside) \(binding.external)" }
            #expect(
                Set(backup.nat.allBindings().map(words)) == Set(active.nat.allBindings().map(words)),
                "seed \(seed), step \(step)")
            Self.check(backup, "seed \(seed), step \(step)")
        }
        // It takes over: what it grants now is nobody's.
        let known = Set(backup.nat.allBindings().map { "\($0.protocol) \($0.external)" })
        for port in 20_000..<20_200 as Range<UInt16> {
            let flow = FiveTuple(
                source: IPv4Address(10, 0, 0, 99), destination: IPv4Address(203, 0, 113, 9), sourcePort: port,
                destinationPort: 53, protocol: .udp)
            guard case .pass(let index) = Self.evaluate(&backup, flow, [], at: now) else { continue }
            let leaves = backup.outgoing(of: index, arrivedAs: flow)
            #expect(!known.contains("udp \(leaves.source):\(leaves.sourcePort)"), "seed \(seed)")
            #expect(NATShare.second.pattern.allows(leaves.sourcePort), "seed \(seed)")
        }
    }
}
