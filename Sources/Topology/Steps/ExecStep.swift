package import LabEvents
import LabFile

/// A command runs in the node, as its programs do, and must end in time with an exit code.
package struct ExecStep: LiveStepKind {
    package static let event = EventKind.exec
    package static let summary =
        "runs a command, for which the scenario waits; its end is the event `exec.exited` with `exit`, `line` and `output`"
    package static let form = "{ node: command }"
    package static let options = ["exit", "within"]
    package static let example = "web ip neigh flush dev lan"
    package static let laterEvents = [EventKind.exited]

    /// Longer ones belong into a program of the node.
    static let longestTime = Duration.seconds(60)

    package var node: String
    package var command: NodeCommand

    package var written: String { "\(node) \(command.text)" }
    package var details: EventDetails { [.command: command.text] }

    package static func read(_ step: LiveStepReading) -> ExecStep? {
        guard let node = step.node() else { return nil }
        let elements = step.action.map(step.reader.list) ?? []
        let texts = elements.compactMap(\.text)
        let size = texts.reduce(0) { $0 + $1.utf8.count }
        guard let first = texts.first, !first.isEmpty, texts.count == elements.count, size <= LabLimits.commandLine
        else {
            step.refuse(
                "the command of 'exec' is \(step.action?.found ?? "missing")",
                allowed: [
                    "a line for the shell", "a list with each word by itself",
                    "of at most \(LabLimits.commandLine) characters",
                ])
            return nil
        }
        let words = elements.map { element in
            step.references.resolve(text: element.text ?? "", at: element.position, step.reader)
        }
        let isLine = step.action?.elements == nil
        let exit = step.mapping["exit"].map { step.reader.integer($0, of: "'exit' of an 'exec' step", in: 0...255) }
        guard let exit = exit ?? 0 else { return nil }
        return ExecStep(
            node: node.name,
            command: NodeCommand(
                words: isLine ? ["/bin/sh", "-c", words[0]] : words, text: words.joined(separator: " "), exit: exit,
                timeout: step.mapping.duration("within", in: .milliseconds(1)...longestTime) ?? .seconds(10)))
    }

    package func actions(on node: Node) -> [NodeAction] { [.run(command, node: node.name, event: Self.event.rawValue)] }
}
