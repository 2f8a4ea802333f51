internal import CLinux
internal import Evidence
internal import EventLoop
internal import Glibc
internal import LabEvents
internal import LabTime
internal import Scenario
internal import SystemPackage
internal import Topology

/// The first process of a lab's PID namespace: it builds the network, starts a process for each node and one for the
/// captures, carries out the orders of the scenario's player, and writes the run's folder. When it ends, however it
/// ends, the kernel ends all of the lab's processes and reclaims every namespace and link.
///
/// | part | owns |
/// |---|---|
/// | `ControlChannel` | the command, clients, and who waits for which answer |
/// | `RunWatch` | the run's clocks, and delays of the machine |
/// | `RunningNodes` | the processes of nodes, and commands without a reply |
/// | `RunningCaptures` | the process that captures |
/// | `RunRecorder` | the run's folder |
/// | `ScenarioDriver` | the player, what it has not seen yet, and its timer |
final class Supervisor {
    enum Phase {
        case building
        /// What prepares, and is missing before the lab is ready.
        case starting(PendingAnswers)
        case running
        /// The scenario is over; figures and captures are not complete.
        case finishing
        /// The run's folder is complete; what is reported when the lab is taken down.
        case finished(SupervisorReport)
        case ended

        /// For `failoverlab status`.
        var label: String {
            switch self {
            case .building: "building"
            case .starting: "starting"
            case .running: "running"
            case .finishing, .finished: "finishing"
            case .ended: "ended"
            }
        }

        var isRunning: Bool { if case .running = self { true } else { false } }
        var isEnded: Bool { if case .ended = self { true } else { false } }

        fileprivate var isBeforeReady: Bool {
            switch self {
            case .building, .starting: true
            case .running, .finishing, .finished, .ended: false
            }
        }
    }

    let loop: EventLoop
    var phase = Phase.building
    private(set) var control: ControlChannel!
    let watch: RunWatch
    let nodes: RunningNodes
    var assignment: LabAssignment!
    var network: BuiltNetwork!
    var captures: RunningCaptures!
    var recorder: RunRecorder!
    var driver: ScenarioDriver!

    static func main(control: Int32, listener: Int32, reclaimed: Int32, isPersistent: Bool) -> Never {
        cl_set_process_name("fl-supervisor")
        cl_raise_descriptor_limit()
        // Tools inside the lab should see its processes only. Where the host's /proc is partly covered (containers),
        // the kernel refuses a fresh one, and the inherited one serves as well.
        _ = cl_mount_proc()
        do {
            let loop = try EventLoop()
            let supervisor = Supervisor(loop: loop)
            try supervisor.listen(
                control: control, listener: listener, reclaimed: reclaimed, isPersistent: isPersistent)
            loop.run()
        } catch {
            fail("the supervisor could not start: \(error)", on: control)
        }
        exit(0)
    }

    private init(loop: EventLoop) {
        self.loop = loop
        watch = RunWatch(on: loop)
        nodes = RunningNodes(on: loop)
    }

    private func listen(control: Int32, listener: Int32, reclaimed: Int32, isPersistent: Bool) throws(Errno) {
        try loop.handleSignals([SIGCHLD, SIGTERM, SIGINT]) { [unowned self] signal in
            if signal == SIGCHLD { reap() } else { interrupt("signal \(signal)") }
        }
        self.control = try ControlChannel(command: control, listener: listener, reclaimed: reclaimed, on: loop) {
            [unowned self] order, channel in
            receive(order, from: channel)
        } onCommandGone: { [unowned self] in
            if !isPersistent || phase.isBeforeReady { interrupt("the command ended") }
        }
    }

    // MARK: Events

    /// Records an event that the scenario did not order; what waits for it goes on.
    func record(_ event: LabEvent) {
        write(event)
        if !phase.isEnded { driver.feed(.event(event.name)) }
    }

    func write(_ event: LabEvent) {
        watch.lookAtClock()
        do {
            try recorder.append(event)
        } catch {
            fail(error)
        }
    }

    // MARK: Ends

    /// Something took too long; on a machine that kept the lab's processes from running that proves nothing.
    func timedOut(_ message: String) {
        guard let busyMachine = watch.busyMachine else { return fail(LabFailure(.lab, message)) }
        fail(LabFailure(.undecided, message + busyMachine))
    }

    /// Ends the lab because something went wrong. What was captured stays: captures are completed first.
    func fail(_ failure: LabFailure) {
        guard !phase.isEnded else { return }
        // The command may have gone long ago; the run folder has the reason why the lab ended.
        if failure.kind != .interrupted {
            let complaint = "failoverlab: \(failure)\n"
            _ = Glibc.write(STDERR_FILENO, complaint, complaint.utf8.count)
            try? recorder?.append(
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
        guard !phase.isEnded else { return }
        phase = .ended
        driver?.feed(.stopped)
        let leave = { [self] in
            control.end(reporting: report)
            // What nodes and programs printed last may explain the end.
            recorder?.logs?.settle()
            control.finishSending()
            exit(code)
        }
        guard let captures, captures.isAlive, !captures.isFinished else { return leave() }
        recorder.writeWhatIsLeft(watch.delays)
        captures.onFinished = { [self] summaries in
            recorder.writeWhatIsLeft(summaries)
            leave()
        }
        captures.onFailed = { _ in leave() }
        captures.onGone = leave
        // The slow work of the kernel overlaps the end of the captures.
        for running in nodes.all { running.kill() }
        captures.drain()
        network.retire()
        loop.schedule(after: .seconds(2) + grace(.milliseconds(10)), leave)
    }

    private static func fail(_ message: String, on control: Int32) -> Never {
        var line = JSONLine.encode(SupervisorReport.failed(LabFailure(.lab, message)))
        line.append(UInt8(ascii: "\n"))
        _ = Glibc.write(control, line, line.count)
        exit(3)
    }
}
