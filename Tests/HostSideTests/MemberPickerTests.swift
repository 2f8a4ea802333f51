import Configuration
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

    private let client = IPAddress.ipv4(IPv4Address(192, 0, 2, 9))

    @Test func `round robin follows the weights exactly over a cycle, well spread`() {
        var picker = MemberPicker(members([3, 1, 1]), scheduler: .roundRobin)
        var turns: [String] = []
        for _ in 0..<10 { turns.append(picker.order(client: client, port: 1)[0].name) }
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
        let all = picker.order(client: client, port: 1)
        #expect(all.count == 4)
    }

    @Test(arguments: Scheduler.allCases)
    func `with no member up there is none to try`(scheduler: Scheduler) {
        var picker = MemberPicker(members([1, 2]), scheduler: scheduler)
        picker.set("m0", isUp: false)
        picker.set("m1", isUp: false)
        let order = picker.order(client: client, port: 1)
        #expect(order.isEmpty)
    }

    @Test func `consistent hash keeps a client's member, and moves hardly any but those of a member that leaves`() {
        var picker = MemberPicker(members([1, 1, 1, 1, 1]), scheduler: .consistentHash)
        let before = firstChoices(&picker)
        #expect(firstChoices(&picker) == before)
        picker.set("m3", isUp: false)
        let after = firstChoices(&picker)
        #expect(!after.contains("m3"))
        let moved = zip(before, after).count { old, new in old != "m3" && old != new }
        #expect(moved < before.count / 20)
        picker.set("m3", isUp: true)
        #expect(firstChoices(&picker) == before)
    }

    @Test(arguments: UInt64(1)...5)
    func `consistent hash shares clients by weight`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var picker = MemberPicker(members([1, 3]), scheduler: .consistentHash)
        let count = 8000
        var heavy = 0
        for _ in 0..<count {
            let address = IPv4Address(rawValue: .random(in: 0...(.max), using: &generator))
            let choice = picker.order(client: .ipv4(address), port: .random(in: 1...(.max), using: &generator))[0]
            if choice.name == "m1" { heavy += 1 }
        }
        // Three quarters, within six standard deviations and the table's own percent.
        #expect(abs(heavy - count * 3 / 4) < 6 * 39 + count / 100, "seed \(seed): \(heavy) of \(count)")
    }

    private func firstChoices(_ picker: inout MemberPicker) -> [String] {
        var names: [String] = []
        for port: UInt16 in 1...2000 { names.append(picker.order(client: client, port: port)[0].name) }
        return names
    }
}
