import Configuration
import LabFile
import LabTime
import Wire

extension Resolution {
    /// A node with its role's configuration.
    func node(_ definition: NodeDefinition) -> Node? {
        let name = definition.name.value
        let interfaces = interfaces[name] ?? []
        let routes = routes(of: definition)
        let ports = interfaces.map {
            PortConfiguration(name: $0.name, mac: $0.mac, address: $0.address, ipv6: $0.ipv6, mtu: $0.mtu)
        }
        guard let own = definition.own, let role = own.resolved(definition, ports, routes, in: self) else { return nil }
        var node = Node(
            name: name, role: Node.Role(role), interfaces: interfaces, routes: routes, tables: tables(of: definition),
            rules: rules(of: definition), sysctls: definition.sysctls,
            programs: definition.programs.compactMap { $0.program(of: name, in: self) },
            image: definition.image?.configuration, imagePosition: definition.image?.position)
        // What container engines set, so that an image's own user may serve ports below 1024.
        let lowPorts = Sysctl("net/ipv4/ip_unprivileged_port_start", "0")
        if node.image?.isRoots == false, !node.sysctls.contains(where: { $0.path == lowPorts.path }) {
            node.sysctls.append(lowPorts)
        }
        own.complete(&node, ports, of: definition, in: self)
        return node
    }

    // MARK: Routes

    private func routes(of definition: NodeDefinition) -> [RouteConfiguration] {
        let name = definition.name.value
        let isHost = !definition.role.isBox
        var routes = routes(definition.routes, of: name, allowsEqualPaths: isHost)
        if let gateway = definition.gateway {
            routes += defaultRoutes(gateway, of: name, what: "the gateway", allowsEqualPaths: isHost)
        }
        return routes
    }

    /// - Parameter allowsEqualPaths: whether a route may have several gateways of one family
    func routes(
        _ routes: [NodeDefinition.Route], of name: String, allowsEqualPaths: Bool = false
    ) -> [RouteConfiguration] {
        routes.flatMap { route -> [RouteConfiguration] in
            guard let destination = route.destination ?? self.destination(of: route) else {
                guard route.reference == nil else { return [] }
                return defaultRoutes(
                    route.gateway, of: name, what: "the route to default", allowsEqualPaths: allowsEqualPaths)
            }
            return nextHops(
                route.gateway, of: name, what: "the route to \(destination)", destination.family,
                allowsEqualPaths: allowsEqualPaths
            ).map { self.route(to: destination, by: $0, of: name) }
        }
    }

    /// The address that a route's reference stands for; nil without one, or after a report.
    private func destination(of route: NodeDefinition.Route) -> IPNetwork? {
        guard let reference = route.reference,
            let text = references.resolve(reference, at: route.position, reader)
        else { return nil }
        if let address = IPAddress(text) { return address.ownNetwork }
        reader.report("'\(LabValue.shortened(reference))' is no address, as a destination is", at: route.position)
        return nil
    }

    private func defaultRoutes(
        _ gateway: LabValue, of node: String, what: String, allowsEqualPaths: Bool
    ) -> [RouteConfiguration] {
        nextHops(gateway, of: node, what: what, nil, allowsEqualPaths: allowsEqualPaths).map {
            route(to: $0.isIPv4 ? .ipv4(.any) : .ipv6(.any), by: $0, of: node)
        }
    }

    /// Neighbours' addresses: written out, or as `node.interface`, or as any reference to an
    /// address, or a list of those.
    /// - Parameters:
    ///   - family: of the destination; nil for a default route, which takes what the gateway has
    ///   - allowsEqualPaths: whether there may be several of a family
    func nextHops(
        _ value: LabValue, of node: String, what: String, _ family: IPVersion?, allowsEqualPaths: Bool = false
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
                guard !hops.contains(hop) else {
                    reader.report("\(what) of '\(node)' has \(hop) twice", at: element.position)
                    continue
                }
                hops.append(hop)
            }
        }
        return hops
    }

    private func nextHop(
        _ value: LabValue, of node: String, what: String, _ family: IPVersion?
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
        if address.needsInterface { return isLinkLocalNextHop(address, of: node, what: what, at: position) }
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
        guard let owner = owner(of: address) else {
            let near = owners.filter {
                interface.address(address.family)?.network.contains($0.key) == true && $0.value.node != node
            }
            reader.report(
                "\(what) is \(address), which nobody has on network '\(interface.network)'", at: position,
                allowed: near.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value.what))" }
                    + ["'virtual-addresses' of network '\(interface.network)', where a program takes it"])
            return false
        }
        if owner.node == node,
            owner.isLoopback || own.contains(where: { $0.address(address.family)?.address == address })
        {
            reader.report("\(what) is \(address), its own address", at: position)
            return false
        }
        return true
    }

    /// The node and address behind `backend-1`, `backend-1.servers`, `backend-1.servers.ip6` or `10.0.0.2`: of a node
    /// with several addresses one on a network that `other` is on as well, else the first; IPv4 before IPv6 where both
    /// ends have both.
    /// - Parameter family: the only one that will do; nil for any
    func endpoint(
        _ text: String, seenFrom other: String, _ what: String, _ family: IPVersion? = nil,
        at position: SourcePosition
    ) -> (node: String, address: IPAddress)? {
        if let address = IPAddress(references[text] ?? text) {
            if let owner = owner(of: address) { return (owner.node, address) }
            reader.report(
                "\(what) is \(address), which nobody in the lab has", at: position,
                allowed: address.needsInterface
                    ? ["an address that is not link-local"]
                    : ["an address of the lab", "'virtual-addresses' of a network or node, where a program takes it"])
            return nil
        }
        var parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        var family = family
        if let last = parts.last, parts.count > 1,
            let named: IPVersion = last == "ip6" ? .ipv6 : last == "ip" ? .ipv4 : nil
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
        let families = IPVersion.allCases.filter { family == nil || $0 == family }
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
