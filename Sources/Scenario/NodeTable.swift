internal import Configuration
internal import Measurement
internal import Topology

/// The lab's nodes and impairment links, and whether they run.
struct NodeTable: Hashable, Sendable {
    /// Labs with more processes than this watch only those that evidence can depend on: a timer every 20 ms in each of
    /// a thousand hosts would keep the machine from running the lab.
    static let mostWatched = 100

    /// In the lab's order.
    let names: [String]
    private let nodes: [String: Node]
    private var conditions: [String: NodeCondition] = [:]
    /// Nodes that report when the machine keeps them from running, in the lab's order.
    let watched: [String]

    init(_ variant: Variant) {
        let processes = variant.processes
        names = processes.map(\.name)
        nodes = Dictionary(processes.map { ($0.name, $0) }) { first, _ in first }
        let origins = Set(variant.traffic.map(\.from))
        let watchesAll = processes.count <= Self.mostWatched
        watched = processes.filter { watchesAll || Self.mattersToEvidence($0, origins) }.map(\.name)
    }

    private static func mattersToEvidence(_ node: Node, _ origins: Set<String>) -> Bool {
        guard let host = node.role.host, node.programs.isEmpty, node.tunnel == nil else { return true }
        return host.kind == .router || !host.servers.isEmpty || origins.contains(node.name)
    }

    subscript(name: String) -> Node? { nodes[name] }

    func condition(of name: String) -> NodeCondition { conditions[name] ?? .running }

    mutating func set(_ condition: NodeCondition, of name: String) { conditions[name] = condition }

    func isRunning(_ name: String) -> Bool { condition(of: name) == .running }

    var running: [String] { names.filter(isRunning) }
}
