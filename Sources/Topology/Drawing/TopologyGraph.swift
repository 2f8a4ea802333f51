import Configuration
import Measurement

/// A variant's topology as a graph of nodes and networks, in columns from left to right: every line joins two columns
/// that lie side by side, because a line joins a node and a network.
struct TopologyGraph {
    struct Item {
        var name: String
        var isNetwork: Bool
        var column: Int
        /// Of the column to the right, in the order of the file; each once.
        var right: [Int] = []
        /// Of the column to the left.
        var left: [Int] = []
    }

    private(set) var items: [Item] = []
    /// Where a part of the lab begins that is joined to nothing before it.
    private(set) var roots: [Int] = []

    /// Columns by distance from the first client, or else the first node.
    init(_ variant: Variant) {
        let nodes = variant.nodes.map(\.name)
        var neighbours: [String: [String]] = [:]
        for network in variant.networks {
            for attachment in network.attachments {
                neighbours[attachment.node, default: []].append(network.name)
            }
        }
        for node in variant.nodes {
            // In the order of the node's interfaces.
            let order = node.interfaces.map(\.network)
            neighbours[node.name]?.sort { (order.firstIndex(of: $0) ?? 0) < (order.firstIndex(of: $1) ?? 0) }
        }
        let clients = variant.nodes.filter { $0.role.word == RoleForm.client.word }
        for start in clients.map(\.name) + nodes where index(of: start, isNetwork: false) == nil {
            roots.append(items.count)
            items.append(Item(name: start, isNetwork: false, column: 0))
            var next = items.count - 1
            while next < items.count {
                let item = items[next]
                let others =
                    item.isNetwork
                    ? variant.networks.first { $0.name == item.name }?.attachments.map(\.node) ?? []
                    : neighbours[item.name] ?? []
                for other in others { join(next, other, isNetwork: !item.isNetwork) }
                next += 1
            }
        }
    }

    private func index(of name: String, isNetwork: Bool) -> Int? {
        items.firstIndex { $0.name == name && $0.isNetwork == isNetwork }
    }

    private mutating func join(_ from: Int, _ name: String, isNetwork: Bool) {
        let to = index(of: name, isNetwork: isNetwork) ?? items.count
        if to == items.count { items.append(Item(name: name, isNetwork: isNetwork, column: items[from].column + 1)) }
        guard items[to].column > items[from].column, !items[from].right.contains(to) else { return }
        items[from].right.append(to)
        items[to].left.append(from)
    }
}
