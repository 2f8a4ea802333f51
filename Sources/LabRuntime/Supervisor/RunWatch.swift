internal import EventLoop
internal import Evidence
internal import LabTime

/// The clocks of a run, and when the machine kept the lab from running.
final class RunWatch {
    let started: Instant
    let startedAt: Timestamp
    private let loop: EventLoop
    private let clockPair = ClockPair()
    private var clock = ClockWatch()
    /// When the machine kept the lab from running.
    var delays = RunDelays()
    /// Only while a scenario plays: an idle lab is idle.
    private var ownDelays: DelayWatch?

    init(on loop: EventLoop) {
        self.loop = loop
        started = loop.now
        startedAt = .now()
    }

    var elapsed: Duration { loop.now - started }

    func lookAtClock() { clock.look() }

    /// How far the wall clock was set at most.
    var largestClockStep: Duration { clock.largestStep }

    var watchesDelays: Bool { ownDelays != nil }

    /// From now on: how late this process runs, which injects the faults.
    func beginWatchingDelays() {
        ownDelays = DelayWatch(on: loop) { [unowned self] delay in
            delays.add(
                "supervisor", from: clockPair.time(of: delay.from), to: clockPair.time(of: delay.to),
                waited: delay.waited)
        }
    }

    func endWatchingDelays() { ownDelays = nil }

    /// Why a timeout proves nothing; nil where the machine was not busy.
    var busyMachine: String? {
        guard delays.longest >= DelayWatch.bound else { return nil }
        let longest = delays.delays.max { $0.milliseconds < $1.milliseconds }
        return longest.map { "; the machine was busy: \($0.process) ran \(Int($0.milliseconds)) ms late" } ?? ""
    }
}
