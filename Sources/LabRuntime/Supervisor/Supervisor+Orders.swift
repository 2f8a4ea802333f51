internal import Appliances
internal import EventLoop
internal import Evidence
internal import Impairment
internal import LabEvents
internal import LabTime
internal import Measurement
internal import Scenario
internal import Topology

/// Carries out the orders of the scenario's player, and reports the results.
extension Supervisor {
    /// The scenario begins when the command sends the order, once.
    func play() {
        guard phase.isRunning, case .scenario = assignment.task else { return }
        driver.feed(
            .play(
                ScenarioLimits(
                    preparation: preparationTimeout, counters: .seconds(10) + grace(.milliseconds(10)),
                    captures: .seconds(60) + grace(.milliseconds(20)))))
    }

    func carryOut(_ order: ScenarioOrder) {
        guard !phase.isEnded else { return }
        switch order {
        case .announce(let label): control.report(.step(label))
        case .record(let event):
            write(
                LabEvent(
                    name: event.name, time: .now(), kind: event.kind, node: event.node, details: event.details))
        case .notify(let element, let event):
            if let running = nodes[element] { nodes.send(.fault(.event(event)), to: running) { _ in } }
        case .watchDelays(let names):
            watch.beginWatchingDelays()
            for name in names { nodes[name]?.send(.watchDelays(true)) }
        case .startTraffic(let program, let number):
            let log = assignment.variant.logDescriptor(of: program)
            nodes[program.from]?.send(.startTraffic(program, number: number, log: log))
        case .finishTraffic(let name, let node): nodes[node]?.send(.finishTraffic(name: name))
        case .readCounters(let node, let programs): nodes[node]?.send(.readCounters(programs: programs))
        case .perform(let actions, let ticket): perform(actions, ticket)
        case .answer(let request, let failure): control.answer(request, failure.map { LabFailure($0) })
        case .readFinalCounters(let names):
            phase = .finishing
            for name in names { nodes[name]?.send(.readCounters(programs: nil)) }
        case .completeCaptures:
            captures.onFinished = { [unowned self] _ in driver.feed(.capturesComplete) }
            captures.drain()
        case .end(.finished): complete()
        case .end(.failed(let failure)):
            if failure.kind == .timeout { timedOut(failure.message) } else { fail(LabFailure(failure)) }
        }
    }

    // MARK: Actions on nodes

    private func perform(_ actions: [NodeAction], _ ticket: Int) {
        do throws(LabFailure) {
            for action in actions { try perform(action, ticket) }
            if actions.last?.hasReply != true { driver.feed(.performed(ticket: ticket, .done)) }
        } catch {
            driver.feed(.performed(ticket: ticket, .failed(ScenarioFailure(error))))
        }
    }

    private func perform(_ action: NodeAction, _ ticket: Int) throws(LabFailure) {
        switch action {
        case .kill(let name):
            nodes[name]?.kill()
            nodes.forgetCommands(to: name)
            driver.feed(.condition(node: name, .poweredOff))
        case .start(let name):
            guard let running = nodes[name] else { return }
            try start(running)
            driver.feed(.condition(node: name, .running))
        case .stop(let name):
            watch.delays.stops(name, at: .now())
            nodes[name]?.stopRunning()
            driver.feed(.condition(node: name, .hung))
        case .freeze(let name): nodes[name]?.freeze()
        case .resume(let name):
            nodes[name]?.resume()
            watch.delays.resumes(name, at: .now())
            driver.feed(.condition(node: name, .running))
        case .setLinks(let name, let isUp):
            if let running = nodes[name] { try network.setLinks(of: running.node, up: isUp) }
        case .setLink(let reference, let isUp):
            try network.setLink(reference.interface, of: reference.node, up: isUp)
        case .command(let command, let name):
            send({ .command(number: $0, command) }, to: name, ticket)
        case .killProgram(let program):
            send({ .program(number: $0, name: program.program, .kill) }, to: program.node, ticket)
        case .startProgram(let program):
            send({ .program(number: $0, name: program.program, .start) }, to: program.node, ticket)
        case .restartProgram(let program):
            send({ .program(number: $0, name: program.program, .restart) }, to: program.node, ticket)
        case .signalProgram(let program, let signal, let ends):
            send({ .program(number: $0, name: program.program, .signal(signal, ends: ends)) }, to: program.node, ticket)
        case .run(let command, let name, let event):
            send({ .run(number: $0, command, event: event) }, to: name, ticket)
        case .network(let change, let name):
            if let running = nodes[name] { try network.change(change, of: running.node) }
        }
    }

    /// The player has a timeout of its own.
    private func send(_ order: (Int) -> NodeOrder, to name: String, _ ticket: Int) {
        guard let running = nodes[name] else { return }
        nodes.send(order, to: running, within: nil) { [unowned self] reply in
            driver.feed(.performed(ticket: ticket, .reply(reply)))
        }
    }

    // MARK: The end of a run

    /// Ends a lab whose scenario is over.
    func takeDown() {
        guard case .finished(let report) = phase else { return }
        end(reporting: report, code: 0)
    }

    private func complete() {
        do {
            try recorder.complete(assignment.variant.traffic, captures.summaries, watch)
        } catch {
            return fail(error)
        }
        let report = SupervisorReport.finished(after: watch.elapsed, longestDelay: watch.delays.longest)
        guard assignment.task == .scenario(stays: true) else {
            // Its links and namespaces stay until the command sends the order: taking them down would keep labs beside
            // this one waiting for the kernel in the middle of their scenarios.
            phase = .finished(report)
            for running in nodes.all { running.kill() }
            return control.report(report)
        }
        do {
            // Nothing depends on delays any more.
            watch.endWatchingDelays()
            for running in nodes.all { running.send(.watchDelays(false)) }
            try recorder.beginLaterEvents()
        } catch {
            return fail(error)
        }
        phase = .running
        control.report(report)
    }
}

extension LabFailure {
    init(_ failure: ScenarioFailure) {
        self.init(failure.kind == .usage ? .usage : .lab, failure.message, remedy: failure.remedy)
    }
}

extension ScenarioFailure {
    /// Of an action; these are failures of the lab.
    fileprivate init(_ failure: LabFailure) {
        self.init(.lab, failure.message, remedy: failure.remedy)
    }
}
