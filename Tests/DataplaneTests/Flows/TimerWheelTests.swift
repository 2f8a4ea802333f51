import Dataplane
import LabTime
import TestSupport
import Testing

@Suite struct TimerWheelTests {
    /// Nanoseconds of one slot.
    private let slot: Int64 = 1 << 25

    @Test func `nothing is set, nothing is due and there is no deadline`() {
        var wheel = TimerWheel(capacity: 4)
        #expect(wheel.next(at: Instant(nanoseconds: 1 << 50)) == nil)
        #expect(wheel.deadline == nil)
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func `an item is handed out never early within a turn and at most one slot late`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var wheel = TimerWheel(capacity: 200)
        var due: [UInt32: Int64] = [:]
        var now = Int64.random(in: 0..<(1 << 40), using: &random)
        for _ in 0..<5_000 {
            let item = UInt32.random(in: 0..<200, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                wheel.cancel(item)
                due[item] = nil
            default:
                let when = now + Int64.random(in: 1..<(slot * 900), using: &random)
                wheel.schedule(item, at: Instant(nanoseconds: when), now: Instant(nanoseconds: now))
                due[item] = when
            }
            #expect(wheel.count == due.count, "seed \(seed)")
            if let deadline = wheel.deadline, let first = due.values.min() {
                #expect(deadline.nanoseconds >= first && deadline.nanoseconds <= first + slot, "seed \(seed)")
            }
            now += Int64.random(in: 0..<(slot * 3), using: &random)
            while let item = wheel.next(at: Instant(nanoseconds: now)) {
                let wanted = due.removeValue(forKey: item)
                #expect(wanted != nil && wanted! <= now, "seed \(seed): item \(item) came early")
            }
            for (item, wanted) in due { #expect(wanted + slot > now, "seed \(seed): item \(item) is overdue") }
        }
    }

    @Test func `what is due beyond one turn is handed out early, once a turn, and can be set again`() {
        var wheel = TimerWheel(capacity: 1)
        let end: Int64 = 100 * 1_000_000_000
        wheel.schedule(0, at: Instant(nanoseconds: end), now: Instant(nanoseconds: 0))
        var now: Int64 = 0
        var handedOut = 0
        while true {
            now = wheel.deadline!.nanoseconds
            #expect(wheel.next(at: Instant(nanoseconds: now)) == 0)
            if now >= end { break }
            handedOut += 1
            wheel.schedule(0, at: Instant(nanoseconds: end), now: Instant(nanoseconds: now))
        }
        #expect(handedOut == 2)
        #expect(now - end <= slot)
    }
}
