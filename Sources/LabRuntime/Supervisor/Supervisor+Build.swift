internal import CLinux
internal import Configuration
internal import EventLoop
internal import Evidence
internal import Glibc
internal import LabEvents
internal import LabTime
internal import Measurement
internal import SystemPackage
internal import Topology

/// From nothing to a lab in which every role is ready and every interface is captured.
extension Supervisor {
    /// How long the processes of a lab may take to prepare, and its roles to settle.
    var preparationTimeout: Duration { .seconds(30) + grace(.milliseconds(100)) }

    /// What is allowed for each of the lab's processes and captures.
    func grace(_ each: Duration) -> Duration {
        each * ((assignment?.variant.processes.count ?? 0) + (captures?.count ?? 0))
    }

    func build(_ assignment: LabAssignment) {
        guard self.assignment == nil else { return }
        self.assignment = assignment
        scenario = ScenarioProgress(assignment.variant.scenario)
        learnFrameFaults()
        let folder = RunFolder(assignment.folder)
        do {
            try HostProblem.checkPacketSockets()
            try Executable.check(assignment.variant.nodes.flatMap(\.programs))
            journal = try Journal(path: folder.events)
            network = try BuiltNetwork(building: assignment.variant)
            logs = try RunLogs()
            phase = .starting
            // Nodes and captures prepare beside each other; nothing sends before the captures are armed.
            let captureLog = try logs.open(folder.captureLog, .node)
            defer { close(captureLog) }
            captures = try RunningCaptures(
                network.capturePoints, snapshotLength: assignment.variant.capture.snapshotLength,
                limit: assignment.captureLimit, folder: folder, log: captureLog, null: network.null, loop: loop)
            captures.onArmed = { [unowned self] in pending.arrived("the captures")?() }
            captures.onFailed = { [unowned self] in fail($0) }
            captures.onGone = { [unowned self] in fail(LabFailure(.lab, "the capture process ended unasked")) }
            let running = assignment.variant.processes.map { RunningNode($0) }
            if let first = running.first {
                let starterLog = try logs.open(folder.starterLog, .node)
                defer { close(starterLog) }
                starter = try NodeStarter(null: network.null, log: starterLog, sample: first.firstOrder(folder))
            }
            for node in running {
                nodes[node.node.name] = node
                try start(node)
            }
        } catch {
            return fail(error)
        }
        let names = assignment.variant.processes.map(\.name)
        waitForAnswers(names + ["the captures"], for: "preparing", within: preparationTimeout) { [unowned self] in
            for node in nodes.values { node.send(.start) }
            waitForAnswers(names, for: "becoming ready", within: preparationTimeout) { [unowned self] in
                startMonitors { [unowned self] in
                    phase = .running
                    tell(.ready(after: loop.now - started))
                }
            }
        }
    }

    /// Labs with more processes than this watch only those that evidence can depend on: a timer every 20 ms in each of a
    /// thousand hosts would keep the machine from running the lab.
    private static let mostWatched = 100

    func isWatchedForDelays(_ node: Node) -> Bool {
        guard case .host(let host) = node.role, node.programs.isEmpty, node.tunnel == nil,
            assignment.variant.processes.count > Self.mostWatched
        else { return true }
        return host.kind == .router || !host.servers.isEmpty
            || assignment.variant.traffic.contains { $0.from == node.name }
    }

