internal import EventLoop
internal import Glibc
internal import LabRuntime
internal import LabTime
internal import Topology

/// Runs several labs beside each other, at most `jobs` at a time, and hears of their ends.
final class Session {
    struct Job {
        var variant: Variant
        var folder: RunFolder
        var repetition: Int
    }

    enum State: Hashable {
        case waiting, building, running(String), ended
    }

    let lab: Lab
    private let loop: EventLoop
    private let jobs: Int
    private let timeout: Duration?
    private let stays: Bool
    private var waiting: [(number: Int, job: Job)]
    private var alive: [Int: LabProcess] = [:]
    private(set) var states: [State]
    private(set) var isInterrupted = false

    /// A variant's lab has ended (or, where it stays, has finished): what its supervisor said last.
    /// - Returns: whether a lab that could stay up does
    var onEnd: (Int, Job, SupervisorReport) -> Bool = { _, _, _ in false }
    var onKept: (RunningLab) -> Void = { _ in }
    var onChange: () -> Void = {}

    init(_ lab: Lab, jobs: [Job], beside: Int, timeout: Duration?, stays: Bool) throws(LabFailure) {
        self.lab = lab
        self.jobs = beside
        self.timeout = timeout
        self.stays = stays
        waiting = jobs.enumerated().map { ($0, $1) }
        states = jobs.map { _ in .waiting }
        do {
            loop = try EventLoop()
            try loop.handleSignals([SIGCHLD, SIGINT, SIGTERM, SIGHUP]) { [unowned self] signal in
                if signal == SIGCHLD { reap() } else { interrupt() }
            }
        } catch {
            throw LabFailure(.lab, "no event loop: \(error)")
        }
    }

    /// Returns when every lab has ended.
    func run(progress: Progress) {
        func tick() {
            progress.show(states)
            loop.schedule(after: .milliseconds(100)) { tick() }
        }
        if progress.isShown { tick() }
        startWaiting()
        if !isOver { loop.run() }
        progress.clear()
    }

    private var isOver: Bool { waiting.isEmpty && alive.isEmpty }

    private func startWaiting() {
        while alive.count < jobs, !waiting.isEmpty, !isInterrupted {
            let (number, job) = waiting.removeFirst()
            do {
                try start(number, job)
            } catch {
                states[number] = .ended
                _ = onEnd(number, job, .failed(error))
            }
        }
        if isInterrupted {
            for (number, job) in waiting {
                states[number] = .ended
                _ = onEnd(number, job, .failed(LabFailure(.interrupted, "interrupted before it began")))
            }
            waiting = []
        }
        if isOver { loop.stop() }
    }

    private func start(_ number: Int, _ job: Job) throws(LabFailure) {
        let process = try LabProcess(
            job.variant, of: lab.name, folder: job.folder, task: .scenario(stays: stays), on: loop)
        alive[number] = process
        states[number] = .building
        let limit = timeout ?? job.variant.longestDuration + .seconds(120)
        let isWish = timeout != nil
        let timer = loop.schedule(after: limit) { [unowned process] in process.giveUp(after: limit, isWish: isWish) }
        process.onReport = { [unowned self] report in
            switch report {
            case .ready: states[number] = .running("ready")
            case .step(let words): states[number] = .running(words)
            case .finished where stays:
                loop.cancel(timer)
                states[number] = .ended
                // One that does not stay has ended when the kernel has reclaimed it.
                guard onEnd(number, job, report) else { return process.stop() }
                onKept(process.running)
                process.release()
                alive[number] = nil
                startWaiting()
            default: break
            }
            onChange()
        }
        process.onEnd = { [unowned self] in ended(number, job, process, timer) }
    }

    private func ended(_ number: Int, _ job: Job, _ process: LabProcess, _ timer: EventLoop.Timer) {
        guard alive.removeValue(forKey: number) != nil else { return }
        loop.cancel(timer)
        if states[number] != .ended {
            states[number] = .ended
            _ = onEnd(number, job, process.outcome ?? .failed(LabFailure(.lab, "it ended without a word")))
        }
        startWaiting()
    }

    private func reap() {
        for (pid, _) in ChildReaper.reap() {
            for process in alive.values where process.childEnded(pid) { break }
        }
    }

    /// The first signal asks every lab to complete its captures and end; a second one ends them at once.
    private func interrupt() {
        for process in alive.values { isInterrupted ? process.kill() : process.stop() }
        isInterrupted = true
        startWaiting()
    }
}
