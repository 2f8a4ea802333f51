internal import Appliances
internal import EventLoop
internal import Evidence
internal import Expectation
internal import LabEvents
internal import LabTime
internal import Measurement
internal import Topology

/// Where the scenario stands.
struct ScenarioProgress {
    var next = 0
    private(set) var hasBegun = false
    /// What steps of the scenario wait for.
    private var awaitable: Set<String> = []
    /// Of these: what happened since the scenario began or, if that was later, since the last faults; a `wait-for` counts
    /// it.
    private var happened: Set<String> = []
    /// Of these: what happened while the lab came up, which no `wait-for` counts.
    private var happenedBefore: Set<String> = []
    private var hasWaitedSince = true
    /// The event that a `wait-for` step waits for, and the timer that bounds it.
    var awaited: (event: String, timer: EventLoop.Timer)?
    /// The counter that a `wait-for` step waits for, the event that it makes, and what was read last.
    var awaitedCounter: (counter: CounterExpectation, event: String, timer: EventLoop.Timer, last: Int?)?

    init(_ steps: [ScenarioStep] = []) {
        for case .waitFor(let event, _) in steps { awaitable.insert(event) }
    }

    mutating func begin() { hasBegun = true }

    mutating func saw(_ event: String) {
        guard awaitable.contains(event) else { return }
        if hasBegun { happened.insert(event) } else { happenedBefore.insert(event) }
    }

    /// Whether a `wait-for` need not wait.
    func hasHappened(_ event: String) -> Bool { happened.contains(event) }

    /// Follows "which did not happen".
    func words(about event: String) -> String {
        happenedBefore.contains(event)
            ? "; it happened before the scenario began, which does not count" : ""
    }

    /// A fault or a push begins. Of several without a wait between them the first counts: what a later `wait-for` is
    /// about may follow from any of them.
    mutating func beginsFault() {
        if hasWaitedSince { happened = [] }
        hasWaitedSince = false
    }

    mutating func waits() { hasWaitedSince = true }
}

/// A traffic program that has been started.
struct RunningTraffic {
    var program: TrafficProgram
    var result: TrafficResult?
    var isFinishing = false
}

extension Supervisor {
    /// The scenario begins when the command says so, once.
    func play() {
        guard phase == .running, case .scenario = assignment.task, !scenario.hasBegun, !watchesDelays else { return }
        watchOwnDelays()
        let watched = nodes.values.filter { isWatchedForDelays($0.node) }
        for node in watched { node.send(.watchDelays(true)) }
        // One that somebody powered off or stopped by hand does not answer.
        let watching = watched.filter { $0.state != .poweredOff && $0.state != .hung }
        waitForAnswers(watching.map(\.delaysName), for: "the begin of the scenario", within: preparationTimeout) {
            [unowned self] in
            scenario.begin()
            // Expectations take their events from here on: what nodes report while the lab comes up is no part of it.
            record(LabEvent(name: LabEvent.scenarioBegin, time: .now(), kind: .begin, node: nil))
            proceed()
        }
    }

    /// Ends a lab whose scenario is over.
    func takeDown() {
        guard phase == .finishing, let finished else { return }
        end(reporting: finished, code: 0)
    }

    /// Waiting too long on a machine that kept the lab's processes from running proves nothing.
    func waitedTooLong(_ message: String) {
        guard delays.longest >= DelayWatch.bound else { return fail(LabFailure(.lab, message)) }
        let longest = delays.delays.max { $0.milliseconds < $1.milliseconds }
        let words = longest.map { "; the machine was busy: \($0.process) ran \(Int($0.milliseconds)) ms late" } ?? ""
        fail(LabFailure(.undecided, message + words))
    }