    /// Has the load balancers' monitors begin, now that their members and all on the way to them are ready, and waits
    /// until each has had a first answer: a member that is there is never held for dead at the start.
    private func startMonitors(then: @escaping () -> Void) {
        let balancers = nodes.values.filter { $0.node.monitorTimeout != nil }
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
            let descriptor = try logs.open(path, kind)
            opened.append(descriptor)
            return descriptor
        }
        let own = try open(folder.log(of: node.name), .node)
        let requests = try node.hasAccessLog ? open(folder.requests(of: node.name), .requests) : network.null
        var programs: [Int32] = []
        for program in node.programs {
            programs.append(try open(folder.log(of: program.name, on: node.name), .program))
        }
        try running.start(
            in: network, by: starter, logs: NodeLogs(own: own, requests: requests, programs: programs),
            folder: folder, loop: loop
        ) { [unowned self] in heard($0, from: running) }
    }

    /// Waits for one answer of each name, or fails and says who did not answer.
    func waitForAnswers(_ names: [String], for what: String, within patience: Duration, then: @escaping () -> Void) {
        let timer = loop.schedule(after: patience) { [unowned self] in
            waitedTooLong("\(what) took longer than \(patience): no answer from \(pending.words)")
        }
        let now = pending.wait(for: names) { [unowned self] in
            loop.cancel(timer)
            then()
        }
        now?()
    }

    // MARK: Listening to nodes

    private func heard(_ report: NodeReport?, from running: RunningNode) {
        let name = running.node.name
        switch report {
        case .prepared:
            running.state = .prepared
            pending.arrived(name)?()
            // A node that is powered on in the middle of a run starts at once.
            guard phase == .running else { break }
            if watchesDelays, isWatchedForDelays(running.node) { running.send(.watchDelays(true)) }
            running.send(.start)
        case .ready:
            if case .role = running.state {} else { running.state = .ready }
            // A balancer that is powered on in the middle of a run: its members are as they are.
            if phase == .running, running.node.monitorTimeout != nil { running.send(.startMonitors) }
            pending.arrived(name)?()
        case .monitoring: pending.arrived(running.monitorsName)?()
        case .event(let kind, let time, let details):
            // A box that begins as standby never became it: its first word says so.
            let role = kind == .ready ? details[.role].flatMap(EventKind.init) : kind
            if let role, role == .active || role == .backup, running.state != .hung {
                running.state = .role(role.rawValue)
            }
            if kind == .syncRefused { running.trouble = details[.reason].map { "refuses its peer: \($0)" } }
            if kind == .peerUp { running.trouble = nil }
            // What a fault does is the fault's own event: `late-fin.held`.
            let subject = running.node.isElement ? details[.rule] ?? name : name
            record(LabEvent(name: kind.name(of: subject), time: time, kind: kind, node: name, details: details))
        case .saved(let policy, let nat): running.saved = (policy, nat)
        case .reply(let number, let reply): answered(number, reply)
        case .traffic(let result): finished(result)
        case .trafficAnswered(let traffic, let time):
            record(trafficEvent(.trafficAnswered, of: traffic, at: time, node: name))
        case .counters(let readings): read(readings, of: name)
        case .delayed(let from, let to, let waited):
            if scenario.hasBegun { delays.add(name, from: from, to: to, waited: waited) }
        case .watchingDelays: pending.arrived(running.delaysName)?()
        case .failed(let reason): fail(LabFailure(.lab, "node '\(name)': \(reason)"))
        case .programFailed(let program, let reason):
            let last = lastLines(of: RunFolder(assignment.folder).log(of: program, on: name))
            fail(LabFailure(.lab, "node '\(name)': program '\(program)' \(reason)\(last)"))
        case nil: break  // its end arrives as SIGCHLD, with the reason
        }
    }

    /// What a program said last, indented, below its own heading.
    private func lastLines(of log: String, most: Int = 8) -> String {
        let lines = logs.lastLines(of: log, most: most)
        if lines.isEmpty { return "; it said nothing" }
        return "; its last lines, of \(log):" + lines.map { "\n    \($0)" }.joined()
    }

    func reap() {
        for (pid, end) in ChildProcess.reap() {
            for running in nodes.values where running.collected(pid) && phase == .ended {
                network.letGoOfHostSide(of: running.node)
            }
            if let running = nodes.values.first(where: { $0.process?.pid == pid }) {
                running.forgetProcess()
                fail(
                    LabFailure(
                        .lab, "the process of node '\(running.node.name)' died unasked: it \(end.words)",
                        remedy: "its log: \(RunFolder(assignment.folder).logs)/\(running.node.name).log"))
            } else if starter?.pid == pid {
                fail(LabFailure(.lab, "the process that starts nodes died unasked: it \(end.words)"))
            } else if captures?.process?.pid == pid, !captures.isFinished {
                fail(LabFailure(.lab, "the capture process died unasked: it \(end.words)"))
            }
        }
    }
}
