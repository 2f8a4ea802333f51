import LabTime
import TestSupport
import Testing

@testable import HostSide

/// A deadline queue in virtual time, with the one alarm that it has.
private final class Clock {
    private(set) var now = Instant(nanoseconds: 0)
    private var alarm: Instant?
    private(set) var queue: DeadlineQueue!

    init() { queue = DeadlineQueue { [unowned self] in alarm = $0 } }

    func advance(by duration: Duration) {
        let end = now + duration
        while let due = alarm, due <= end {
            now = max(now, due)
            alarm = nil
            queue.expire(at: now)
        }
        now = end
    }
}

@Suite struct `Deadline queue` {
    private final class Owner: DeadlineOwner {
        private let clock: Clock
        private(set) var deadline: MovingDeadline!
        private(set) var passed: [Instant] = []

        init(_ clock: Clock) {
            self.clock = clock
            deadline = MovingDeadline(in: clock.queue, owner: self)
        }

        deinit { deadline.end() }

        func deadlineHasPassed() { passed.append(clock.now) }
    }

    @Test func `a deadline that moves passes once, when the last one set is over`() {
        let clock = Clock()
        let owner = Owner(clock)
        let start = clock.now
        owner.deadline.set(start + .milliseconds(100))
        owner.deadline.set(start + .milliseconds(300))
        clock.advance(by: .milliseconds(200))
        #expect(owner.passed.isEmpty)
        owner.deadline.set(start + .milliseconds(250))
        clock.advance(by: .milliseconds(200))
        #expect(owner.passed == [start + .milliseconds(250)])
        owner.deadline.set(start + .milliseconds(500))
        owner.deadline.clear()
        clock.advance(by: .seconds(1))
        #expect(owner.passed.count == 1)
    }

    /// Against a plain list: whatever is set, moved, cleared and ended, each passes at its time and never otherwise.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func `many behave as each by itself`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let clock = Clock()
        var owners: [Owner?] = (0..<50).map { _ in Owner(clock) }
        var expected: [Instant?] = owners.map { _ in nil }
        var counts = owners.map { _ in 0 }
        for _ in 0..<2000 {
            let index = Int.random(in: 0..<owners.count, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: (owners[index], expected[index], counts[index]) = (Owner(clock), nil, 0)
            case 1:
                owners[index]?.deadline.clear()
                expected[index] = nil
            case 2...6:
                let time = clock.now + .milliseconds(Int64.random(in: 1...500, using: &random))
                owners[index]?.deadline.set(time)
                expected[index] = time
            default:
                clock.advance(by: .milliseconds(Int64.random(in: 0...40, using: &random)))
                for place in owners.indices {
                    if let time = expected[place], time <= clock.now {
                        (expected[place], counts[place]) = (nil, counts[place] + 1)
                        #expect(owners[place]?.passed.last == time, "seed \(seed)")
                    }
                    #expect(owners[place]?.passed.count == counts[place], "seed \(seed)")
                }
            }
        }
    }
}

@Suite struct `Sources of connections` {
    @Test func `each turn is taken and given back by itself`() {
        let cycle = SourceCycle(addresses: [], ports: 100...299)
        var taken = TakenTurns(of: cycle)
        for turn in stride(from: 0, to: 200, by: 3) { taken.insert(turn) }
        taken.insert(3)
        #expect(taken.count == 67 && taken.contains(198) && !taken.contains(199))
        taken.remove(198)
        taken.remove(199)
        #expect(taken.count == 66 && !taken.contains(198))
    }
}
