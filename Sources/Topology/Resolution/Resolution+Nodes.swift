import Appliances
import LabFile
import LabTime
import Wire

extension Resolution {
    /// A node with its role's configuration; hosts get their servers later, when all that asks them is known.
    func node(_ definition: NodeDefinition) -> Node? {
        let name = definition.name.value
        let interfaces = interfaces[name] ?? []
        let routes = routes(of: definition)
        let ports = interfaces.map {
            PortConfiguration(name: $0.name, mac: $0.mac, address: $0.address, mtu: $0.mtu)
        }
        let role: Node.Role
        switch definition.role {
        case .client: role = .host(HostConfiguration(kind: .client, servers: definition.services ?? []))
        case .backend: role = .host(HostConfiguration(kind: .backend, servers: definition.services ?? []))
        case .router: role = .host(HostConfiguration(kind: .router, servers: definition.services ?? []))
        case .firewall:
            let pair = redundancy(of: name)
            // The numbers of categories cross to the peer: what one box says counts for both.
            let peer = pair.flatMap { self.definition(of: $0.peer) }
            role = .firewall(
                FirewallConfiguration(
                    name: name, ports: ports, routes: routes, redundancy: pair,
                    sessionCapacity: definition.sessionCapacity ?? peer?.sessionCapacity ?? 65_536,
                    categories: definition.categories.isEmpty ? peer?.categories ?? [] : definition.categories))
        case .loadBalancer:
            if definition.virtualServices.isEmpty {
                reader.report("load balancer '\(name)' has no virtual service", at: definition.name.position)
            }
            role = .loadBalancer(
                LoadBalancerConfiguration(
                    name: name, ports: ports, routes: routes,
                    services: definition.virtualServices.map { service($0, of: name) }))
        case .gatewayFirewall:
            guard let gateway = definition.gatewayFirewall else { return nil }
            if gateway.mode == .transparent, Set(ports.map(\.mtu)).count > 1 {
                reader.report(
                    "the networks of the transparent gateway firewall '\(name)' have MTU \(ports.map { "\($0.mtu)" }.joined(separator: " and "))",
                    at: definition.name.position, allowed: ["the same MTU"])
            }
            role = .gatewayFirewall(
                GatewayFirewallConfiguration(
                    name: name, ports: ports, routes: routes, mode: gateway.mode, profile: gateway.profile,
                    filtering: gateway.filtering, pickUp: gateway.pickUp, misfitPolicy: gateway.misfitPolicy,
                    timers: gateway.timers))
        }
        return Node(name: name, role: role, interfaces: interfaces, routes: routes, sysctls: definition.sysctls)
    }

    // MARK: Routes

    private func routes(of definition: NodeDefinition) -> [RouteConfiguration] {
        var routes = definition.routes.compactMap { route in
            nextHop(route.gateway, of: definition.name.value, what: "the route to \(route.destination)").map {
                RouteConfiguration(destination: route.destination, gateway: $0)
            }
        }
        if let gateway = definition.gateway,
            let address = nextHop(gateway, of: definition.name.value, what: "the gateway")
        {
            routes.append(RouteConfiguration(destination: .any, gateway: address))
        }
        return routes
    }

