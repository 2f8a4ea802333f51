internal import CLinux
internal import EventLoop
internal import Glibc
internal import LabEvents
internal import LabTime
internal import Mutants
internal import SystemPackage
internal import Topology

/// A node's process: told by its supervisor what it is, it opens what it needs, says so, and waits for `start`.
///
/// It begins inside the node's (host-side) network namespace. Descriptors: 3 the channel to the supervisor, 4 the
/// wire namespace of a box, 5 the programs' user namespace, 6 a balancer's access log, from 7 on the logs of its
/// programs, and then those of its traffic programs of kind `command`.
final class NodeProcess {
    static let controlDescriptor: Int32 = 3
    static let wireNamespaceDescriptor: Int32 = 4
    static let usersDescriptor: Int32 = 5
    static let requestsDescriptor: Int32 = 6
    static func logDescriptor(ofProgram number: Int) -> Int32 { 7 + Int32(number) }

    let loop: EventLoop
    private(set) var channel: LineChannel!
    private var program: (any NodeProgram)?
    /// Third-party programs, where the lab has some for this node.
    private var programs: NodePrograms?
    /// Commands of steps, in the node of `prepare`.
    private var commands: NodeCommands?
    /// The node's own role is settled; its programs may not be ready yet.
    private var isSettled = false
    /// Turns instants of boxes into times of the run.
    private let clock = ClockPair()
    /// While a scenario plays.
    private var delays: DelayWatch?
    private(set) var kernelEvents: KernelEvents!
    /// nil of an impairment link.
    private var kernel: KernelWatch?

    static func run(name: String) -> Never {
        Mutant.begin(node: name)
        cl_set_process_name("fl-\(name)")
        cl_raise_descriptor_limit()
        // Heartbeats and probes every few milliseconds: median lateness 8 µs instead of 57.
        cl_set_timer_slack(1)
        do {
            let process = try NodeProcess()
            process.loop.run()
        } catch {
            let line = JSONLine.encode(NodeReport.failed("\(error)")) + [UInt8(ascii: "\n")]
            _ = write(controlDescriptor, line, line.count)
            exit(3)
        }
        exit(0)
    }

    private init() throws(Errno) {
        loop = try EventLoop()
        channel = try LineChannel(Self.controlDescriptor, limits: .ownProcesses, on: loop) { [unowned self] line in
            received(line)
        } onClose: {
            // Nobody is left to work for.
            exit(0)
        }
        kernelEvents = KernelEvents(in: self)
    }

    func report(_ report: NodeReport) {
        if case .ready = report {
            isSettled = true
            // A node is ready when all that runs on it is.
            guard programs?.areReady ?? true else { return }
        }
        channel.send(JSONLine.encode(report))
    }

    /// Of the run.
    func time(of instant: Instant) -> Timestamp { clock.time(of: instant) }

    func event(_ kind: EventKind, at instant: Instant, details: EventDetails) {
        report(.event(kind: kind, time: clock.time(of: instant), details: details))
    }

    /// Reports the reason and ends: the supervisor ends the lab.
    func fail(_ reason: String) { fail(.failed(reason)) }

    func fail(_ report: NodeReport) {
        self.report(report)
        channel.finishSending(within: .seconds(5))
        exit(3)
    }

    private func received(_ line: [UInt8]) {
        do {
            switch try JSONLine.decode(NodeOrder.self, from: line) {
            case .prepare(let node, let folder):
                // First, because a namespace of mounts is entered before there is a second thread.
                if !node.programs.isEmpty { programs = try NodePrograms(of: node, folder: RunFolder(folder), in: self) }
                if !node.isElement { kernel = try KernelWatch(of: node, in: self) }
                commands = NodeCommands(of: node, image: programs?.image, in: self)
                program = try node.program(in: self)
                report(.prepared)
            case .start:
                kernel?.start()
                kernelEvents.begin()
                try programs?.start { [unowned self] in if isSettled { report(.ready) } }
                try running.start()
            case .program(let number, let name, let order):
                programs?.carryOut(order, of: name) { [unowned self] in report(.reply(number: number, $0)) }
            case .run(let number, let command, let event):
                commands?.run(command, event: event) { [unowned self] in report(.reply(number: number, $0)) }
            case .startMonitors: try running.startMonitors { [unowned self] in report(.monitoring) }
            case .command(let number, let command): report(.reply(number: number, try running.perform(command)))
            case .startTraffic(let program, let number, let log):
                try running.startTraffic(
                    program, number: number, commands: log.flatMap { commands?.starter(of: program, log: $0) })
            case .finishTraffic(let name): try running.finishTraffic(name)
            case .readCounters(let names): try readCounters(names)
            case .watchDelays(let isOn): watchDelays(isOn)
            }
        } catch {
            fail("\(error)")
        }
    }

    private func readCounters(_ names: [String]?) throws(LabFailure) {
        let own = try running.counters
        guard let programs else { return report(.counters(own)) }
        programs.counterCommands.read(of: names) { [unowned self] readings, problem in
            report(.counters(own + readings, problem: problem))
        }
    }

    private func watchDelays(_ isOn: Bool) {
        guard isOn else { return delays = nil }
        delays = DelayWatch(on: loop) { [unowned self] delay in
            report(
                .delayed(from: clock.time(of: delay.from), to: clock.time(of: delay.to), waited: delay.waited))
        }
        report(.watchingDelays)
    }

    private var running: any NodeProgram {
        get throws(LabFailure) {
            guard let program else { throw LabFailure(.lab, "an order arrived before the node was prepared") }
            return program
        }
    }
}
