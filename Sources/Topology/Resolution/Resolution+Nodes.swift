import Configuration
import LabFile
import LabTime
import Wire

extension Resolution {
    /// A node with its role's configuration; hosts get their servers later, when all that asks them is known.
    func node(_ definition: NodeDefinition) -> Node? {
        let name = definition.name.value
        let interfaces = interfaces[name] ?? []
        let tracked = definition.trackedRoutes.map { route in
            TrackedRoute(
                choices: route.gateways.flatMap { gateway in
                    nextHops(gateway, of: name, what: "a gateway of the tracked route to \(route.destination)", .ipv4)
                        .map { RouteConfiguration(destination: .ipv4(route.destination), gateway: $0) }
                }, interval: route.interval, misses: route.misses)
        }
        // Until it is known better, the preferred gateway counts.
        let routes = routes(of: definition) + tracked.compactMap(\.choices.first)
        let ports = interfaces.map {
            PortConfiguration(name: $0.name, mac: $0.mac, address: $0.address, ipv6: $0.ipv6, mtu: $0.mtu)
        }
        let role: Node.Role
        switch definition.role {
        case .client: role = .host(HostConfiguration(kind: .client, servers: definition.services?.programs ?? []))
        case .backend: role = .host(HostConfiguration(kind: .backend, servers: definition.services?.programs ?? []))
        case .router:
            role = .host(
                HostConfiguration(
                    kind: .router, servers: definition.services?.programs ?? [], trackedRoutes: tracked))
        case .firewall:
            let pair = redundancy(of: name)
            // The numbers of categories cross to the peer: what one box says counts for both.
            let peer = pair.flatMap { self.definition(of: $0.peer) }
            role = .firewall(
                FirewallConfiguration(
                    name: name, ports: ports, routes: routes, redundancy: pair, nat: nat(of: name),
                    policy: policy(of: definition),
                    sessionCapacity: definition.sessionCapacity ?? peer?.sessionCapacity ?? 65_536,
                    categories: definition.categories.isEmpty ? peer?.categories ?? [] : definition.categories,
                    applicationGateways: definition.applicationGateways))
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
                    filtering: gateway.filtering, midStreamPickup: gateway.midStreamPickup,
                    outOfStatePolicy: gateway.outOfStatePolicy,
                    timers: gateway.timers))
        }
        var node = Node(
            name: name, role: role, interfaces: interfaces, routes: routes, tables: tables(of: definition),
            rules: rules(of: definition), sysctls: definition.sysctls,
            programs: definition.programs.compactMap { $0.form.program($0.name, of: name, in: self) })
        (node.loopback, node.loopbackNetworks) = loopback(of: definition)
        node.tunnel = definition.tunnel.flatMap { tunnel($0, of: definition, ports) }
        return node
    }

    // MARK: Routes

    private func routes(of definition: NodeDefinition) -> [RouteConfiguration] {
        let name = definition.name.value
        let isHost = [NodeDefinition.Role.client, .backend, .router].contains(definition.role)
        var routes = routes(definition.routes, of: name, allowsEqualPaths: isHost)
        if let gateway = definition.gateway { routes += defaultRoutes(gateway, of: name, what: "the gateway") }
        return routes
    }

    /// - Parameter allowsEqualPaths: whether an IPv4 route may have several gateways
    func routes(
        _ routes: [NodeDefinition.Route], of name: String, allowsEqualPaths: Bool = false
    ) -> [RouteConfiguration] {
        routes.flatMap { route -> [RouteConfiguration] in
            guard let destination = route.destination else {
                return defaultRoutes(route.gateway, of: name, what: "the route to default")
            }
            return nextHops(
                route.gateway, of: name, what: "the route to \(destination)", destination.family,
                allowsEqualPaths: allowsEqualPaths && destination.family == .ipv4
            ).map {
                RouteConfiguration(destination: destination, gateway: $0)
            }
        }
    }

    private func defaultRoutes(_ gateway: LabValue, of node: String, what: String) -> [RouteConfiguration] {
        nextHops(gateway, of: node, what: what, nil).map {
            RouteConfiguration(destination: $0.isIPv4 ? .ipv4(.any) : .ipv6(.any), gateway: $0)
        }
    }

    /// Neighbours' addresses, one of each family at most: written out, or as `node.interface`, or as any reference to an
    /// address, or a list of those.
    /// - Parameters:
    ///   - family: of the destination; nil for a default route, which takes what the gateway has
    ///   - allowsEqualPaths: whether there may be several of a family
    func nextHops(
        _ value: LabValue, of node: String, what: String, _ family: AddressFamily?, allowsEqualPaths: Bool = false
    ) -> [IPAddress] {
        var hops: [IPAddress] = []
        for element in reader.list(value) {
            for hop in nextHop(element, of: node, what: "\(what) of '\(node)'", family) {
                if !allowsEqualPaths, let other = hops.first(where: { $0.family == hop.family }) {
                    reader.report(
                        "\(what) of '\(node)' is \(other) and \(hop)", at: element.position,
                        allowed: ["one address of each family"])
                    continue
                }
                hops.append(hop)
            }
        }
        return hops
    }

    private func nextHop(
        _ value: LabValue, of node: String, what: String, _ family: AddressFamily?
    ) -> [IPAddress] {
        guard let text = value.text else {
            reader.report(
                "\(what) is \(value.found)", at: value.position, allowed: [IPAddress.textForm, "node.interface"])
            return []
        }
        let own = interfaces[node] ?? []
        if let (other, interface) = interface(named: text) {
            // Both families, as far as both ends have them.
            let shared = interface.addresses.map(\.address).filter { address in
                (family == nil || family == address.family)
                    && own.contains { $0.address(address.family)?.network.contains(address) ?? false }
            }
            if let first = shared.first, other != node || shared.count > 1 || owners[first]?.node != node {
                return shared.filter { isNextHop($0, of: node, what: what, at: value.position) }
            }
            if !interface.addresses.isEmpty,
                let first = interface.addresses.first(where: { $0.address.family == family ?? $0.address.family })
            {
                return isNextHop(first.address, of: node, what: what, at: value.position) ? [first.address] : []
            }
            let missing = family.map { "has no \($0.rawValue) address" } ?? "has no address"
            reader.report("\(what) is \(text), which \(missing)", at: value.position)
            return []
        }
        guard let resolved = references.resolve(text, at: value.position, reader) else { return [] }
        guard let address = IPAddress(resolved) else {
            let names = references.values.map(\.reference).filter { $0.hasSuffix(".mac") }.map {
                String($0.dropLast(4))
            }
            reader.report(
                "\(what) is \(value.found)", at: value.position, allowed: [IPAddress.textForm, "node.interface"],
                suggestion: Spelling.nearest(to: text, among: names))
            return []
        }
        if let family, family != address.family {
            reader.report(
                "\(what) is \(address), but the destination is \(family.rawValue)", at: value.position,
                allowed: ["an \(family.rawValue) address"])
            return []
        }
        return isNextHop(address, of: node, what: what, at: value.position) ? [address] : []
    }

    /// The interface that `node.interface` names.
    private func interface(named text: String) -> (node: String, interface: Interface)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let found = interfaces[parts[0]]?.first(where: { $0.name == parts[1] }) else {
            return nil
        }
        return (parts[0], found)
    }

    /// Whether a node can send packets to that address first; reports why not.
    private func isNextHop(_ address: IPAddress, of node: String, what: String, at position: SourcePosition) -> Bool {
        let own = interfaces[node] ?? []
        guard let interface = own.first(where: { $0.address(address.family)?.network.contains(address) ?? false })
        else {
            reader.report(
                "\(what) is \(address), which is on none of its networks", at: position,
                allowed: own.flatMap { interface in
                    interface.addresses.filter { $0.address.family == address.family }
                        .map { "an address in \($0.network) (\(interface.name))" }
                })
            return false
        }
        guard let owner = owners[address] else {
            let near = owners.filter {
                interface.address(address.family)?.network.contains($0.key) == true && $0.value.node != node
            }
            reader.report(
                "\(what) is \(address), which nobody has on network '\(interface.network)'", at: position,
                allowed: near.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value.what))" })
            return false
        }
        if owner.node == node, own.contains(where: { $0.address(address.family)?.address == address }) {
            reader.report("\(what) is \(address), its own address", at: position)
            return false
        }
        return true
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
            announcements: pair.announcements, preemptsEmpty: pair.preemption == .empty,
            startupSilentPeriod: pair.startupSilentPeriod)
    }

    // MARK: Virtual services

    private func service(_ definition: VirtualServiceDefinition, of balancer: String) -> VirtualServiceConfiguration {
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

    /// The node and address behind `backend-1`, `backend-1.servers`, `backend-1.servers.ip6` or `10.0.0.2`: of a node
    /// with several addresses one on a network that `other` is on as well, else the first; IPv4 before IPv6 where both
    /// ends have both.
    /// - Parameter family: the only one that will do; nil for any
    func endpoint(
        _ text: String, seenFrom other: String, _ what: String, _ family: AddressFamily? = nil,
        at position: SourcePosition
    ) -> (node: String, address: IPAddress)? {
        if let address = IPAddress(text) {
            if let owner = owners[address] { return (owner.node, address) }
            reader.report("\(what) is \(address), which nobody in the lab has", at: position)
            return nil
        }
        var parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        var family = family
        if let last = parts.last, parts.count > 1,
            let named: AddressFamily = last == "ip6" ? .ipv6 : last == "ip" ? .ipv4 : nil
        {
            guard family == nil || family == named else {
                reader.report(
                    "\(what) is \(text), but must be \(family == .ipv4 ? "IPv4" : "IPv6")", at: position)
                return nil
            }
            family = named
            parts.removeLast()
        }
        guard parts.count <= 2, let own = interfaces[parts[0]] else {
            reader.reportUnknown(
                parts[0],
                "\(what) is '\(LabValue.shortened(text))', but there is no node '\(LabValue.shortened(parts[0]))'",
                at: position, allowed: nodeDefinitions.map(\.name.value))
            return nil
        }
        var candidates = own
        if parts.count == 2 {
            candidates = own.filter { $0.name == parts[1] }
            if candidates.isEmpty {
                reader.reportUnknown(
                    parts[1], "'\(parts[0])' has no interface '\(LabValue.shortened(parts[1]))'", at: position,
                    allowed: own.map(\.name))
                return nil
            }
        }
        let others = interfaces[other] ?? []
        let near = Set(others.map(\.network))
        // What the other end has too comes first.
        let families = AddressFamily.allCases.filter { family == nil || $0 == family }
            .sorted { a, b in others.contains { $0.address(a) != nil } && !others.contains { $0.address(b) != nil } }
        for family in families {
            let addressed = candidates.filter { $0.address(family) != nil }
            let chosen = addressed.first { near.contains($0.network) } ?? addressed.first
            if let address = chosen?.address(family) { return (parts[0], address.address) }
        }
        let shown = parts.count == 2 ? text : "'\(text)'"
        let missing = family.map { "no \($0.rawValue) address" } ?? "no address"
        reader.report("\(what) is \(shown), which has \(missing)", at: position)
        return nil
    }
}
