internal import Appliances
internal import CLinux
internal import Configuration
internal import EventLoop
internal import Glibc
internal import LabFile
internal import SystemPackage
internal import Topology

/// Orders that arrive while the lab is up.
extension Supervisor {
    func carryOut(_ order: SupervisorOrder, for channel: LineChannel?) {
        func answer(_ report: SupervisorReport) { channel?.send(JSONLine.encode(report)) }
        switch order {
        case .build:
            answer(.failed(LabFailure(.lab, "this supervisor has a lab already")))
        case .status:
            answer(.status(status))
        case .fail(let fault, let name):
            guard phase == .running else { return answer(.failed(LabFailure(.lab, "the lab is not ready: \(phase)"))) }
            inject(fault, name: name) { failure in answer(failure.map { .failed($0) } ?? .done) }
        case .connections(let node):
            guard phase == .running else { return answer(.failed(LabFailure(.lab, "the lab is not ready: \(phase)"))) }
            readConnections(of: node) { answer($0) }
        case .impair(let text):
            guard phase == .running else { return answer(.failed(LabFailure(.lab, "the lab is not ready: \(phase)"))) }
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
            if let channel, channel !== command {
                var descriptor = reclaimed
                _ = cl_send_descriptors(channel.descriptor, &descriptor, 1)
            }
            fail(LabFailure(.interrupted, "ended on request"))
        }
    }

    private func readConnections(of name: String, then: @escaping (SupervisorReport) -> Void) {
        guard let running = nodes[name] else {
            return then(.failed(unknown("node", name, among: nodes.keys.sorted())))
        }
        guard running.state != .poweredOff, running.state != .hung else {
            return then(.failed(LabFailure(.lab, "'\(name)' is \(running.words) and does not answer")))
        }
        order(.connections, of: running) { reply in
            switch reply {
            case .connections(let list): then(.connections(list))
            case .refused(let reason): then(.failed(LabFailure(.lab, "\(name): \(reason)")))
            case .done, .role, .configuration:
                then(.failed(LabFailure(.lab, "\(name) answered something else")))
            }
        }
    }

    /// Sends descriptors: network, PID and mount namespace of the node, and the user namespaces of the lab and of its
    /// programs.
    private func handOver(
        namespacesOf name: String, _ side: NodeSide, through channel: LineChannel
    ) throws(LabFailure) {
        guard let running = nodes[name] else {
            throw unknown("node", name, among: nodes.keys.sorted())
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

    /// A name that somebody typed and nothing has.
    func unknown(_ what: String, _ name: String, among known: [String]) -> LabFailure {
        let nearest = Spelling.nearest(to: name, among: known)
        return LabFailure(
            .usage, "there is no \(what) '\(name)'",
            remedy: nearest.map { "did you mean '\($0)'?" } ?? "these are: \(known.joined(separator: ", "))")
    }

    /// The PID of the `run` whose scenario this lab plays; nil of a lab that stays up.
    private var commandOfRun: Int32? {
        guard command != nil, case .scenario? = assignment?.task else { return nil }
        return assignment.command
    }

    private var status: LabStatus {
        LabStatus(
            id: assignment?.id ?? "", folder: assignment?.folder ?? "", since: startedAt, state: "\(phase)",
            run: commandOfRun, captures: captures?.volume,
            nodes: (assignment?.variant.processes ?? []).map { node in
                LabStatus.NodeStatus(
                    name: node.name, role: node.role.word, state: nodes[node.name]?.words ?? "preparing",
                    programs: node.programs.isEmpty ? nil : node.programs.map(\.name),
                    interfaces: node.interfaces.map { interface in
                        ([interface.name] + interface.addresses.map { "\($0)" } + ["\(interface.mac)"])
                            .joined(separator: " ")
                    })
            })
    }
}
