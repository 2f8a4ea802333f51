internal import Appliances
internal import CLinux
internal import Capture
internal import Configuration
internal import EventLoop
internal import Glibc
internal import Impairment
internal import LabFile
internal import Scenario
internal import SystemPackage
internal import Topology

/// Orders of the command and of clients.
extension Supervisor {
    func receive(_ order: SupervisorOrder, from channel: LineChannel?) {
        func answer(_ report: SupervisorReport) { channel?.send(JSONLine.encode(report)) }
        func notReady() { answer(.failed(LabFailure(.lab, "the lab is not ready: \(phase.label)"))) }
        switch order {
        case .build(let assignment):
            if self.assignment == nil { build(assignment) }
        case .status:
            answer(.status(status))
        case .fail(let fault, let name):
            guard phase.isRunning else { return notReady() }
            if let problem = name.flatMap(Fault.problem(withEventName:)) {
                return answer(.failed(LabFailure(.usage, problem)))
            }
            driver.feed(.request(control.request(of: channel), fault, as: name))
        case .step(let text):
            guard phase.isRunning else { return notReady() }
            do throws(LabFileErrors) {
                let (step, name) = try Fault.parsing(step: text, of: assignment.variant)
                driver.feed(.request(control.request(of: channel), step, as: name))
            } catch {
                answer(.failed(LabFailure(.usage, "\(error)")))
            }
        case .connections(let node):
            guard phase.isRunning else { return notReady() }
            readConnections(of: node) { answer($0) }
        case .impair(let text):
            guard phase.isRunning else { return notReady() }
            impair(text) { failure in answer(failure.map { .failed($0) } ?? .done) }
        case .enter(let node, let side):
            guard let channel else { return }
            do {
                try handOver(namespacesOf: node, side, through: channel)
            } catch {
                answer(.failed(error))
            }
        case .play: play()
        case .takeDown: takeDown()
        case .stop:
            control.handOverReclaimed(to: channel)
            fail(LabFailure(.interrupted, "ended on request"))
        }
    }

    private func readConnections(of name: String, then: @escaping (SupervisorReport) -> Void) {
        guard let running = nodes[name] else {
            return then(.failed(unknownNode(name)))
        }
        guard running.state != .poweredOff, running.state != .hung else {
            return then(.failed(LabFailure(.lab, "'\(name)' is \(running.words) and does not answer")))
        }
        nodes.send(.connections, to: running) { reply in
            switch reply {
            case .connections(let list): then(.connections(list))
            case .refused(let reason): then(.failed(LabFailure(.lab, "\(name): \(reason)")))
            case .done, .role, .configuration:
                then(.failed(LabFailure(.lab, "\(name) sent an unexpected answer")))
            }
        }
    }

    /// Sends descriptors: network, PID and mount namespace of the node, and the user namespaces of the lab and of its
    /// programs.
    private func handOver(
        namespacesOf name: String, _ side: NodeSide, through channel: LineChannel
    ) throws(LabFailure) {
        guard let running = nodes[name] else {
            throw unknownNode(name)
        }
        guard side == .wire || running.state != .poweredOff else {
            throw LabFailure(
                .lab, "'\(name)' is powered off, and nothing runs in it: failoverlab fail power-on \(name)")
        }
        var opened: [Int32] = []
        defer { for descriptor in opened { close(descriptor) } }
        for kind in ["pid", "mnt", "user"] {
            // Where programs run, a node has a /run of its own, with their control sockets in it.
            let ofNode = kind == "mnt" && !running.node.programs.isEmpty ? running.process : nil
            let descriptor = ofNode.map { cl_pidfd_open($0.pid) } ?? cl_open("/proc/self/ns/\(kind)", O_RDONLY, 0)
            guard descriptor >= 0 else {
                throw LabFailure(.lab, "the lab's \(kind) namespace cannot be opened: \(Errno(rawValue: -descriptor))")
            }
            opened.append(descriptor)
        }
        let wire = side == .wire ? network.wireNamespace(of: running.node) : nil
        let handed = [wire ?? network.namespace(of: running.node)] + opened + [network.users]
        guard cl_send_descriptors(channel.descriptor, handed, Int32(handed.count)) == handed.count else {
            throw LabFailure(.lab, "the namespaces of '\(name)' could not be handed over")
        }
    }

    /// Installs a fault on single frames from the command line, written as in a lab file.
    private func impair(_ text: String, then: @escaping (LabFailure?) -> Void) {
        do throws(LabFileErrors) {
            let (element, rule) = try FaultRule.parsing(text, of: assignment.variant)
            for filter in rule.filters {
                if let refusal = Capture.CaptureFilter.problem(in: filter) {
                    return then(LabFailure(.usage, "\(refusal)"))
                }
            }
            if let other = driver.player.frameFaults.element(of: rule.name), other != element {
                return then(
                    LabFailure(.usage, "'\(rule.name)' is a fault of \(other); give this one another name with --as"))
            }
            guard let running = nodes[element] else {
                return then(LabFailure(.lab, "there is no impairment link on \(element)"))
            }
            nodes.send(.fault(.install(rule)), to: running) { [unowned self] reply in
                if case .refused(let reason) = reply { return then(LabFailure(.lab, "\(element): \(reason)")) }
                driver.feed(.installed(rule, element: element))
                then(nil)
            }
        } catch {
            then(LabFailure(.usage, "\(error)"))
        }
    }

    private func unknownNode(_ name: String) -> LabFailure {
        LabFailure(.unknown("node", name, among: nodes.names))
    }

    /// The PID of the `run` whose scenario this lab plays; nil of a lab that stays up.
    private var commandOfRun: Int32? {
        guard control.hasCommand, case .scenario? = assignment?.task else { return nil }
        return assignment.command
    }

    private var status: LabStatus {
        LabStatus(
            id: assignment?.id ?? "", folder: assignment?.folder ?? "", since: watch.startedAt, state: phase.label,
            run: commandOfRun, captures: captures?.volume,
            nodes: (assignment?.variant.processes ?? []).map { node in
                LabStatus.NodeStatus(
                    name: node.name, role: node.role.word, state: nodes[node.name]?.words ?? "preparing",
                    programs: node.programs.isEmpty ? nil : node.programs.map(\.name),
                    image: node.image.flatMap { try? NodeImage($0) },
                    interfaces: node.interfaces.map { interface in
                        ([interface.name] + interface.addresses.map { "\($0)" } + ["\(interface.mac)"])
                            .joined(separator: " ")
                    })
            })
    }
}
