import Configuration
import LabFile
import Wire

extension Resolution {
    /// A virtual service with its members.
    func service(_ definition: VirtualServiceDefinition, of balancer: String) -> VirtualServiceConfiguration {
        var members: [PoolMemberConfiguration] = []
        for member in definition.members {
            guard let resolved = self.member(member, of: balancer, definition) else { continue }
            if members.contains(where: { $0.address == resolved.address && $0.port == resolved.port }) {
                reader.report(
                    "\(resolved.address.endpoint(port: resolved.port)) is in the pool already", at: member.position)
                continue
            }
            if definition.directReturn?.value.mode == .l2, !isNeighbor(resolved.address, of: balancer) {
                reader.report(
                    "\(resolved.name) (\(resolved.address)) is on no network of '\(balancer)': 'dsr: l2' reaches members by their MAC address",
                    at: member.position,
                    allowed: [
                        "a member on a network of '\(balancer)'", "'dsr: ipip', 'dsr: gre' or, for IPv6, 'dsr: ip6ip6'",
                    ])
                continue
            }
            members.append(resolved)
        }
        // A pool may use several ports of one backend: then the port tells its members apart.
        for index in members.indices {
            let name = members[index].name
            let others = members.indices.filter { members[$0].name == name }
            if others.count > 1 { for other in others { members[other].name += ":\(members[other].port)" } }
        }
        return VirtualServiceConfiguration(
            name: definition.name.value, address: definition.address.value, port: definition.port,
            profile: definition.profile, scheduler: definition.scheduler,
            sourceTranslation: definition.sourceTranslation,
            members: members, monitor: definition.monitor?.value, idleTimeout: definition.idleTimeout,
            http: definition.http?.configuration, directReturn: definition.directReturn?.value)
    }

    private func member(
        _ member: VirtualServiceDefinition.Member, of balancer: String, _ service: VirtualServiceDefinition
    ) -> PoolMemberConfiguration? {
        let family = service.address.value.family
        guard
            let (node, address) = endpoint(
                member.endpoint.host, seenFrom: balancer, "a pool member", family, at: member.position)
        else { return nil }
        guard address.family == family else {
            reader.report(
                "a pool member is \(member.endpoint.host), \(address.family.rawValue), but '\(service.name.value)' listens on \(service.address.value)",
                at: member.position, allowed: ["an \(family.rawValue) address"])
            return nil
        }
        if node == balancer {
            reader.report("'\(balancer)' cannot be a member of its own pool", at: member.position)
            return nil
        }
        return PoolMemberConfiguration(
            name: node, address: address, port: member.endpoint.port ?? service.port, weight: member.weight)
    }
}
