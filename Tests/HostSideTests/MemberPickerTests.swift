import Appliances
import TestSupport
import Testing
import Wire

@testable import HostSide

@Suite struct `Member picker` {
    private func members(_ weights: [Int]) -> [PoolMemberConfiguration] {
        weights.enumerated().map {
            PoolMemberConfiguration(
                name: "m\($0)", address: IPv4Address(198, 51, 100, UInt8($0 + 1)), port: 8080, weight: $1)
        }
    }

    private let client = IPv4Address(192, 0, 2, 9)

    @Test func `round robin follows the weights exactly over a cycle, well spread`() {
        var picker = MemberPicker(members([3, 1, 1]), scheduler: .roundRobin)
        let turns = (0..<10).map { _ in picker.order(client: client, port: 1)[0].name }
        #expect(turns == ["m0", "m1", "m0", "m2", "m0", "m0", "m1", "m0", "m2", "m0"])
    }

    @Test func `every other member that is up follows, each once`() {
        var picker = MemberPicker(members([1, 1, 1, 1]), scheduler: .roundRobin)
        picker.set("m2", isUp: false)
        for _ in 0..<9 {
            let order = picker.order(client: client, port: 1).map(\.name)
            #expect(order.count == 3 && Set(order) == ["m0", "m1", "m3"])
        }
        picker.set("m2", isUp: true)
        #expect(picker.order(client: client, port: 1).count == 4)
    }

    @Test(arguments: Scheduler.allCases)
    func `with no member up there is none to try`(scheduler: Scheduler) {
        var picker = MemberPicker(members([1, 2]), scheduler: scheduler)
        picker.set("m0", isUp: false)
        picker.set("m1", isUp: false)
        #expect(picker.order(client: client, port: 1).isEmpty)
    }

    @Test func `consistent hash keeps a client's member, and moves only those of a member that leaves`() {
        var picker = MemberPicker(members([1, 1, 1, 1, 1]), scheduler: .consistentHash)
        let before = (1...2000).map { picker.order(client: client, port: UInt16($0))[0].name }
        #expect(before == (1...2000).map { picker.order(client: client, port: UInt16($0))[0].name })
        picker.set("m3", isUp: false)
        let after = (1...2000).map { picker.order(client: client, port: UInt16($0))[0].name }
        for (old, new) in zip(before, after) { #expect(old == "m3" ? new != "m3" : new == old) }
    }

    @Test(arguments: UInt64(1)...5)
    func `consistent hash shares clients by weight`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var picker = MemberPicker(members([1, 3]), scheduler: .consistentHash)
        let count = 8000
        let heavy = (0..<count).filter { _ in
            let address = IPv4Address(rawValue: .random(in: 0...(.max), using: &generator))
            return picker.order(client: address, port: .random(in: 1...(.max), using: &generator))[0].name == "m1"
        }.count
        // Three quarters, within six standard deviations.
        #expect(abs(heavy - count * 3 / 4) < 6 * 39, "seed \(seed): \(heavy) of \(count)")
    }
}
