internal import CLinux
internal import Configuration
internal import EventLoop
internal import Evidence
internal import Glibc
internal import LabEvents
internal import LabTime
internal import Measurement
internal import Scenario
internal import SystemPackage
internal import Topology

/// Builds a lab, until every role is ready and every interface is captured.
extension Supervisor {
    /// How long the processes of a lab may take to prepare, and its roles to settle.
    var preparationTimeout: Duration { .seconds(30) + grace(.milliseconds(100)) }

    /// What is allowed for each of the lab's processes and captures.
    func grace(_ each: Duration) -> Duration {
        each * ((assignment?.variant.processes.count ?? 0) + (captures?.count ?? 0))
    }

    func build(_ assignment: LabAssignment) {
        self.assignment = assignment
        driver = ScenarioDriver(ScenarioPlayer(assignment.variant), on: loop) { [unowned self] in carryOut($0) }
        let folder = RunFolder(assignment.folder)
        do {
            try HostProblem.checkPacketSockets()
            try Executable.check(assignment.variant)
            try KernelIPVS.check(assignment.variant)
            recorder = try RunRecorder(folder)
            network = try BuiltNetwork(building: assignment.variant)
            try recorder.beginLogs()
            phase = .starting(PendingAnswers())
            // Nodes and captures prepare beside each other; nothing sends before the captures are armed.
            let captureLog = try recorder.logs.open(folder.captureLog, .node)
            defer { close(captureLog) }
            captures = try RunningCaptures(
                network.capturePoints, snapshotLength: assignment.variant.capture.snapshotLength,
                limit: assignment.captureLimit, folder: folder, log: captureLog, null: network.null, loop: loop)
            captures.onArmed = { [unowned self] in arrived("the captures") }
            captures.onFailed = { [unowned self] in fail($0) }
            captures.onGone = { [unowned self] in fail(LabFailure(.lab, "the capture process ended unexpectedly")) }
            let running = assignment.variant.processes.map { RunningNode($0) }
            if let first = running.first {
                let starterLog = try recorder.logs.open(folder.starterLog, .node)
                defer { close(starterLog) }
                nodes.starter = try NodeStarter(
                    null: network.null, log: starterLog, sample: first.firstOrder(folder))
            }
            for node in running {
                nodes.add(node)
                try start(node)
            }
        } catch {
            return fail(error)
        }
        let names = assignment.variant.processes.map(\.name)
        waitForAnswers(names + ["the captures"], for: "preparing", within: preparationTimeout) { [unowned self] in
            for node in nodes.all { node.send(.start) }
            waitForAnswers(names, for: "becoming ready", within: preparationTimeout) { [unowned self] in
                startMonitors { [unowned self] in
                    phase = .running
                    control.report(.ready(after: watch.elapsed))
                }
            }
        }
    }

    /// Has the load balancers' monitors begin, now that their members and all on the way to them are ready, and waits
    /// until each has had a first answer: a member that is up never counts as down at the start.
    private func startMonitors(then: @escaping () -> Void) {
        let balancers = nodes.all.filter { $0.node.monitorTimeout != nil }
        let longest = balancers.compactMap(\.node.monitorTimeout).max() ?? .zero
        for balancer in balancers { balancer.send(.startMonitors) }
        waitForAnswers(
            balancers.map(\.monitorsName), for: "the first round of health checks",
            within: longest + preparationTimeout,
            then: then)
    }

    func start(_ running: RunningNode) throws(LabFailure) {
        let (node, folder) = (running.node, RunFolder(assignment.folder))
        var opened: [Int32] = []
        defer { for descriptor in opened { close(descriptor) } }
        func open(_ path: String, _ kind: RunLogs.Kind) throws(LabFailure) -> Int32 {
            let descriptor = try recorder.logs.open(path, kind)
            opened.append(descriptor)
            return descriptor
        }
        let own = try open(folder.log(of: node.name), .node)
        let requests = try node.logsRequests ? open(folder.requests(of: node.name), .requests) : network.null
        var programs: [Int32] = []
        for program in node.programs {
            programs.append(try open(folder.log(of: program.name, on: node.name), .program))
        }
        let commands = try assignment.variant.commands(of: node.name).map { program throws(LabFailure) in
            try open(folder.log(of: program.name, on: node.name), .program)
        }
        guard let starter = nodes.starter else { return }
        try running.start(
            in: network, by: starter,
            logs: NodeLogs(own: own, requests: requests, programs: programs, commands: commands),
            folder: folder, loop: loop
        ) { [unowned self] in received($0, from: running) }
    }

