internal import EventLoop
internal import Glibc
internal import LabRuntime
internal import LabTime
internal import Topology

/// Runs labs in waves.
///
/// The labs of a wave are built in parallel, begin their scenarios together when the last of them is ready, and are
/// taken down together when the last scenario is over. So nothing is built or taken down while a scenario plays: the
/// kernel has one lock for the links and routes of all namespaces (RTNL), and a lab that is built keeps all others
/// waiting. Labs that are to run again do so one at a time, after all others.
///
///     wave 1   build ── play ── take down
///     wave 2                    build ──── play ── take down
///     command                   evaluate           evaluate
final class WaveScheduler {
    struct Job {
        var variant: Variant
        var folder: RunFolder
        var repetition: Int
    }

    enum State: Hashable {
        case waiting, building, running(String), ended
    }

    /// What follows when a lab's scenario is over.
    enum Sequel {
        case end
        /// It stays up, if it can.
        case keep
        /// It runs once more, alone, after all others.
        case again
    }

    /// A lab of a wave.
    private final class Member {
        let number: Int
        let job: Job
        let process: LabProcess?
        var isReady = false
        var timer: EventLoop.Timer?
        /// What its supervisor reported last: its scenario is over, or it has failed.
        var outcome: SupervisorReport?
        /// The kernel has reclaimed it.
        var hasEnded = false
        var isReleased = false

        init(_ number: Int, _ job: Job, _ process: LabProcess?) {
            self.number = number
            self.job = job
            self.process = process
        }

        var isGone: Bool { hasEnded || isReleased }
    }

    let lab: Lab
    private let loop: EventLoop
    private var width: WaveWidth
    private let timeout: Duration?
    private let stays: Bool
    private let captureLimit: Int
    private var waiting: [(number: Int, job: Job)]
    private var again: [(number: Int, job: Job)] = []
    /// Being built, or ready and waiting for the wave before it to be gone.
    private var building: [Member] = []
    private var playing: [Member] = []
    /// Being taken down.
    private var closing: [Member] = []
    private(set) var states: [State]
    private(set) var isInterrupted = false

    /// A variant's scenario is over, or its lab has failed: the last report of its supervisor.
    var onEnd: (Int, Job, SupervisorReport) -> Sequel = { _, _, _ in .end }
    var onKept: (RunningLab) -> Void = { _ in }
    var onChange: () -> Void = {}

    init(_ lab: Lab, jobs: [Job], width: WaveWidth, timeout: Duration?, stays: Bool, captureLimit: Int)
        throws(LabFailure)
    {
        self.lab = lab
        self.width = width
        self.timeout = timeout
        self.stays = stays
        self.captureLimit = captureLimit
        // Labs of like length share a wave, which lasts as long as its longest.
        waiting = jobs.enumerated().map { ($0, $1) }
            .sorted { ($1.job.variant.shortestDuration, $0.number) < ($0.job.variant.shortestDuration, $1.number) }
        states = jobs.map { _ in .waiting }
        do {
            loop = try EventLoop()
            try loop.handleSignals([SIGCHLD, SIGINT, SIGTERM, SIGHUP]) { [unowned self] signal in
                if signal == SIGCHLD { reap() } else { interrupt() }
            }
        } catch {
            throw LabFailure(.lab, "could not make an event loop: \(error)")
        }
    }

    /// Returns when every lab has ended.
    func run(progress: Progress) {
        func tick() {
            progress.show(states)
            loop.schedule(after: .milliseconds(100)) { tick() }
        }
        if progress.isShown { tick() }
        advance()
        if !isOver { loop.run() }
        progress.clear()
    }

    private var isOver: Bool {
        waiting.isEmpty && again.isEmpty && building.isEmpty && playing.isEmpty && closing.isEmpty
    }

    private var alive: [LabProcess] {
        (building + playing + closing).filter { !$0.isGone }.compactMap(\.process)
    }

    // MARK: Waves

    /// Proceeds as far as possible; called after each change that may allow it.
    private func advance() {
        closing.removeAll { $0.isGone }
        if isInterrupted { giveUpWaiting() }
        while true {
            if building.isEmpty, playing.isEmpty, !waiting.isEmpty || !again.isEmpty,
                closing.isEmpty || !waiting.isEmpty
            {
                buildNextWave()
            } else if !building.isEmpty, playing.isEmpty, closing.isEmpty,
                building.allSatisfy({ $0.isReady || $0.outcome != nil })
            {
                play()
            } else if !playing.isEmpty, playing.allSatisfy({ $0.outcome != nil }) {
                conclude()
            } else {
                break
            }
        }
        if isOver { loop.stop() }
    }

