internal import Appliances
internal import EventLoop
internal import LabEvents
internal import LabTime
internal import Measurement
internal import Topology
internal import Traffic

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
        do throws(LabFailure) {
            let start = try ProgramStart(command.words, name: "step", of: node, image: image)
            _ = try RunningCommand(
                start, keeping: KeptOutput(first: 16_384), timeout: command.timeout, on: process.loop
            ) { [unowned self] end in
                report(end, of: command, event)
                then(end.problem(with: command).map { .refused(reason: $0) } ?? .done)
            }
        } catch {
            then(.refused(reason: "\(error)"))
        }
    }

    /// Starts the runs of a traffic program of kind `command`.
    func starter(of program: TrafficProgram, log: Int32) -> any CommandStarter {
        TrafficCommands(of: program, node: node, image: image, log: log, in: process)
    }

    private func report(_ end: RunningCommand.End, of command: NodeCommand, _ event: String) {
        var details: EventDetails = [.command: command.text, .exit: "\(end.code)"]
        let lines = end.lines
        if let line = lines.first { details[.line] = line }
        if !lines.isEmpty { details[.output] = lines.joined(separator: "\n") }
        if end.isOverdue { details[.reason] = "killed after \(command.timeout)" }
        process.report(
            .step(
                event: EventKind.exited.name(of: event), kind: .exited, time: process.time(of: process.loop.now),
                details: details))
    }
}

extension RunningCommand.End {
    /// How much of the output is shown.
    private static var mostLines: Int { 10 }
    private static var longestLine: Int { 200 }

    /// The first ones that are not empty.
    fileprivate var lines: [String] {
        let texts = output.bytes.split(separator: UInt8(ascii: "\n")).lazy
            .map { String(decoding: $0.prefix(Self.longestLine), as: UTF8.self) }
            .filter { !$0.allSatisfy(\.isWhitespace) }
        return Array(texts.prefix(Self.mostLines))
    }

    /// What is not as expected; nil where all is.
    fileprivate func problem(with command: NodeCommand) -> String? {
        let printed = lines.isEmpty ? "" : ": \(lines.prefix(3).joined(separator: " / "))"
        if isOverdue { return "'\(command.text)' took longer than \(command.timeout), and was killed\(printed)" }
        guard code != command.exit else { return nil }
        return "'\(command.text)' ended with exit code \(code), not \(command.exit)\(printed)"
    }
}
