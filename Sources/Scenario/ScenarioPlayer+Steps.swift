internal import Evidence
internal import Expectation
internal import LabEvents
internal import LabTime
internal import Measurement
internal import Topology

extension ScenarioPlayer {
    // MARK: The begin

    mutating func begin(_ limits: ScenarioLimits, at now: Instant) {
        self.limits = limits
        orders.append(.watchDelays(nodes: nodes.watched))
        // One that somebody powered off or stopped by hand does not answer.
        let answering = nodes.watched.filter(nodes.isRunning)
        awaitAnswers(.delayWatches, of: answering, within: limits.preparation, at: now)
    }

    /// Expectations take their events from here on: what nodes report while the lab comes up is no part of it.
    private mutating func haveBegun(at now: Instant) {
        phase = .acting
        events.begin()
        record(ScenarioEvent(LabEvent.scenarioBegin, .begin, node: nil), at: now)
        proceed(at: now)
    }

    // MARK: Steps

    /// Takes steps up to one that waits.
    mutating func proceed(at now: Instant) {
        phase = .acting
        while phase == .acting {
            guard let step = steps.popFirst() else { return finishTraffic(nil, at: now) }
            orders.append(.announce(step.label))
            switch step {
            case .start(let names):
                for name in names { startTraffic(name, at: now) }
            case .stop(let names):
                return finishTraffic(names, at: now)
            case .wait(let duration):
                events.waits()
                phase = .waiting(until: now + duration)
            case .waitFor(let event, let duration):
                events.waits()
                if !events.hasHappened(event) { phase = .waitingForEvent(event, Timeout(duration, from: now)) }
            case .waitForCounter(let counter, let event, let duration):
                events.waits()
                phase = .waitingForCounter(
                    CounterWait(counter: counter, event: event, timeout: Timeout(duration, from: now)))
                orders.append(.readCounters(node: counter.node, programs: counter.programs))
            case .fail(let fault, let name):
                events.beginsFault()
                return inject(fault, as: name, at: now)
            case .push(let push, let name):
                events.beginsFault()
                return begin(push, as: name, at: now)
            }
        }
    }

    /// The counter is read again a little later, until it is as the scenario wants it.
    mutating func read(_ readings: [CounterReading], of node: String, _ problem: String?, at now: Instant) {
        guard case .waitingForCounter(var wait) = phase else { return answered(.counters, by: node, at: now) }
        guard wait.counter.node == node else { return }
        let counters = Dictionary(readings.map { ($0.name, $0.value) }, uniquingKeysWith: &+)
        let value = wait.counter.value(in: counters)
        guard let value, wait.counter.value.holds(for: value) else {
            wait.seen = value.map { .value($0) } ?? .nothing(problem, near: wait.near(among: counters.keys))
            wait.nextReading = now + CounterWait.pause
            phase = .waitingForCounter(wait)
            return
        }
        phase = .acting
        let details: EventDetails = [.counter: wait.counter.name, .value: "\(value)"]
        record(ScenarioEvent(wait.event, .counter, node: node, details), at: now)
        proceed(at: now)
    }

    // MARK: Traffic

    private mutating func startTraffic(_ name: String, at now: Instant) {
        guard phase != .ended else { return }
        guard let (program, number) = traffic.start(name), nodes[program.from] != nil else {
            return fail(ScenarioFailure(.lab, "the scenario starts '\(name)', which this lab does not have"))
        }
        // The event comes first: every frame of the traffic lies after it on the lab's clock.
        record(.traffic(.trafficStart, of: program), at: now)
        orders.append(.startTraffic(program, number: number))
    }

    /// Stops asking, and waits for what is outstanding. `nil`, at the end: everything that runs.
    private mutating func finishTraffic(_ names: [String]?, at now: Instant) {
        var limit = Duration.seconds(10)
        let running = traffic.running(names)
        for program in running {
            traffic.finish(program.name)
            limit = max(limit, program.timeout + .seconds(10))
            guard nodes.condition(of: program.from) != .poweredOff else {
                return fail(
                    ScenarioFailure(.lab, "'\(program.name)' ran on '\(program.from)', which is powered off"))
            }
            orders.append(.finishTraffic(name: program.name, node: program.from))
        }
        let answers = AwaitedAnswers(.traffic, of: running.map(\.name), Timeout(limit, from: now))
        phase = names == nil ? .draining(answers) : .stopping(answers)
        if answers.areComplete { trafficIsOver(at: now) }
    }

