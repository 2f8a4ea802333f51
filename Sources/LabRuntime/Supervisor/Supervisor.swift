internal import Appliances
internal import CLinux
internal import Evidence
internal import EventLoop
internal import Glibc
internal import LabEvents
internal import LabTime
internal import Measurement
internal import SystemPackage
internal import Topology

/// The first process of a lab's PID namespace: it builds the network, starts a process for each node and one for the
/// captures, plays the scenario, and writes the run's folder. When it ends, however it ends, the kernel ends all of
/// the lab's processes and reclaims every namespace and link.
final class Supervisor {
    enum Phase: String {
        case building, starting, running, finishing, ended
    }

    let loop: EventLoop
    let isPersistent: Bool
    /// Hangs up when the warden has ended: the lab is then reclaimed. Handed to whoever asks the lab to stop.
    let reclaimed: Int32
    private(set) var command: LineChannel?
    var clients: [Int32: LineChannel] = [:]

    var assignment: LabAssignment!
    var phase = Phase.building
    let started: Instant
    private let clockPair = ClockPair()
    let startedAt: Timestamp
    var clock = ClockWatch()
    var network: BuiltNetwork!
    var nodes: [String: RunningNode] = [:]
    var starter: NodeStarter!
    var captures: RunningCaptures!
    var journal: Journal!
    /// Writes the logs of nodes and programs.
    var logs: RunLogs!
    var scenario = ScenarioProgress()
    /// What it reports at its end, when its scenario is over.
    var finished: SupervisorReport?
    var traffic: [String: RunningTraffic] = [:]
    /// Commands to boxes that wait for their reply, by number.
    var commands: [Int: (ApplianceReply) -> Void] = [:]
    var nextCommand = 0
    var counters: [String: [CounterReading]] = [:]
    /// When the machine kept the lab from running.
    var delays = RunDelays()
    /// Only while a scenario plays: an idle lab is idle.
    private var ownDelays: DelayWatch?
    var watchesDelays: Bool { ownDelays != nil }
    /// Faults on single frames, by name: the element that each is on, and the event that lets go what it holds.
    var frameFaults: [String: (element: String, awaits: String?)] = [:]
    /// Answers that the supervisor waits for before it goes on, by what they are about.
    var pending = PendingAnswers()

    private static var patienceWithCommand: Duration { .seconds(60) }

    static func main(control: Int32, listener: Int32, reclaimed: Int32, isPersistent: Bool) -> Never {
        cl_set_process_name("fl-supervisor")
        cl_raise_descriptor_limit()
        // Tools inside the lab should see its processes only. Where the host's /proc is partly covered (containers),
        // the kernel refuses a fresh one, and the inherited one serves as well.
        _ = cl_mount_proc()
        do {
            let loop = try EventLoop()
            let supervisor = Supervisor(loop: loop, reclaimed: reclaimed, isPersistent: isPersistent)
            try supervisor.listen(control: control, listener: listener)
            loop.run()
        } catch {
            fail("the supervisor could not start: \(error)", on: control)
        }
        exit(0)
    }

    private init(loop: EventLoop, reclaimed: Int32, isPersistent: Bool) {
        self.loop = loop
        self.reclaimed = reclaimed
        self.isPersistent = isPersistent
        started = loop.now
        startedAt = .now()
    }

    private func listen(control: Int32, listener: Int32) throws(Errno) {
        command = try LineChannel(control, limits: .ownProcesses, on: loop) { [unowned self] line in
            receive(line, from: command)
        } onClose: { [unowned self] in
            command = nil
            if !isPersistent || phase == .building || phase == .starting { interrupt("the command went away") }
        }
        try loop.handleSignals([SIGCHLD, SIGTERM, SIGINT]) { [unowned self] signal in
            if signal == SIGCHLD { reap() } else { interrupt("signal \(signal)") }
        }
        try loop.watch(listener) { [unowned self] _ in accept(from: listener) }
    }

