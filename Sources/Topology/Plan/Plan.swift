/// How to build the network of a variant: a value that says every step, its order and its reason.
///
/// Three phases, because settings of a namespace are inherited by interfaces that appear in it later: namespaces with
/// their settings, then all links, then each namespace's interfaces. Within the first and the last phase every
/// namespace is independent of the others, so that each can be entered once and all can be worked on side by side.
public struct Plan: Hashable, Sendable, Codable {
    public struct Namespace: Hashable, Sendable, Codable {
        public var id: NamespaceID
        /// The first phase: creation and settings.
        public var preparation: [PlanStep]
        /// The last phase: bridges, addresses, interfaces up, routes.
        public var configuration: [PlanStep]
    }

    /// Nodes in the order of the lab, the wire side after the host side; then in-line elements, then switches.
    public var namespaces: [Namespace]
    /// The second phase, every action a `createLink`.
    public var links: [PlanStep]

    /// All steps in an order in which they can be carried out one by one.
    public var steps: [PlanStep] {
        namespaces.flatMap(\.preparation) + links + namespaces.flatMap(\.configuration)
    }

    public init(for variant: Variant) {
        namespaces = []
        for node in variant.nodes {
            let builder = NodePlan(node: node, timers: variant.timers)
            namespaces.append(builder.stack)
            if let wire = builder.wire { namespaces.append(wire) }
        }
        namespaces += variant.elements.map { ElementPlan(element: $0).namespace }
        namespaces += variant.networks.filter { $0.kind == .switch }.map { SwitchPlan(network: $0).namespace }
        links =
            variant.nodes.flatMap { NodePlan(node: $0, timers: variant.timers).internalLinks }
            + variant.networks.flatMap { NetworkPlan(network: $0, variant: variant).links }
    }
}