    /// A neighbour's address: written out, or as `node.interface`, or as any reference to an address.
    private func nextHop(_ value: LabValue, of node: String, what: String) -> IPv4Address? {
        let what = "\(what) of '\(node)'"
        guard let text = value.text else {
            reader.report(
                "\(what) is \(value.found)", at: value.position, allowed: [IPv4Address.textForm, "node.interface"])
            return nil
        }
        guard let resolved = references[text + ".ip"] ?? references.resolve(text, at: value.position, reader) else {
            return nil
        }
        guard let address = IPv4Address(resolved) else {
            let names = references.values.map(\.reference).filter { $0.hasSuffix(".ip") }.map { String($0.dropLast(3)) }
            reader.report(
                "\(what) is \(value.found)", at: value.position, allowed: [IPv4Address.textForm, "node.interface"],
                suggestion: Spelling.nearest(to: text, among: names))
            return nil
        }
        let own = interfaces[node] ?? []
        guard let interface = own.first(where: { $0.address?.network.contains(address) == true }) else {
            reader.report(
                "\(what) is \(address), which is on none of its networks", at: value.position,
                allowed: own.compactMap { interface in
                    interface.address.map { "an address in \($0.network) (\(interface.name))" }
                })
            return nil
        }
        guard let owner = owners[address] else {
            let near = owners.filter { interface.address?.network.contains($0.key) == true && $0.value.node != node }
            reader.report(
                "\(what) is \(address), which nobody has on network '\(interface.network)'", at: value.position,
                allowed: near.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value.what))" })
            return nil
        }
        if owner.node == node, own.contains(where: { $0.address?.address == address }) {
            reader.report("\(what) is \(address), its own address", at: value.position)
            return nil
        }
        return address
    }

    // MARK: Redundancy

    private func redundancy(of name: String) -> RedundancyConfiguration? {
        guard let pair = pairs.first(where: { $0.index(of: name) != nil }), let index = pair.index(of: name) else {
            return nil
        }
        let (own, peer) = (pair.members[index], pair.members[1 - index])
        let crossConnect = own.crossConnect.flatMap { port -> CrossConnectConfiguration? in
            let peerInterface = interfaces[peer.name]?.first { $0.name == peer.crossConnect }
            guard let address = peerInterface?.address?.address,
                interfaces[name]?.first(where: { $0.name == port })?.address != nil
            else {
                reader.report(
                    "the cross-connect of '\(own.name)' and '\(peer.name)' needs an address on both sides",
                    at: definition(of: name)?.redundancy?.position)
                return nil
            }
            return CrossConnectConfiguration(port: port, peerAddress: address)
        }
        return RedundancyConfiguration(
            peer: peer.name, priority: own.priority, preempts: pair.preemption != .off,
            usesVirtualMAC: pair.usesVirtualMAC,
            advertisementInterval: pair.advertisementInterval, heartbeatInterval: pair.heartbeatInterval,
            heartbeatMisses: pair.heartbeatMisses, crossConnect: crossConnect,
            virtualRouters: pair.routers.map {
                VirtualRouterConfiguration(port: $0.ports[index], id: $0.id, addresses: $0.addresses)
            },
            key: own.key, deferral: pair.deferral, conduit: pair.conduit, trackedLinks: own.tracked,
            announcements: pair.announcements, preemptsEmpty: pair.preemption == .empty)
    }

    // MARK: Virtual services

    private func service(_ definition: VirtualServiceDefinition, of balancer: String) -> VirtualServiceConfiguration {
        var members: [PoolMemberConfiguration] = []
        for member in definition.members {
            guard let resolved = self.member(member, of: balancer, defaultPort: definition.port) else { continue }
            if members.contains(where: { $0.address == resolved.address && $0.port == resolved.port }) {
                reader.report("\(resolved.address):\(resolved.port) is in the pool already", at: member.position)
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
            http: definition.http?.configuration)
    }

    private func member(
        _ member: VirtualServiceDefinition.Member, of balancer: String, defaultPort: UInt16
    ) -> PoolMemberConfiguration? {
        guard
            let (node, address) = endpoint(
                member.endpoint.host, seenFrom: balancer, "a pool member", at: member.position)
        else { return nil }
        if node == balancer {
            reader.report("'\(balancer)' cannot be a member of its own pool", at: member.position)
            return nil
        }
        return PoolMemberConfiguration(
            name: node, address: address, port: member.endpoint.port ?? defaultPort, weight: member.weight)
    }

    /// The node and address behind `backend-1`, `backend-1.servers` or `10.0.0.2`: of a node with several addresses the
    /// one on a network that `other` is on as well, else the first.
    func endpoint(
        _ text: String, seenFrom other: String, _ what: String, at position: SourcePosition
    ) -> (node: String, address: IPv4Address)? {
        if let address = IPv4Address(text) {
            if let owner = owners[address] { return (owner.node, address) }
            reader.report("\(what) is \(address), which nobody in the lab has", at: position)
            return nil
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let own = interfaces[parts[0]] else {
            reader.reportUnknown(
                parts[0],
                "\(what) is '\(LabValue.shortened(text))', but there is no node '\(LabValue.shortened(parts[0]))'",
                at: position, allowed: nodeDefinitions.map(\.name.value))
            return nil
        }
        if parts.count == 2 {
            guard let interface = own.first(where: { $0.name == parts[1] }) else {
                reader.reportUnknown(
                    parts[1], "'\(parts[0])' has no interface '\(LabValue.shortened(parts[1]))'", at: position,
                    allowed: own.map(\.name))
                return nil
            }
            if let address = interface.address { return (parts[0], address.address) }
            reader.report("\(what) is \(text), which has no address", at: position)
            return nil
        }
        let near = Set((interfaces[other] ?? []).map(\.network))
        let addressed = own.filter { $0.address != nil }
        guard let chosen = addressed.first(where: { near.contains($0.network) }) ?? addressed.first,
            let address = chosen.address
        else {
            reader.report("\(what) is '\(text)', which has no address", at: position)
            return nil
        }
        return (parts[0], address.address)
    }
}
