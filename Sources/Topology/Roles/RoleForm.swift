import Configuration
import LabFile

/// How nodes of a role are written, and what reads what only they have.
struct RoleForm: Sendable {
    typealias Reading =
        @Sendable (
            _ mapping: MappingReader, _ node: inout NodeDefinition, _ timers: Timers
        ) -> any RoleDefinition

    /// The lab file's word.
    var word: String
    /// As messages call such a node: `a load balancer`.
    var article: String
    /// What it is, for the reference.
    var summary: String
    /// The keys that only this role, or roles like it, have.
    var keys: [String]
    /// Whether its dataplane knows IPv6; the kernel does.
    var carriesIPv6 = true
    /// What such a node is, resolved.
    var configuration: any ResolvedRole.Type
    /// `nodes` with the node `example`, on networks `left` and `right` or one of them, beside the backend `server` of
    /// both, which has 192.0.2.20 and 198.51.100.20.
    var example: String
    var read: Reading

    /// Whether it is a box: an appliance with a wire side and a host side.
    var isBox: Bool { configuration.isBox }

    var allKeys: [String] { NodeDefinition.keys.first + keys + NodeDefinition.keys.last }
}

extension RoleForm: RawRepresentable, CaseIterable {
    static var allCases: [RoleForm] { RoleForms.table }

    init?(rawValue: String) {
        guard let form = RoleForms.table.first(where: { $0.word == rawValue }) else { return nil }
        self = form
    }

    var rawValue: String { word }
}

/// What only nodes of one role have, as written.
protocol RoleDefinition {
    /// As messages call a node that joins its networks at layer 2; nil of any other.
    var joint: String? { get }

    /// The role's configuration; nil after a report.
    /// - Parameter routes: of the node, its default routes included
    func resolved(
        _ node: NodeDefinition, _ ports: [PortConfiguration], _ routes: [RouteConfiguration],
        in resolution: Resolution
    ) -> (any ResolvedRole)?

    /// Adds what the role gives a node besides its configuration.
    func complete(
        _ node: inout Node, _ ports: [PortConfiguration], of definition: NodeDefinition, in resolution: Resolution)
}

extension RoleDefinition {
    var joint: String? { nil }

    func complete(
        _ node: inout Node, _ ports: [PortConfiguration], of definition: NodeDefinition, in resolution: Resolution
    ) {}
}