    private func proceed() {
        guard phase == .running else { return }
        guard scenario.next < assignment.variant.scenario.count else {
            return finishTraffic(nil) { [unowned self] in finish() }
        }
        let step = assignment.variant.scenario[scenario.next]
        scenario.next += 1
        tell(.step(step.words))
        switch step {
        case .start(let names):
            for name in names { startTraffic(name) }
            proceed()
        case .stop(let names):
            finishTraffic(names) { [unowned self] in proceed() }
        case .wait(let duration):
            scenario.waits()
            loop.schedule(after: duration) { [unowned self] in proceed() }
        case .waitFor(let event, let patience):
            scenario.waits()
            if scenario.hasHappened(event) { return proceed() }
            let timer = loop.schedule(after: patience) { [unowned self] in
                let words = scenario.words(about: event)
                waitedTooLong("the scenario waited \(patience) for '\(event)', which did not happen\(words)")
            }
            scenario.awaited = (event, timer)
        case .waitForCounter(let counter, let name, let patience):
            scenario.waits()
            let timer = loop.schedule(after: patience) { [unowned self] in
                let last = scenario.awaitedCounter?.last.map { "it was \($0)" } ?? "the node has no such counter"
                waitedTooLong("the scenario waited \(patience) for \(counter.sentence); \(last)")
            }
            scenario.awaitedCounter = (counter, name, timer, nil)
            nodes[counter.node]?.send(.readCounters)
        case .fail(let fault, let name):
            scenario.beginsFault()
            inject(fault, name: name) { [unowned self] failure in
                if let failure { fail(failure) } else { proceed() }
            }
        case .push(let push, let name):
            scenario.beginsFault()
            carryOut(push, name: name) { [unowned self] failure in
                if let failure { fail(failure) } else { proceed() }
            }
        }
    }

    func scenarioSaw(_ event: LabEvent) {
        scenario.saw(event.name)
        guard let awaited = scenario.awaited, awaited.event == event.name else { return }
        loop.cancel(awaited.timer)
        scenario.awaited = nil
        proceed()
    }

    /// Asks again a little later, until the counter is as the scenario wants it.
    private func scenarioSaw(_ readings: [CounterReading], of node: String) {
        guard let awaited = scenario.awaitedCounter, awaited.counter.node == node else { return }
        let value = awaited.counter.value(in: Dictionary(readings.map { ($0.name, $0.value) }, uniquingKeysWith: &+))
        scenario.awaitedCounter?.last = value
        guard let value, awaited.counter.value.holds(for: value) else {
            loop.schedule(after: .milliseconds(10)) { [unowned self] in
                guard phase == .running, scenario.awaitedCounter != nil else { return }
                nodes[node]?.send(.readCounters)
            }
            return
        }
        loop.cancel(awaited.timer)
        scenario.awaitedCounter = nil
        record(
            LabEvent(
                name: awaited.event, time: .now(), kind: .counter, node: node,
                details: [.counter: awaited.counter.name, .value: "\(value)"]))
        proceed()
    }

    // MARK: Traffic

    func trafficEvent(_ kind: EventKind, of traffic: String, at time: Timestamp, node: String) -> LabEvent {
        LabEvent(name: kind.name(of: traffic), time: time, kind: kind, node: node)
    }

    private func startTraffic(_ name: String) {
        guard let number = assignment.variant.traffic.firstIndex(where: { $0.name == name }),
            case let program = assignment.variant.traffic[number], let node = nodes[program.from]
        else { return fail(LabFailure(.lab, "the scenario starts '\(name)', which this lab does not have")) }
        traffic[name] = RunningTraffic(program: program)
        // The event comes first: every frame of the traffic lies after it on the lab's clock.
        record(trafficEvent(.trafficStart, of: name, at: .now(), node: program.from))
        node.send(.startTraffic(program, number: number))
    }

    /// Stops asking, waits for what is outstanding, then goes on. `nil`: everything that runs.
    private func finishTraffic(_ names: [String]?, then: @escaping () -> Void) {
        let running = traffic.filter { name, traffic in
            traffic.result == nil && !traffic.isFinishing && names?.contains(name) ?? true
        }
        var patience = Duration.seconds(10)
        for (name, started) in running {
            traffic[name]?.isFinishing = true
            patience = max(patience, started.program.timeout + .seconds(10))
            guard let node = nodes[started.program.from], node.state != .poweredOff else {
                return fail(LabFailure(.lab, "'\(name)' ran on '\(started.program.from)', which is powered off"))
            }
            node.send(.finishTraffic(name: name))
        }
        waitForAnswers(running.keys.map { "traffic \($0)" }, for: "finishing traffic", within: patience, then: then)
    }