    mutating func trafficFinished(_ name: String, at now: Instant) {
        guard let program = traffic.finished(name) else { return }
        record(.traffic(.trafficStop, of: program), at: now)
        answered(.traffic, by: name, at: now)
    }

    private mutating func trafficIsOver(at now: Instant) {
        if case .stopping = phase { proceed(at: now) } else { readFinalCounters(at: now) }
    }

    // MARK: The end

    private mutating func readFinalCounters(at now: Instant) {
        let running = nodes.running
        orders.append(.readFinalCounters(nodes: running))
        awaitAnswers(.counters, of: running, within: limits?.counters ?? .zero, at: now)
    }

    private mutating func completeCaptures(at now: Instant) {
        phase = .completingCaptures(Timeout(limits?.captures ?? .zero, from: now))
        orders.append(.completeCaptures)
    }

    mutating func capturesComplete() {
        guard case .completingCaptures = phase else { return }
        phase = .over
        orders.append(.end(.finished))
    }

    // MARK: Answers

    private mutating func awaitAnswers(
        _ subject: AwaitedAnswers.Subject, of names: [String], within limit: Duration, at now: Instant
    ) {
        let answers = AwaitedAnswers(subject, of: names, Timeout(limit, from: now))
        phase = subject == .delayWatches ? .beginning(answers) : .readingCounters(answers)
        if answers.areComplete { haveAllAnswers(at: now) }
    }

    /// An answer that nobody waits for is ignored.
    mutating func answered(_ subject: AwaitedAnswers.Subject, by name: String, at now: Instant) {
        guard let areComplete = phase.answered(subject, by: name), areComplete else { return }
        haveAllAnswers(at: now)
    }

    private mutating func haveAllAnswers(at now: Instant) {
        switch phase {
        case .beginning: haveBegun(at: now)
        case .stopping, .draining: trafficIsOver(at: now)
        case .readingCounters: completeCaptures(at: now)
        default: break
        }
    }

    // MARK: Time

    mutating func timePassed(_ now: Instant) {
        for ticket in pending.expired(at: now) { performed(ticket, .reply(CommandTimeout.reply), at: now) }
        switch phase {
        case .waiting(let until):
            if until <= now { proceed(at: now) }
        case .waitingForEvent(let event, let timeout):
            guard timeout.at <= now else { return }
            let explanation = events.explanation(for: event)
            fail(
                ScenarioFailure(
                    .timeout,
                    "the scenario waited \(timeout.duration) for '\(event)', which did not happen\(explanation)"))
        case .waitingForCounter(var wait):
            if wait.timeout.at <= now { return fail(wait.failure) }
            guard let next = wait.nextReading, next <= now else { return }
            wait.nextReading = nil
            phase = .waitingForCounter(wait)
            orders.append(.readCounters(node: wait.counter.node, programs: wait.counter.programs))
        case .beginning(let answers), .stopping(let answers), .draining(let answers), .readingCounters(let answers):
            if answers.timeout.at <= now { fail(answers.failure) }
        case .completingCaptures(let timeout):
            guard timeout.at <= now else { return }
            fail(ScenarioFailure(.lab, "the captures were not complete after \(timeout.duration)"))
        case .idle, .acting, .pushing, .over, .ended: break
        }
    }
}

extension ScenarioStep {
    /// For a person who watches.
    fileprivate var label: String {
        switch self {
        case .start(let names): "start \(names.joined(separator: ", "))"
        case .stop(let names): "stop \(names.joined(separator: ", "))"
        case .wait(let duration): "wait \(duration)"
        case .waitFor(let event, let limit): "wait for \(event), at most \(limit)"
        case .waitForCounter(let counter, _, let limit): "wait until \(counter.sentence), at most \(limit)"
        case .fail(let fault, _): "\(fault)"
        case .push(let push, _): "\(push)"
        }
    }
}