    private func receive(_ line: [UInt8], from channel: LineChannel?) {
        guard let order = try? JSONLine.decode(SupervisorOrder.self, from: line) else {
            channel?.send(
                JSONLine.encode(SupervisorReport.failed(LabFailure(.lab, "that is no order of this version"))))
            return
        }
        switch order {
        case .build(let assignment): build(assignment)
        default: carryOut(order, for: channel)
        }
    }

    private func accept(from listener: Int32) {
        let descriptor = cl_accept(listener)
        guard descriptor >= 0 else { return }
        // Abstract sockets have no file permissions. Inside the lab's user namespace, user 0 is who started the lab.
        guard cl_peer_user(descriptor) == 0 else {
            close(descriptor)
            return
        }
        clients[descriptor] = try? LineChannel(descriptor, on: loop) { [unowned self] line in
            receive(line, from: clients[descriptor])
        } onClose: { [unowned self] in
            clients[descriptor] = nil
        }
    }

    /// From now on: how late this process runs, which injects the faults.
    func watchOwnDelays() {
        ownDelays = DelayWatch(on: loop) { [unowned self] delay in
            delays.add(
                "supervisor", from: clockPair.time(of: delay.from), to: clockPair.time(of: delay.to),
                waited: delay.waited)
        }
    }

    func stopWatchingOwnDelays() { ownDelays = nil }

    // MARK: Telling

    /// To the command that started the lab.
    func tell(_ report: SupervisorReport) {
        command?.send(JSONLine.encode(report))
    }

    /// Records an event of the run; a scenario that waits for it goes on.
    func record(_ event: LabEvent) {
        clock.look()
        do {
            try journal.append(event)
        } catch {
            return fail(error)
        }
        scenarioSaw(event)
        elementsSaw(event)
    }

    /// Ends the lab because something went wrong. What was captured stays: captures are completed first.
    func fail(_ failure: LabFailure) {
        guard phase != .ended else { return }
        // The command may have gone long ago; the run's folder says why the lab ended.
        if failure.kind != .interrupted {
            let complaint = "failoverlab: \(failure)\n"
            _ = write(STDERR_FILENO, complaint, complaint.utf8.count)
            try? journal?.append(
                LabEvent(
                    name: EventKind.failed.name(of: "lab"), time: .now(), kind: .failed, node: nil,
                    details: [.reason: failure.message]))
        }
        end(reporting: .failed(failure), code: failure.kind == .host ? 4 : failure.kind == .interrupted ? 130 : 3)
    }

    private func interrupt(_ reason: String) {
        fail(LabFailure(.interrupted, "ended: \(reason)"))
    }

    /// Completes captures as far as they go, reports, and exits: with this process ends the lab.
    func end(reporting report: SupervisorReport, code: Int32) {
        guard phase != .ended else { return }
        phase = .ended
        let leave = { [self] in
            tell(report)
            for client in clients.values { client.send(JSONLine.encode(SupervisorReport.done)) }
            // What nodes and programs said last may tell why.
            logs?.settle()
            // The command may be busy, with the judgement of another variant for instance, and many reports behind.
            command?.finishSending(within: Self.patienceWithCommand)
            exit(code)
        }
        guard let captures, captures.isAlive, !captures.isFinished else { return leave() }
        try? RunFolder.write(JSONLine.encode(delays.delays), to: RunFolder(assignment.folder).delays)
        captures.onFinished = { [self] summaries in
            // What was captured can still be judged by a person, with its drops.
            try? RunFolder.write(JSONLine.encode(summaries), to: RunFolder(assignment.folder).captureSummaries)
            leave()
        }
        captures.onFailed = { _ in leave() }
        captures.onGone = leave
        // What the kernel needs long for goes beside the captures' end.
        for running in nodes.values { running.kill() }
        captures.drain()
        network.retire()
        loop.schedule(after: .seconds(2) + grace(.milliseconds(10)), leave)
    }

    private static func fail(_ message: String, on control: Int32) -> Never {
        var line = JSONLine.encode(SupervisorReport.failed(LabFailure(.lab, message)))
        line.append(UInt8(ascii: "\n"))
        _ = write(control, line, line.count)
        exit(3)
    }
}
