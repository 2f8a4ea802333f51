package import LabEvents
import LabFile

/// Settings of the node's kernel change.
package struct SysctlStep: LiveStepKind {
    package static let event = EventKind.sysctl
    package static let summary = "sets kernel settings of the node's network namespace, `net.…` only"
    package static let form = "{ node: { net.ipv4.conf.all.arp_ignore: 1 } }"
    package static let example = "web net.ipv4.conf.all.arp_ignore=1"

    package var node: String
    package var settings: [Sysctl]

    package var written: String { "\(node) \(text)" }
    package var details: EventDetails { [.what: text] }

    private var text: String { settings.map { "\($0.path)=\($0.value)" }.joined(separator: ", ") }

    package static func read(_ step: LiveStepReading) -> SysctlStep? {
        guard let node = step.node() else { return nil }
        let entries = step.action?.entries ?? assignments(step)
        let settings = entries.compactMap { Sysctl(written: $0, step.reader) }
        guard !settings.isEmpty, settings.count == entries.count else {
            if entries.isEmpty { step.refuse("'sysctl' of '\(node.name)' sets nothing") }
            return nil
        }
        return SysctlStep(node: node.name, settings: settings)
    }

    /// `net.ipv4.ip_forward=0`, as the command has it.
    private static func assignments(_ step: LiveStepReading) -> [LabEntry] {
        guard let action = step.action else { return [] }
        return step.reader.list(action).compactMap(\.text).map { text in
            let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value = sides.count > 1 ? sides[1] : ""
            return LabEntry(
                key: sides[0], keyPosition: action.position,
                value: LabValue(.scalar(value, isQuoted: false), at: action.position))
        }
    }

    package func actions(on node: Node) -> [NodeAction] { [.network(.set(settings), node: node.name)] }
}
