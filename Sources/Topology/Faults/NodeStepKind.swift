package import LabEvents

/// A kind of step that does something to a node: what it names, when it is possible, and what is done then.
package protocol NodeStepKind: Hashable, Sendable, Codable {
    /// Its name in messages between processes, by default the lab file's word. It stays.
    static var key: String { get }
    /// The kind of the event that it makes, and the lab file's word.
    static var event: EventKind { get }
    /// What happens, for the reference.
    static var summary: String { get }
    /// What it requires of the node, and what becomes of it.
    static var effect: NodeEffect { get }

    /// The node, or the in-line element.
    var node: String { get }
    /// What it names, as the command has it: `fw-a.inside`
    var written: String { get }
    /// What its event has besides the node.
    var details: EventDetails { get }
    /// Where the cable is plugged in.
    var interface: InterfaceReference? { get }
    /// The fault on single frames. The running lab knows which element has it.
    var rule: String? { get }
    /// Who refuses, where the last action is refused; nil for the node.
    var subject: String? { get }

    /// - Parameter node: in the condition that `effect` requires
    func actions(on node: Node) throws(FaultRefusal) -> [NodeAction]
}

extension NodeStepKind {
    package static var key: String { event.rawValue }
    package static var effect: NodeEffect { .none }
    package var written: String { node }
    package var details: EventDetails { [:] }
    package var interface: InterfaceReference? { nil }
    package var rule: String? { nil }
    package var subject: String? { nil }

    var hashable: AnyHashable { AnyHashable(self) }
}
