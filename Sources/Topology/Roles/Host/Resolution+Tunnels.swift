import Configuration
import Dataplane
import LabFile
import Wire

/// What a member with direct server return has besides a plain host: the end of a tunnel.
extension Resolution {
    func tunnel(_ written: TunnelDefinition, of definition: NodeDefinition, _ ports: [PortConfiguration])
        -> MemberTunnel?
    {
        let name = definition.name.value
        let family = written.encapsulation.family
        let locals = (interfaces[name] ?? []).compactMap { $0.address(family)?.address }
        guard let local = locals.first else {
            reader.report(
                "'\(name)' has no \(family.rawValue) address, at which a tunnel of \(written.encapsulation.rawValue) could end",
                at: written.position)
            return nil
        }
        if ports.contains(where: { $0.name == TunnelEndpointConfiguration.interfaceName }) {
            reader.report(
                "'\(name)' has an interface '\(TunnelEndpointConfiguration.interfaceName)', which is what its tunnel is called",
                at: written.position)
            return nil
        }
        let services = services(withMember: locals)
        guard !services.isEmpty else {
            reader.report(
                "'\(name)' has a tunnel, but is in no pool of a service with 'dsr'", at: written.position,
                allowed: ["a member of such a pool"])
            return nil
        }
        for service in services {
            guard let mode = service.definition.directReturn?.value.mode, mode.encapsulation != written.encapsulation
            else {
                continue
            }
            reader.report(
                "the tunnel of '\(name)' is \(written.encapsulation.rawValue), but '\(service.balancer)/\(service.definition.name.value)' has 'dsr: \(mode.rawValue)'",
                at: written.position, allowed: mode.encapsulation.map { [$0.rawValue] } ?? ["no tunnel"])
            return nil
        }
        let remotes =
            written.from.map { values in
                values.compactMap { self.address($0, "'from' of the tunnel of '\(name)'", of: family) }
            }
            ?? services.flatMap { service in
                (interfaces[service.balancer] ?? []).compactMap { $0.address(family)?.address }
            }
        let mac = MACScheme.address(lab: lab, node: numbers[name] ?? 0, interface: 0xff)
        return MemberTunnel(
            endpoint: TunnelEndpointConfiguration(
                name: name, ports: ports, encapsulation: written.encapsulation, mac: mac, locals: locals,
                remotes: remotes, destinations: services.map(\.definition.address.value).filter { $0.family == family },
                clampsSegmentSize: written.clampsSegmentSize),
            local: local,
            address: written.address.flatMap { self.address($0, "the address of the tunnel of '\(name)'", of: family) },
            isKernels: written.end.value == .kernel)
    }

    /// Services with direct server return that one of the addresses is a member of.
    private func services(
        withMember addresses: [IPAddress]
    ) -> [(balancer: String, definition: VirtualServiceDefinition)] {
        nodeDefinitions.flatMap { node in
            node.virtualServices.filter { service in
                service.directReturn != nil
                    && service.members.contains { member in
                        memberAddress(
                            member.endpoint.host, of: service.address.value.family, seenFrom: node.name.value
                        ).map(addresses.contains) ?? false
                    }
            }.map { (node.name.value, $0) }
        }
    }

    /// As `endpoint`, in silence: what is wrong with a pool is told where the pool is read.
    private func memberAddress(
        _ text: String, of family: IPVersion, seenFrom balancer: String
    ) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        let parts = text.split(separator: ".").map(String.init)
        guard let first = parts.first, let own = interfaces[first] else { return nil }
        if parts.count == 2 { return own.first { $0.name == parts[1] }?.address(family)?.address }
        let near = Set((interfaces[balancer] ?? []).map(\.network))
        let addressed = own.filter { $0.address(family) != nil }
        return (addressed.first { near.contains($0.network) } ?? addressed.first)?.address(family)?.address
    }

    /// An address, or a reference to one.
    func address(_ value: LabValue, _ what: String) -> IPAddress? {
        guard let text = value.text else {
            reader.report(
                "\(what) is \(value.found)", at: value.position,
                allowed: [IPAddress.textForm, "node.interface", "balancer/service.address"])
            return nil
        }
        guard let resolved = references[text + ".ip"] ?? references.resolve(text, at: value.position, reader) else {
            return nil
        }
        if let address = IPAddress(resolved) { return address }
        reader.report(
            "\(what) is \(value.found)", at: value.position,
            allowed: [IPAddress.textForm, "node.interface", "balancer/service.address"],
            suggestion: Spelling.nearest(to: text, among: references.values.map(\.reference)))
        return nil
    }

    /// As above, of one family.
    private func address(_ value: LabValue, _ what: String, of family: IPVersion) -> IPAddress? {
        guard let address = address(value, what) else { return nil }
        if address.family == family { return address }
        reader.report(
            "\(what) is \(address), but the tunnel is of \(family.rawValue)", at: value.position,
            allowed: ["an \(family.rawValue) address"])
        return nil
    }

    /// Whether an address is on a network that a node is on as well.
    func isNeighbor(_ address: IPAddress, of node: String) -> Bool {
        (interfaces[node] ?? []).contains { $0.address(address.family)?.network.contains(address) ?? false }
    }
}