    func finished(_ result: TrafficResult) {
        let name = result.program.name
        traffic[name]?.result = result
        record(trafficEvent(.trafficStop, of: name, at: .now(), node: result.program.from))
        pending.arrived("traffic \(name)")?()
    }

    // MARK: The end of a run

    private func finish() {
        phase = .finishing
        let alive = nodes.values.filter { $0.state != .poweredOff && $0.state != .hung }
        for node in alive { node.send(.readCounters) }
        waitForAnswers(
            alive.map { "counters of \($0.node.name)" }, for: "reading counters",
            within: .seconds(10) + grace(.milliseconds(10))
        ) { [unowned self] in
            let limit = Duration.seconds(60) + grace(.milliseconds(20))
            let timer = loop.schedule(after: limit) { [unowned self] in
                fail(LabFailure(.lab, "the captures were not complete after \(limit)"))
            }
            captures.onFinished = { [unowned self] summaries in
                loop.cancel(timer)
                complete(summaries)
            }
            captures.drain()
        }
    }

    func read(_ readings: [CounterReading], of name: String) {
        // A reading in the middle of a run is no evidence of its end.
        guard phase != .running else { return scenarioSaw(readings, of: name) }
        counters[name] = readings
        pending.arrived("counters of \(name)")?()
    }

    private func complete(_ summaries: [CaptureSummary]) {
        let folder = RunFolder(assignment.folder)
        do {
            let results = assignment.variant.traffic.compactMap { traffic[$0.name]?.result }
            try RunFolder.write(JSONLine.encode(results), to: folder.traffic)
            try RunFolder.write(JSONLine.encode(summaries), to: folder.captureSummaries)
            try RunFolder.write(JSONLine.encode(counters), to: folder.counters)
            try RunFolder.write(JSONLine.encode(delays.delays), to: folder.delays)
            journal.finish()
            try logs.finishRequests()
            clock.look()
            let seconds = (loop.now - started).milliseconds / 1000
            let summary = RunSummary(
                started: startedAt, seconds: seconds, files: try FolderBytes(folder).records(of: summaries),
                clockStepMilliseconds: clock.largestStep.milliseconds, leftOut: gaps(in: folder))
            try RunFolder.write(JSONLine.encode(summary), to: folder.run)
        } catch {
            return fail(error)
        }
        let report = SupervisorReport.finished(after: loop.now - started, longestDelay: delays.longest)
        guard assignment.task == .scenario(stays: true) else {
            // Its links and namespaces stay until the command says so: taking them down would keep labs beside this one
            // waiting for the kernel in the middle of their scenarios.
            finished = report
            for running in nodes.values { running.kill() }
            return tell(report)
        }
        do {
            // Nothing depends on delays any more.
            stopWatchingOwnDelays()
            for running in nodes.values { running.send(.watchDelays(false)) }
            // What a person does to the lab from now on is no evidence of the run.
            journal = try Journal(path: folder.laterEvents)
        } catch {
            return fail(error)
        }
        phase = .running
        tell(report)
    }

    /// What is missing in the run's files because of their limits; nil where nothing is.
    private func gaps(in folder: RunFolder) -> [FileGap]? {
        let all = [(folder.events, journal.gap)] + logs.gaps.map { ($0.path, $0.gap) }
        let gaps = all.compactMap { path, gap in
            gap.map {
                FileGap(
                    path: String(path.dropFirst(folder.path.count + 1)), offset: $0.offset, bytes: $0.bytes,
                    lines: $0.lines)
            }
        }
        return gaps.isEmpty ? nil : gaps
    }
}
