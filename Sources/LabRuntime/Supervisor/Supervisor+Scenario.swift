internal import Appliances
internal import EventLoop
internal import Evidence
internal import Expectation
internal import LabTime
internal import Measurement
internal import Topology

/// Where the scenario stands.
struct ScenarioProgress {
    var next = 0
    var hasBegun = false
    /// How many events there were before the last faults: a `wait-for` looks at those after it.
    private(set) var eventsBeforeFault = 0
    private var hasWaitedSince = true
    /// The event that a `wait-for` step waits for, and the timer that bounds it.
    var awaited: (event: String, timer: EventLoop.Timer)?
    /// The counter that a `wait-for` step waits for, the event that it makes, and what was read last.
    var awaitedCounter: (counter: CounterExpectation, event: String, timer: EventLoop.Timer, last: Int?)?

    /// A fault or a push begins. Of several without a wait between them the first counts: what a later `wait-for` is
    /// about may follow from any of them.
    mutating func beginsFault(events: Int) {
        if hasWaitedSince { eventsBeforeFault = events }
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
        guard phase == .running, case .scenario = assignment.task, !scenario.hasBegun else { return }
        scenario.hasBegun = true
        watchOwnDelays()
        // Expectations take their events from here on: what nodes report while the lab comes up is no part of it.
        record(LabEvent(name: LabEvent.scenarioBegin, time: .now(), kind: "begin", node: nil))
        proceed()
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
            if journal.events.dropFirst(scenario.eventsBeforeFault).contains(where: { $0.name == event }) {
                return proceed()
            }
            let timer = loop.schedule(after: patience) { [unowned self] in
                waitedTooLong("the scenario waited \(patience) for '\(event)', which did not happen")
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
            scenario.beginsFault(events: journal.events.count)
            inject(fault, name: name) { [unowned self] failure in
                if let failure { fail(failure) } else { proceed() }
            }
        case .push(let push, let name):
            scenario.beginsFault(events: journal.events.count)
            carryOut(push, name: name) { [unowned self] failure in
                if let failure { fail(failure) } else { proceed() }
            }
        }
    }

    func scenarioSaw(_ event: LabEvent) {
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
                name: awaited.event, time: .now(), kind: "counter", node: node,
                details: ["counter": awaited.counter.name, "value": "\(value)"]))
        proceed()
    }

    // MARK: Traffic

    private func startTraffic(_ name: String) {
        guard let number = assignment.variant.traffic.firstIndex(where: { $0.name == name }),
            case let program = assignment.variant.traffic[number], let node = nodes[program.from]
        else { return fail(LabFailure(.lab, "the scenario starts '\(name)', which this lab does not have")) }
        traffic[name] = RunningTraffic(program: program)
        // The event comes first: every frame of the traffic lies after it on the lab's clock.
        record(LabEvent(name: "\(name).start", time: .now(), kind: "traffic-start", node: program.from))
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
            patience = max(patience, started.program.patience + .seconds(10))
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
        record(LabEvent(name: "\(name).stop", time: .now(), kind: "traffic-stop", node: result.program.from))
        pending.arrived("traffic \(name)")?()
    }

    // MARK: The end of a run

    private func finish() {
        phase = .finishing
        let alive = nodes.values.filter { $0.state != .poweredOff && $0.state != .hung }
        for node in alive { node.send(.readCounters) }
        waitForAnswers(alive.map { "counters of \($0.node.name)" }, for: "reading counters", within: .seconds(10)) {
            [unowned self] in
            let timer = loop.schedule(after: .seconds(60)) { [unowned self] in
                fail(LabFailure(.lab, "the captures were not complete after a minute"))
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
            clock.look()
            let seconds = (loop.now - started).milliseconds / 1000
            let summary = RunSummary(
                started: startedAt, seconds: seconds, files: try FolderBytes(folder).records(of: summaries),
                clockStepMilliseconds: clock.largestStep.milliseconds)
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
            // What a person does to the lab from now on is no evidence of the run.
            journal = try Journal(path: folder.laterEvents)
        } catch {
            return fail(error)
        }
        phase = .running
        tell(report)
    }
}
