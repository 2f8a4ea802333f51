internal import Configuration
internal import CLinux
internal import EventLoop
internal import Glibc
internal import Measurement
internal import SystemPackage
internal import Topology

/// A node as the supervisor sees it: its process, its channel, and what is known of its state.
final class RunningNode {
    enum State: Hashable {
        case preparing, prepared, ready
        /// What the box reported last (`active`, `backup`).
        case role(String)
        case hung, poweredOff
    }

    let node: Node
    private(set) var process: ChildProcess?
    private(set) var channel: LineChannel?
    /// Killed, and not yet reaped: the kernel needs some time for packet rings.
    private var dying: ChildProcess?
    var state = State.preparing
    /// A remark beside the state: why the peer's messages are refused.
    var trouble: String?
    /// What a firewall saved: another configuration than the lab's, which was pushed.
    var saved: (policy: PolicyConfiguration, nat: NATConfiguration?)?
    private var stateBeforeHang = State.ready

    init(_ node: Node) { self.node = node }

    /// What the supervisor waits for after it has started a load balancer's monitors.
    var monitorsName: String { "the monitors of \(node.name)" }

    var words: String {
        switch state {
        case .preparing: "preparing"
        case .prepared: "prepared"
        case .ready: "ready"
        case .role(let role): trouble.map { "\(role), \($0)" } ?? role
        case .hung: "hung"
        case .poweredOff: "powered-off"
        }
    }

    /// Starts the node's process inside its namespace and sends it its configuration.
    /// - Parameter onReport: called for every line of the process; `nil` when its channel has closed
    func start(
        in network: BuiltNetwork, by starter: NodeStarter, logs: NodeLogs, folder: RunFolder, loop: EventLoop,
        onReport: @escaping (NodeReport?) -> Void
    ) throws(LabFailure) {
        var pair = try SocketPair()
        let own = network.namespace(of: node)
        let wire = network.wireNamespace(of: node) ?? own
        // The sockets of a process that was killed are closed when it has ended.
        _ = dying?.wait()
        dying = nil
        state = .preparing
        trouble = nil
        do {
            channel = try LineChannel(pair.takeOurs(), limits: .ownProcesses, on: loop) { line in
                let report = try? JSONLine.decode(NodeReport.self, from: line)
                onReport(report ?? .failed("it sent a message that this version does not understand"))
            } onClose: {
                onReport(nil)
            }
            process = try starter.start(
                node.name,
                descriptors: [network.null, logs.own, logs.own, pair.theirs, wire, network.users, logs.requests]
                    + logs.programs + logs.commands,
                networkNamespace: own)
        } catch let failure as LabFailure {
            throw failure
        } catch {
            throw LabFailure(.lab, "node '\(node.name)' could not be started: \(error)")
        }
        send(firstOrder(folder))
    }

    /// What the node is.
    func firstOrder(_ folder: RunFolder) -> NodeOrder { .prepare(nodeAsSaved, folder: folder.path) }

    /// The node with what was pushed to it, also after a power-off.
    private var nodeAsSaved: Node {
        guard let saved, var firewall = node.role.firewall else { return node }
        (firewall.policy, firewall.nat) = (saved.policy, saved.nat)
        var node = node
        node.role = Node.Role(firewall)
        return node
    }

    func send(_ order: NodeOrder) { channel?.send(JSONLine.encode(order)) }

    /// A real crash: the process gets SIGKILL and nothing else.
    func kill() {
        channel?.close()
        channel = nil
        process?.signal(SIGKILL)
        dying = process
        process = nil
        state = .poweredOff
    }

    /// - Returns: whether the child that has ended was this node's process, killed on purpose
    func collected(_ pid: Int32) -> Bool {
        guard dying?.pid == pid else { return false }
        dying = nil
        return true
    }

    /// Stops the node's process and its programs; they are stopped on return.
    func freeze() {
        if let process { ProcessDescendants(of: process.pid).stop() }
    }

    /// The node's programs stop with it.
    func stopRunning() {
        freeze()
        stateBeforeHang = state
        state = .hung
    }

    func resume() {
        if let process { ProcessDescendants(of: process.pid).resume() }
        state = stateBeforeHang
    }

    /// The process has ended by itself.
    func forgetProcess() {
        // Its last lines may have the reason.
        channel?.drainAndClose()
        channel = nil
        process = nil
    }
}

/// Where a node's process and what runs in it log: writing ends of pipes.
struct NodeLogs {
    var own: Int32
    /// Of its HTTP services; leads nowhere where it has none.
    var requests: Int32
    /// In the order of its programs.
    var programs: [Int32]
    /// In the order of its traffic programs of kind `command`.
    var commands: [Int32]
}

extension Variant {
    /// The traffic programs of kind `command` that start at a node.
    func commands(of node: String) -> [TrafficProgram] {
        traffic.filter { $0.kind == .command && $0.from == node }
    }

    /// Where a node's process finds the log of a program of kind `command`; nil of another kind.
    func logDescriptor(of program: TrafficProgram) -> Int32? {
        let place = commands(of: program.from).firstIndex { $0.name == program.name }
        let programs = nodes.first { $0.name == program.from }?.programs.count ?? 0
        return place.map { NodeProcess.logDescriptor(ofProgram: programs + $0) }
    }
}

extension Node {
    /// The longest time that a first answer of a health monitor may take; nil for a node without monitors.
    var monitorTimeout: Duration? {
        role.configuration.virtualServices.compactMap { $0.monitor?.timeout }.max()
    }
}