    private func buildNextWave() {
        if waiting.isEmpty {
            (waiting, again) = (again, [])
            width = .fixed(1)
        }
        let count = min(width.now, waiting.count)
        let wave = waiting.prefix(count)
        waiting.removeFirst(count)
        building = wave.map { start($0.number, $0.job) }
    }

    private func start(_ number: Int, _ job: Job) -> Member {
        do throws(LabFailure) {
            let process = try LabProcess(
                job.variant, of: lab.name, folder: job.folder, task: .scenario(stays: stays),
                captureLimit: captureLimit, on: loop)
            let member = Member(number, job, process)
            states[number] = .building
            limit(member)
            process.onReport = { [unowned self, unowned member] in received($0, from: member) }
            process.onEnd = { [unowned self, unowned member] in ended(member) }
            return member
        } catch {
            let member = Member(number, job, nil)
            member.outcome = .failed(error)
            member.hasEnded = true
            return member
        }
    }

    /// From now on: for building it, then for playing it.
    private func limit(_ member: Member) {
        guard let process = member.process else { return }
        if let timer = member.timer { loop.cancel(timer) }
        let variant = member.job.variant
        let interfaces = variant.nodes.reduce(0) { $0 + $1.interfaces.count }
        let limit = timeout ?? variant.longestDuration + .seconds(120) + .milliseconds(200) * interfaces
        let isWish = timeout != nil
        member.timer = loop.schedule(after: limit) { [unowned process] in process.giveUp(after: limit, isWish: isWish) }
    }

    private func received(_ report: SupervisorReport, from member: Member) {
        switch report {
        case .ready:
            member.isReady = true
            states[member.number] = .running("ready")
        case .step(let words): states[member.number] = .running(words)
        case .finished(_, let longestDelay):
            width.saw(longestDelay)
            fallthrough
        case .failed:
            // A limit that was exceeded is a better reason than how the lab then ended.
            member.outcome = member.process?.outcome ?? report
            if let timer = member.timer { loop.cancel(timer) }
        default: return onChange()
        }
        onChange()
        advance()
    }

    private func play() {
        (playing, building) = (building, [])
        width.begins()
        for member in playing where member.outcome == nil {
            limit(member)
            member.process?.play()
        }
    }

    /// Every scenario of the wave is over. The next wave is built while this one is evaluated and taken down.
    private func conclude() {
        let wave = playing
        playing = []
        closing += wave.filter { !$0.isGone }
        width.ends()
        if !stays { for member in wave { member.process?.takeDown() } }
        if !waiting.isEmpty, !isInterrupted { buildNextWave() }
        for member in wave {
            states[member.number] = .ended
            guard let outcome = member.outcome else { continue }
            let sequel = onEnd(member.number, member.job, outcome)
            if case .again = sequel, !isInterrupted {
                again.append((member.number, member.job))
                states[member.number] = .waiting
            }
            guard stays, !member.isGone, let process = member.process else { continue }
            guard case .keep = sequel, case .finished = outcome else {
                process.stop()
                continue
            }
            onKept(process.running)
            process.release()
            member.isReleased = true
        }
        closing.removeAll { $0.isGone }
    }

    private func giveUpWaiting() {
        let left = waiting + again
        (waiting, again) = ([], [])
        for (number, job) in left {
            states[number] = .ended
            _ = onEnd(number, job, .failed(LabFailure(.interrupted, "interrupted before it started")))
        }
    }

    // MARK: Ends

    private func ended(_ member: Member) {
        member.hasEnded = true
        if let timer = member.timer { loop.cancel(timer) }
        member.outcome =
            member.outcome ?? member.process?.outcome ?? .failed(LabFailure(.lab, "it ended without a report"))
        advance()
    }

    private func reap() {
        for (pid, _) in ChildReaper.reap() {
            for process in alive where process.childEnded(pid) { break }
        }
    }

    /// The first signal asks every lab to complete its captures and end; a second one ends them at once.
    private func interrupt() {
        for process in alive { isInterrupted ? process.kill() : process.stop() }
        isInterrupted = true
        advance()
    }
}