    /// Waits for one answer of each name, or fails with the names that did not answer.
    private func waitForAnswers(
        _ names: [String], for what: String, within timeout: Duration, then: @escaping () -> Void
    ) {
        let timer = loop.schedule(after: timeout) { [unowned self] in
            guard case .starting(let pending) = phase else { return }
            timedOut("\(what) took longer than \(timeout): no answer from \(pending.names)")
        }
        var pending = PendingAnswers()
        let now = pending.wait(for: names) { [unowned self] in
            loop.cancel(timer)
            then()
        }
        phase = .starting(pending)
        now?()
    }

    private func arrived(_ name: String) {
        guard case .starting(var pending) = phase else { return }
        // Otherwise the set would be copied for each of a thousand nodes.
        phase = .starting(PendingAnswers())
        let then = pending.arrived(name)
        phase = .starting(pending)
        then?()
    }

    // MARK: Reports of nodes

    private func received(_ report: NodeReport?, from running: RunningNode) {
        let name = running.node.name
        switch report {
        case .prepared:
            running.state = .prepared
            arrived(name)
            // A node that is powered on in the middle of a run starts at once.
            guard phase.isRunning else { break }
            if watch.watchesDelays, driver.player.watchesDelays(of: name) { running.send(.watchDelays(true)) }
            running.send(.start)
        case .ready:
            if case .role = running.state {} else { running.state = .ready }
            // A balancer that is powered on in the middle of a run: its members are as they are.
            if phase.isRunning, running.node.monitorTimeout != nil { running.send(.startMonitors) }
            arrived(name)
        case .monitoring: arrived(running.monitorsName)
        case .event(let kind, let time, let details):
            // A box that begins as standby never became it: its first event reports it.
            let role = kind == .ready ? details[.role].flatMap(EventKind.init) : kind
            if let role, role == .active || role == .backup, running.state != .hung {
                running.state = .role(role.rawValue)
            }
            if kind == .syncRefused { running.trouble = details[.reason].map { "refuses its peer: \($0)" } }
            if kind == .peerUp { running.trouble = nil }
            // What a fault does is the fault's own event: `late-fin.held`.
            let subject = running.node.isElement ? details[.rule] ?? name : name
            record(LabEvent(name: kind.name(of: subject), time: time, kind: kind, node: name, details: details))
        case .output(let program, let event, let time, let details, let kind):
            let reference = ProgramReference(node: name, program: program)
            record(
                LabEvent(
                    name: reference.event(event), time: time, kind: kind.rawValue, node: name, details: details))
        case .step(let event, let kind, let time, let details):
            record(LabEvent(name: event, time: time, kind: kind, node: name, details: details))
        case .saved(let policy, let nat): running.saved = (policy, nat)
        case .reply(let number, let reply): nodes.answered(number, reply)
        case .traffic(let result):
            recorder.keep(result)
            driver.feed(.trafficFinished(name: result.program.name))
        case .trafficAnswered(let traffic, let time):
            let kind = EventKind.trafficAnswered
            record(LabEvent(name: kind.name(of: traffic), time: time, kind: kind, node: name))
        case .counters(let readings, let problem):
            // A reading in the middle of a run is no evidence of its end.
            if case .finishing = phase { recorder.keep(readings, of: name) }
            driver.feed(.counters(node: name, readings, problem: problem))
        case .delayed(let from, let to, let waited):
            if driver.player.hasBegun { watch.delays.add(name, from: from, to: to, waited: waited) }
        case .watchingDelays: driver.feed(.watchesDelays(node: name))
        case .failed(let reason): nodeFailed("node '\(name)': \(reason)")
        case .programFailed(let program, let reason):
            let last = recorder.lastLines(of: recorder.folder.log(of: program, on: name))
            nodeFailed("node '\(name)': program '\(program)' \(reason)\(last)")
        case nil: break  // its end arrives as SIGCHLD, with the reason
        }
    }

    private func nodeFailed(_ message: String, remedy: String? = nil) {
        driver.feed(.failed(ScenarioFailure(.lab, message, remedy: remedy)))
    }

    func reap() {
        for (pid, end) in ChildProcess.reap() {
            for running in nodes.all where running.collected(pid) && phase.isEnded {
                network.letGoOfHostSide(of: running.node)
            }
            if let running = nodes.all.first(where: { $0.process?.pid == pid }) {
                running.forgetProcess()
                nodeFailed(
                    "the process of node '\(running.node.name)' died unexpectedly: it \(end.words)",
                    remedy: "its log: \(RunFolder(assignment.folder).logs)/\(running.node.name).log")
            } else if nodes.starter?.pid == pid {
                fail(LabFailure(.lab, "the process that starts nodes died unexpectedly: it \(end.words)"))
            } else if captures?.process?.pid == pid, !captures.isFinished {
                fail(LabFailure(.lab, "the capture process died unexpectedly: it \(end.words)"))
            }
        }
    }
}
