import LabTime
import TestSupport
import Testing
import Wire

@testable import Redundancy

struct ConfigurationAgreementTests {
    static let old = ["a", "b"].map { AgreementPair.item($0) }
    static let added = ["a", "b", "c"].map { AgreementPair.item($0) }
    static let deleted = ["a"].map { AgreementPair.item($0) }

    private func blocked(_ pair: AgreementPair, _ box: Int) -> [ConfigurationAgreement.BlockReason] {
        pair.boxes[box].told.compactMap { if case .blocked(let reason) = $0 { reason } else { nil } }
    }

    @Test(arguments: [0, 1]) func `a configuration that both were given comes into effect on both`(first: Int) {
        var pair = AgreementPair(Self.old, Self.old, seed: 1)
        let isTaken = pair.stage(Self.added, on: first)
        #expect(isTaken)
        pair.run(for: .milliseconds(100))
        #expect(pair.boxes[0].running == Self.old)
        let isTakenToo = pair.stage(Self.added, on: 1 - first)
        #expect(isTakenToo)
        pair.run(for: .milliseconds(100))
        for box in pair.boxes {
            #expect(box.running == Self.added)
            #expect(box.told.filter { $0 == .completed }.count == 1)
            #expect(box.agreement.deadline == nil)
        }
    }

    @Test func `an addition takes effect at the Backup first, a deletion at the Active first`() {
        for (candidate, isAddition) in [(Self.added, true), (Self.deleted, false)] {
            var pair = AgreementPair(Self.old, Self.old, seed: 2)
            _ = pair.stage(candidate, on: 0)
            _ = pair.stage(candidate, on: 1)
            var order: [Int] = []
            while pair.boxes.contains(where: { $0.effective != candidate }) {
                pair.step(until: pair.now + .seconds(1))
                for box in 0..<2 where pair.boxes[box].effective == candidate && !order.contains(box) {
                    order.append(box)
                }
                #expect(pair.now < Instant(nanoseconds: 1_000_000_000))
            }
            // The Backup knows the addition before the Active uses it; of a deletion it keeps the rule until then.
            #expect(order == (isAddition ? [1, 0] : [0, 1]))
        }
    }

