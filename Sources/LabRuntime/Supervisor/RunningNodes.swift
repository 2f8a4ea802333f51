internal import Appliances
internal import EventLoop
internal import LabTime
internal import Scenario
internal import Topology

/// The lab's nodes, the process that starts theirs, and commands that wait for their replies.
final class RunningNodes {
    private let loop: EventLoop
    private var byName: [String: RunningNode] = [:]
    var starter: NodeStarter?
    /// What waits for a reply.
    private struct Command {
        /// The node whose death ends the wait; nil where a timeout does.
        var node: String?
        var then: (ApplianceReply) -> Void
    }

    /// By number.
    private var commands: [Int: Command] = [:]
    private var lastCommand = 0

    init(on loop: EventLoop) { self.loop = loop }

    func add(_ node: RunningNode) { byName[node.node.name] = node }

    subscript(name: String) -> RunningNode? { byName[name] }

    var all: some Collection<RunningNode> { byName.values }

    var names: [String] { byName.keys.sorted() }

    /// Sends an order that is answered with a reply of its number.
    /// - Parameter timeout: nil where the caller has one of its own
    func send(
        _ order: (Int) -> NodeOrder, to running: RunningNode, within timeout: Duration?,
        then: @escaping (ApplianceReply) -> Void
    ) {
        lastCommand += 1
        let number = lastCommand
        commands[number] = Command(node: timeout == nil ? running.node.name : nil, then: then)
        running.send(order(number))
        guard let timeout else { return }
        loop.schedule(after: timeout) { [unowned self] in answered(number, CommandTimeout.reply) }
    }

    /// A command that is not the scenario's.
    func send(
        _ command: ApplianceCommand, to running: RunningNode, then: @escaping (ApplianceReply) -> Void
    ) {
        send({ .command(number: $0, command) }, to: running, within: CommandTimeout.duration, then: then)
    }

    func answered(_ number: Int, _ reply: ApplianceReply) {
        commands.removeValue(forKey: number)?.then(reply)
    }

    /// A node that was killed replies to nothing any more.
    func forgetCommands(to node: String) {
        commands = commands.filter { $0.value.node != node }
    }
}
