import EventLoop
import LabTime
import Testing

struct ClockPairTests {
    @Test func `a pause between the readings of the two clocks shifts no time`() {
        // The clocks run alike, 1000 s apart. What passes before each reading of either: the processor is taken away
        // around the first two readings of the wall clock, not around the third.
        var pauses: [Int64] = [0, 3_000_000, 7_000_000, 100, 9_000_000, 100, 0, 200, 300, 0]
        var now: Int64 = 5_000_000_000
        func pass() { now += pauses.isEmpty ? 0 : pauses.removeFirst() }
        let pair = ClockPair(
            monotonic: {
                pass()
                return Instant(nanoseconds: now)
            },
            wall: {
                pass()
                return Timestamp(nanoseconds: now + 1_000_000_000_000)
            })
        let shift = pair.time(of: Instant(nanoseconds: now)) - Timestamp(nanoseconds: now + 1_000_000_000_000)
        #expect(abs(shift.nanoseconds) <= 250, "\(shift)")
    }

    @Test func `the two real clocks agree within what one reading takes`() {
        let pair = ClockPair()
        let before = Timestamp.now()
        let time = pair.time(of: .monotonic())
        let after = Timestamp.now()
        #expect(time + .microseconds(100) >= before && time - .microseconds(100) <= after)
    }
}