    @Test func `different configurations are blocked on both, which both say where they differ`() {
        var pair = AgreementPair(Self.old, Self.old, seed: 3)
        let other = [AgreementPair.item("a"), AgreementPair.item("b", 7), AgreementPair.item("d")]
        _ = pair.stage(Self.added, on: 0)
        _ = pair.stage(other, on: 1)
        pair.run(for: .milliseconds(200))
        #expect(
            blocked(pair, 0)
                == [
                    .different([
                        .content(AgreementPair.item("b")), .onlyHere(AgreementPair.item("c")),
                        .onlyThere(AgreementPair.item("d")),
                    ])
                ])
        #expect(
            blocked(pair, 1)
                == [
                    .different([
                        .content(AgreementPair.item("b", 7)), .onlyHere(AgreementPair.item("d")),
                        .onlyThere(AgreementPair.item("c")),
                    ])
                ])
        for box in pair.boxes { #expect(box.effective == Self.old && box.running == Self.old) }
        // What blocked once does not block the next push.
        _ = pair.stage(Self.added, on: 0)
        pair.run(for: .milliseconds(50))
        _ = pair.stage(Self.added, on: 1)
        pair.run(for: .milliseconds(200))
        for box in pair.boxes { #expect(box.running == Self.added) }
    }

    @Test func `differences of hundreds of items cross in several messages`() {
        let many = (0..<300).map { AgreementPair.item("rule-\($0)") }
        var pair = AgreementPair(Self.old, Self.old, seed: 4)
        _ = pair.stage(many, on: 0)
        _ = pair.stage(many.dropLast() + [AgreementPair.item("rule-x")], on: 1)
        pair.run(for: .seconds(1))
        #expect(
            blocked(pair, 0)
                == [.different([.onlyHere(AgreementPair.item("rule-299")), .onlyThere(AgreementPair.item("rule-x"))])])
        #expect(blocked(pair, 1).count == 1)
    }

    @Test func `a push to one box alone is blocked after its patience`() {
        var pair = AgreementPair(Self.old, Self.old, seed: 5)
        _ = pair.stage(Self.added, on: 0)
        pair.run(for: .milliseconds(1999))
        #expect(blocked(pair, 0).isEmpty)
        pair.run(for: .milliseconds(2))
        #expect(blocked(pair, 0) == [.peerHasNothing])
        #expect(pair.boxes[0].effective == Self.old)
    }

    @Test func `without a peer nothing can be compared, and nothing changes`() {
        var pair = AgreementPair(Self.old, Self.old, seed: 6)
        pair.setCut(true)
        _ = pair.stage(Self.added, on: 0)
        #expect(blocked(pair, 0) == [.peerSilent])
        #expect(pair.boxes[0].effective == Self.old)
    }

    @Test func `a second push waits for the end of the first`() {
        var pair = AgreementPair(Self.old, Self.old, seed: 7)
        let taken = [pair.stage(Self.added, on: 0), pair.stage(Self.deleted, on: 0)]
        #expect(taken == [true, false])
    }

    @Test func `a change past the peer is told once`() {
        var pair = AgreementPair(Self.old, Self.old, seed: 8)
        pair.boxes[0].running = Self.added
        pair.boxes[0].agreement.changed(running: Self.added, at: pair.now)
        pair.run(for: .seconds(1))
        pair.setActive(1)
        pair.setActive(0)
        pair.run(for: .seconds(1))
        #expect(pair.boxes[1].told.filter { $0 == .drifted }.count == 1)
    }

    /// Two boxes, pushed to at random under loss, doubling, overtaking, partitions and changes of the role.
    @Test(arguments: 0..<8) func `whatever the link does, both boxes end with one configuration`(run: UInt64) {
        let seed = 20_261_121 + run
        var random = SeededGenerator(seed: seed)
        var pair = AgreementPair(Self.old, Self.old, seed: seed)
        var content = 0
        var active = 0
        for round in 0..<120 {
            pair.loss = random.next() % 40
            pair.doubling = random.next() % 30
            pair.longestDelay = 1 + Int64(random.next() % 40_000_000)
            content += 1
            var candidate = pair.boxes[0].running
            if random.next() % 3 == 0, candidate.count > 1 { candidate.removeFirst() }
            if random.next() % 3 != 0 { candidate.append(AgreementPair.item("n\(content)")) }
            let isMismatch = random.next() % 4 == 0
            let isWhole = random.next() % 3 != 0
            var disturbed = false
            let before = pair.boxes[0].running
            let first = Int(random.next() % 2)
            let second = Int(random.next() % 10) + 1
            var staged = pair.stage(candidate, on: first)
            for step in 0..<60 {
                pair.step(until: pair.now + .milliseconds(20))
                if step == second {
                    let other = isMismatch ? candidate + [AgreementPair.item("typo", 2)] : candidate
                    staged = pair.stage(other, on: 1 - first) && staged
                }
                if !isWhole, random.next() % 40 == 0 {
                    disturbed = true
                    if random.next() % 2 == 0 {
                        pair.setCut(!pair.isCut)
                    } else {
                        active = 1 - active
                        pair.setActive(active)
                    }
                }
                if !disturbed {
                    let used = Set(pair.boxes[active].effective.map(\.name))
                    let known = Set(pair.boxes[1 - active].effective.map(\.name))
                    #expect(
                        used.isSubset(of: known), "seed \(seed), round \(round): the Active uses what the Backup lacks")
                }
            }
            if pair.isCut { pair.setCut(false) }
            pair.loss = 0
            pair.run(for: .seconds(5))
            #expect(!pair.boxes.contains { $0.agreement.isOpen }, "seed \(seed), round \(round): a push never ends")
            #expect(pair.boxes[0].running == pair.boxes[1].running, "seed \(seed), round \(round): two configurations")
            #expect(
                pair.boxes[0].effective == pair.boxes[0].running && pair.boxes[1].effective == pair.boxes[1].running)
            if isMismatch {
                #expect(pair.boxes[0].running == before, "seed \(seed), round \(round): a mismatch took effect")
            } else if isWhole {
                #expect(
                    staged && pair.boxes[0].running == candidate,
                    "seed \(seed), round \(round): not in effect, \(staged), \(pair.boxes.map { $0.told.filter { if case .send = $0 { false } else { true } }.suffix(4) })"
                )
            }
            guard pair.boxes[0].running == pair.boxes[1].running else { return }
        }
    }
}
