import LabFile
import LabTime
import Wire

extension Resolution {
    /// Joins firewalls to pairs: what one box says counts for both, and they must not contradict each other.
    mutating func resolvePairs() {
        var paired: [String: String] = [:]
        for node in nodeDefinitions {
            guard let redundancy = node.redundancy, paired[node.name.value] == nil,
                let peer = peer(of: node, redundancy)
            else { continue }
            if let other = paired[peer.name.value] {
                reader.report(
                    "'\(peer.name.value)' is the peer of '\(other)' already",
                    at: redundancy.peer?.position ?? redundancy.position)
                continue
            }
            paired[node.name.value] = peer.name.value
            paired[peer.name.value] = node.name.value
            let isFirst = position(of: node) < position(of: peer)
            PairResolution(first: isFirst ? node : peer, second: isFirst ? peer : node).resolve(into: &self)
        }
        numberVirtualRouters()
    }

    private func position(of node: NodeDefinition) -> Int {
        nodeDefinitions.firstIndex { $0.name.value == node.name.value } ?? 0
    }

    private func peer(of node: NodeDefinition, _ redundancy: RedundancyDefinition) -> NodeDefinition? {
        let name = node.name.value
        guard let wanted = redundancy.peer else {
            if let peer = nodeDefinitions.first(where: { $0.redundancy?.peer?.value == name }) { return peer }
            reader.report("redundancy of '\(name)' needs the key 'peer'", at: redundancy.position)
            return nil
        }
        let firewalls = nodeDefinitions.filter { $0.firewall != nil && $0.name.value != name }
        guard let peer = firewalls.first(where: { $0.name.value == wanted.value }) else {
            let other = definition(of: wanted.value)
            let problem =
                wanted.value == name
                ? "'\(name)' cannot be its own peer"
                : other.map { "the peer of '\(name)' is '\(wanted.value)', which is \($0.role.article)" }
                    ?? "the peer of '\(name)' is '\(LabValue.shortened(wanted.value))', which does not exist"
            reader.reportUnknown(wanted.value, problem, at: wanted.position, allowed: firewalls.map(\.name.value))
            return nil
        }
        if let back = peer.redundancy?.peer, back.value != name {
            reader.report(
                "'\(peer.name.value)' has the peer '\(back.value)' (line \(back.position.line)), so it cannot be the peer of '\(name)' too",
                at: wanted.position)
            return nil
        }
        return peer
    }

    /// Virtual routers without a number get the lowest that the lab does not use: 1, 2, … in the order of the file.
    private mutating func numberVirtualRouters() {
        var used = Set(pairs.flatMap { $0.routers.map(\.id) })
        var next: UInt8 = 1
        for pair in pairs.indices {
            for router in pairs[pair].routers.indices where pairs[pair].routers[router].id == 0 {
                while used.contains(next), next < 255 { next += 1 }
                pairs[pair].routers[router].id = next
                used.insert(next)
            }
        }
    }
}
