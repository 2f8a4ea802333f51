import LabTime
import Testing

@testable import Measurement

@Suite struct `Open-loop schedule` {
    private func at(_ microseconds: Int) -> Instant { Instant(nanoseconds: Int64(microseconds) * 1000) }

    @Test func `probe n is due at start and n times the cadence`() {
        var schedule = OpenLoopSchedule(start: at(500), every: .milliseconds(10))
        #expect(schedule.take(at: at(499)) == nil)
        #expect(schedule.take(at: at(500)) == 0)
        #expect(schedule.take(at: at(10_499)) == nil)
        #expect(schedule.take(at: at(10_600)) == 1)
        #expect(schedule.nextDue == at(20_500))
        #expect(schedule.late == 0)
    }

    @Test func `after a hold-up every probe that fell due is taken, and the late ones are counted`() {
        var schedule = OpenLoopSchedule(start: at(0), every: .milliseconds(10))
        #expect(schedule.take(at: at(0)) == 0)
        var taken: [UInt64] = []
        while let number = schedule.take(at: at(44_000)) { taken.append(number) }
        #expect(taken == [1, 2, 3, 4])
        // Probe 4 was due 4 ms before: less than half a cadence.
        #expect(schedule.late == 3)
        #expect(schedule.nextDue == at(50_000))
    }

    @Test func `exactly half a cadence is not late yet`() {
        var schedule = OpenLoopSchedule(start: at(0), every: .milliseconds(10))
        _ = schedule.take(at: at(5000))
        #expect(schedule.late == 0)
        _ = schedule.take(at: at(15_001))
        #expect(schedule.late == 1)
    }

    @Test func `a cadence of nothing is brought to a microsecond`() {
        let schedule = OpenLoopSchedule(start: at(0), every: .zero)
        #expect(schedule.every == .microseconds(1))
        #expect(schedule.due(.max) > at(0))
    }
}
