import Glibc
import LabTime
import Testing

@testable import EventLoop

struct DelayWatchTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test func `a timer that is served late is a delay, less what the thread worked itself`() {
        let due = at(100)
        #expect(DelayWatch.delay(due: due, now: at(109), worked: .zero) == nil)
        #expect(DelayWatch.delay(due: due, now: at(110), worked: .zero)?.waited == .milliseconds(10))
        #expect(DelayWatch.delay(due: due, now: at(580), worked: .milliseconds(100))?.waited == .milliseconds(380))
        // A box that calculates for half a second is late by its own fault.
        #expect(DelayWatch.delay(due: due, now: at(580), worked: .milliseconds(500)) == nil)
        #expect(DelayWatch.delay(due: due, now: at(580), worked: .milliseconds(475)) == nil)
    }

    @Test func `a thread that waits in a call reports it, one that calculates does not`() throws {
        let loop = try EventLoop()
        var delays: [DelayWatch.Delay] = []
        let watch = DelayWatch(on: loop) { delays.append($0) }
        let began = loop.now
        loop.schedule(after: .milliseconds(5)) { usleep(120_000) }
        loop.schedule(after: .milliseconds(160)) { loop.stop() }
        loop.run()
        let first = try #require(delays.first { $0.waited >= .milliseconds(60) }, "\(delays)")
        #expect(first.from - began <= .milliseconds(40) && first.to - first.from >= .milliseconds(60))

        // Processor time is counted, not the clock's: however busy the machine is, this is all the thread's own.
        delays = []
        var used = Duration.zero
        loop.schedule(after: .zero) {
            let before = Self.processorTime()
            while Self.processorTime() - before < .milliseconds(80) {}
            used = Self.processorTime() - before
            loop.stop()
        }
        let start = loop.now
        loop.run()
        loop.turn(block: false)
        let passed = loop.now - start
        // What the machine took of it, if anything, is all that may be reported.
        let waited = delays.reduce(Duration.zero) { $0 + $1.waited }
        #expect(waited <= passed - used + .milliseconds(1), "\(delays), \(passed), \(used)")
        withExtendedLifetime(watch) {}
    }

    private static func processorTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
}
