internal import Appliances
internal import EventLoop
internal import LabEvents
internal import LabTime
internal import Topology

/// Commands of steps, each in the sandbox that the node's programs have, beside whatever the node does.
final class NodeCommands {
    private let node: Node
    private let image: NodeImage?
    private let process: NodeProcess

    init(of node: Node, image: NodeImage?, in process: NodeProcess) {
        self.node = node
        self.image = image
        self.process = process
    }

    /// Reports its end as an event, and then replies.
    func run(_ command: NodeCommand, event: String, then: @escaping (ApplianceReply) -> Void) {
        guard let executable = command.words.first.flatMap({ image == nil ? Executable.file(of: $0) : $0 }) else {
            return then(.refused(reason: "'\(command.words.first ?? "")' is not installed"))
        }
        let start = ProgramStart(
            name: "\(node.name).step", executable: executable, command: command.words, folder: nil,
            sharesRun: !node.programs.isEmpty, scratch: [], image: image)
        do throws(LabFailure) {
            let running = try RunningCommand(start, on: process.loop) { [unowned self] end in
                report(end, of: command, event)
                then(end.problem(with: command).map { .refused(reason: $0) } ?? .done)
            }
            process.loop.schedule(after: command.timeout) { running.kill() }
        } catch {
            then(.refused(reason: "\(error)"))
        }
    }

    private func report(_ end: RunningCommand.End, of command: NodeCommand, _ event: String) {
        var details: EventDetails = [.command: command.text, .exit: "\(end.code)"]
        if let line = end.lines.first { details[.line] = line }
        if !end.lines.isEmpty { details[.output] = end.lines.joined(separator: "\n") }
        if end.isOverdue { details[.reason] = "killed after \(command.timeout)" }
        process.report(
            .step(
                event: EventKind.exited.name(of: event), kind: .exited, time: process.time(of: process.loop.now),
                details: details))
    }
}

extension RunningCommand.End {
    /// What is not as expected; nil where all is.
    fileprivate func problem(with command: NodeCommand) -> String? {
        let printed = lines.isEmpty ? "" : ": \(lines.prefix(3).joined(separator: " / "))"
        if isOverdue { return "'\(command.text)' took longer than \(command.timeout), and was killed\(printed)" }
        guard code != command.exit else { return nil }
        return "'\(command.text)' ended with exit code \(code), not \(command.exit)\(printed)"
    }
}
