import Dataplane
import LabTime
import TestSupport
import Testing
import Wire

@Suite struct MACTableTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)

    private static func mac(_ number: Int) -> MACAddress {
        MACAddress(2, 0, 0, UInt8(number >> 16 & 0xff), UInt8(number >> 8 & 0xff), UInt8(number & 0xff))
    }

    @Test func `a source is learned, confirmed, and moves at once`() {
        var table = MACTable(capacity: 4, ageing: .seconds(10))
        let (a, now) = (Self.mac(1), Self.start)
        #expect(table.port(of: a, at: now) == nil && table.deadline == nil)
        #expect(table.learn(a, on: 0, at: now) == .learned)
        #expect(table.learn(a, on: 0, at: now) == .known)
        #expect(table.port(of: a, at: now) == 0)
        #expect(table.learn(a, on: 3, at: now) == .moved(from: 0))
        #expect(table.port(of: a, at: now) == 3 && table.count == 1)
    }

    @Test func `an address ages out, counted from the last frame`() {
        var table = MACTable(capacity: 4, ageing: .seconds(10))
        _ = table.learn(Self.mac(1), on: 0, at: Self.start)
        _ = table.learn(Self.mac(2), on: 1, at: Self.start + .seconds(3))
        _ = table.learn(Self.mac(1), on: 0, at: Self.start + .seconds(6))
        #expect(table.deadline == Self.start + .seconds(13))
        // Not known any more at its very time, whether or not it was expired.
        #expect(table.port(of: Self.mac(2), at: Self.start + .seconds(13)) == nil)
        #expect(table.expire(at: Self.start + .seconds(13)) == 1)
        #expect(table.count == 1 && table.aged == 1)
        #expect(table.port(of: Self.mac(1), at: Self.start + .seconds(15)) == 0)
        #expect(table.expire(at: Self.start + .seconds(16)) == 1)
        #expect(table.deadline == nil)
    }

    @Test func `a full table learns nothing new, and has room again for what aged out`() {
        var table = MACTable(capacity: 2, ageing: .seconds(10))
        for number in 1...2 { #expect(table.learn(Self.mac(number), on: 0, at: Self.start) == .learned) }
        #expect(table.learn(Self.mac(3), on: 1, at: Self.start + .seconds(1)) == .tableFull)
        #expect(table.port(of: Self.mac(3), at: Self.start + .seconds(1)) == nil)
        #expect(table.learn(Self.mac(2), on: 1, at: Self.start + .seconds(1)) == .moved(from: 0))
        #expect(table.learn(Self.mac(3), on: 1, at: Self.start + .seconds(10)) == .learned)
        #expect(table.port(of: Self.mac(1), at: Self.start + .seconds(10)) == nil)
    }

    @Test(arguments: [MACAddress.broadcast, MACAddress(1, 0, 0x5e, 0, 0, 18), MACAddress(0, 0, 0, 0, 0, 0)])
    func `no station has a group address or zero`(source: MACAddress) {
        var table = MACTable(capacity: 2, ageing: .seconds(10))
        #expect(table.learn(source, on: 0, at: Self.start) == .invalidSource)
        #expect(table.count == 0)
    }

    /// Against a dictionary, over many steps of a small set of addresses.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `it does what a dictionary with times does`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let ageing = Duration.milliseconds(50)
        var table = MACTable(capacity: 8, ageing: ageing)
        var model: [Int: (port: PortIndex, seenAt: Instant)] = [:]
        var now = Self.start
        for step in 0..<20_000 {
            now = now + .microseconds(Int64.random(in: 0...4000, using: &random))
            let number = Int.random(in: 0..<12, using: &random)
            let port = PortIndex.random(in: 0..<4, using: &random)
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                table.removeAll(on: port)
                model = model.filter { $0.value.port != port }
            case 1:
                let expired = model.count { now - $0.value.seenAt >= ageing }
                #expect(table.expire(at: now) == expired, "seed \(seed), step \(step)")
                model = model.filter { now - $0.value.seenAt < ageing }
            default:
                model = model.filter { now - $0.value.seenAt < ageing }
                let expected: MACTable.Learning =
                    if let old = model[number] {
                        old.port == port ? .known : .moved(from: old.port)
                    } else {
                        model.count < 8 ? .learned : .tableFull
                    }
                #expect(table.learn(Self.mac(number), on: port, at: now) == expected, "seed \(seed), step \(step)")
                if expected != .tableFull { model[number] = (port, now) }
            }
            for number in 0..<12 {
                let known = model[number].flatMap { now - $0.seenAt < ageing ? $0.port : nil }
                guard table.port(of: Self.mac(number), at: now) == known else {
                    Issue.record("seed \(seed), step \(step): \(Self.mac(number))")
                    return
                }
            }
            #expect(table.count == model.count, "seed \(seed), step \(step)")
            #expect(
                table.deadline == model.values.map(\.seenAt).min().map { $0 + ageing }, "seed \(seed), step \(step)")
        }
        var order: [Instant] = []
        table.forEach { _, _, seenAt in order.append(seenAt) }
        #expect(order == order.sorted() && order.count == table.count)
    }
}
