import Configuration
import LabFile
import Wire

extension Resolution {
    /// Takes over and checks the addresses that the lab gives.
    mutating func resolveGivenAddresses() {
        for node in nodeDefinitions {
            for (index, definition) in node.interfaces.enumerated() {
                guard case .given(let addresses, _) = definition.address,
                    let network = network(named: definition.network.value)
                else { continue }
                let what = "\(node.name.value).\(definition.name.value)"
                for given in addresses { take(given, of: node, index, what, in: network) }
            }
        }
    }

    private mutating func take(
        _ given: InterfaceDefinition.Given, of node: NodeDefinition, _ index: Int, _ what: String, in network: Network
    ) {
        let (address, position) = (given.address.value, given.address.position)
        if let subnet = network.subnet(address.family), let prefixLength = given.prefixLength,
            prefixLength != subnet.prefixLength
        {
            reader.report(
                "the prefix length /\(prefixLength) of \(what) is not that of network '\(network.name)'", at: position,
                allowed: ["/\(subnet.prefixLength)"])
        }
        guard isHost(address, of: network, what: "the address \(address) of \(what)", at: position) else { return }
        if !address.isIPv4, !node.role.carriesIPv6 {
            reader.report(
                "\(what) has the IPv6 address \(address), but \(node.role.article) carries IPv4 alone", at: position,
                allowed: [
                    "IPv4",
                    "a \(RoleForm.router.word) or a \(RoleForm.loadBalancer.word) for IPv6",
                ])
            return
        }
        claim(address, for: AddressOwner(node: node.name.value, what: what, position: position), at: position)
        setAddress(address, of: node.name.value, index, in: network)
    }

    /// Gives each remaining interface the lowest address of its network that nothing else has, of each family of the
    /// network: interfaces in the order of the file, after all addresses that the lab gives, virtual ones included.
    mutating func resolveAutomaticAddresses() {
        for node in nodeDefinitions {
            for (index, definition) in node.interfaces.enumerated() {
                guard let network = network(named: definition.network.value) else { continue }
                let what = "\(node.name.value).\(definition.name.value)"
                for subnet in network.subnets where wantsAutomatic(subnet.family, definition, node) {
                    guard let free = lowestFree(in: subnet) else {
                        reader.report(
                            "network '\(network.name)' (\(subnet)) has no address left for \(what)",
                            at: definition.name.position)
                        continue
                    }
                    owners[free] = AddressOwner(node: node.name.value, what: what, position: definition.name.position)
                    setAddress(free, of: node.name.value, index, in: network)
                }
                if network.subnets.allSatisfy({ $0.family == .ipv6 }), !node.role.carriesIPv6,
                    case .automatic = definition.address
                {
                    reader.report(
                        "\(what) is on network '\(network.name)', which has no IPv4 subnet, but \(node.role.article) carries IPv4 alone",
                        at: definition.network.position,
                        allowed: ["an IPv4 subnet beside \(network.subnets[0])", "address: none"])
                }
            }
        }
    }

    private func wantsAutomatic(
        _ family: IPVersion, _ definition: InterfaceDefinition, _ node: NodeDefinition
    ) -> Bool {
        guard family == .ipv4 || node.role.carriesIPv6 else { return false }
        switch definition.address {
        case .automatic: return true
        case .none: return false
        case .given(let given, let isComplete):
            return !isComplete && !given.contains { $0.address.value.family == family }
        }
    }

    private mutating func lowestFree(in subnet: IPNetwork) -> IPAddress? {
        // Nothing gives an address back, so each search begins where the last one ended.
        let start = leading[subnet] ?? 0
        func search(_ candidates: some Sequence<IPAddress>) -> IPAddress? {
            for (offset, address) in candidates.enumerated() where owners[address] == nil {
                leading[subnet] = start + offset
                return address
            }
            return nil
        }
        switch subnet {
        case .ipv4(let subnet): return search(subnet.hosts.dropFirst(start).lazy.map { .ipv4($0) })
        case .ipv6(let subnet):
            // Whatever the lab gives, one of so many is free, if the network is as large.
            let size = 128 - subnet.prefixLength >= 32 ? UInt64(UInt32.max) : 1 << UInt64(128 - subnet.prefixLength)
            let candidates = (subnet.prefixLength == 127 ? 0 : 1)...max(1, min(size - 1, UInt64(owners.count) + 2))
            return search(
                candidates.dropFirst(start).lazy
                    .map { .ipv6(IPv6Address(high: subnet.address.high, low: subnet.address.low &+ $0)) })
        }
    }

    /// Reserves the addresses of virtual services; one balancer may use one address for several, and several balancers
    /// one address for services with direct server return, of which each can carry what another has begun.
    mutating func reserveServiceAddresses() {
        struct Listener: Hashable {
            var address: IPAddress
            var port: UInt16
            var transport: IPProtocol
        }
        var listeners: [Listener: (name: String, node: String, isDirect: Bool)] = [:]
        for node in nodeDefinitions {
            for service in node.virtualServices {
                let (address, position) = (service.address.value, service.address.position)
                let name = "\(node.name.value)/\(service.name.value)"
                for source in service.http?.sourceAddresses ?? [] { reserveSource(source, of: name, on: node) }
                let listener = Listener(address: address, port: service.port, transport: service.profile.transport)
                let isDirect = service.directReturn != nil
                if let other = listeners.updateValue((name, node.name.value, isDirect), forKey: listener),
                    !(other.isDirect && isDirect && other.node != node.name.value)
                {
                    reader.report(
                        "\(address.endpoint(port: service.port))/\(listener.transport) of virtual service \(name) belongs to virtual service \(other.name) already",
                        at: position)
                    continue
                }
                if isDirect, let owner = owners[address], isDirectService(address, of: owner.node) { continue }
                if owners[address]?.node == node.name.value { continue }
                if let network = networks.first(where: { $0.contains(address) }),
                    !isHost(
                        address, of: network, what: "the address \(address) of virtual service \(name)", at: position)
                {
                    continue
                }
                if !address.isRoutable {
                    reader.report("virtual service \(name) cannot listen on \(address)", at: position)
                    continue
                }
                claim(
                    address,
                    for: AddressOwner(node: node.name.value, what: "virtual service \(name)", position: position),
                    at: position)
            }
        }
    }

    /// Whether everything that a balancer has at an address is direct server return.
    private func isDirectService(_ address: IPAddress, of node: String) -> Bool {
        let services = definition(of: node)?.virtualServices.filter { $0.address.value == address } ?? []
        return !services.isEmpty && services.allSatisfy { $0.directReturn != nil }
    }

    /// Reserves an address of a SNAT pool: on one of the balancer's own networks, so that answers find it.
    private mutating func reserveSource(_ source: Located<IPAddress>, of service: String, on node: NodeDefinition) {
        let what = "the SNAT pool of virtual service \(service)"
        let own = node.interfaces.compactMap { interface in networks.first { $0.name == interface.network.value } }
        guard let network = own.first(where: { $0.contains(source.value) }) else {
            reader.report(
                "\(source.value) of \(what) is on none of its networks", at: source.position,
                allowed: own.flatMap(\.subnets).map { "an address in \($0)" })
            return
        }
        guard isHost(source.value, of: network, what: "\(source.value) of \(what)", at: source.position) else { return }
        if owners[source.value]?.node == node.name.value { return }
        claim(
            source.value, for: AddressOwner(node: node.name.value, what: what, position: source.position),
            at: source.position)
    }

    /// Whether a machine can have the address on that network; reports why not.
    func isHost(_ address: IPAddress, of network: Network, what: String, at position: SourcePosition) -> Bool {
        guard let subnet = network.subnet(address.family) else {
            reader.report(
                "\(what) is \(address.family.rawValue), but network '\(network.name)' has no \(address.family.rawValue) subnet",
                at: position, allowed: network.subnets.map { "an address in \($0)" })
            return false
        }
        let (allowed, own): (String, String?)
        switch subnet {
        case .ipv4(let subnet):
            allowed = "\(subnet.hosts.lowerBound) to \(subnet.hosts.upperBound)"
            let isHost = address.ipv4.map(subnet.hosts.contains) ?? false
            own = isHost ? nil : address.ipv4 == subnet.address ? "the network's own address" : "the broadcast address"
        case .ipv6(let subnet):
            allowed = "an address in \(subnet)"
            // The lowest address means any router of the network, on a link of two alone it is a host.
            // Source: RFC 4291, 2.6.1; RFC 6164
            let isRouters = address.ipv6 == subnet.address && subnet.prefixLength != 127
            own = isRouters ? "the subnet-router anycast address" : nil
        }
        guard subnet.contains(address) else {
            reader.report("\(what) is outside network '\(network.name)'", at: position, allowed: [allowed])
            return false
        }
        guard let own else { return true }
        reader.report("\(what) is \(own) of '\(network.name)'", at: position, allowed: [allowed])
        return false
    }

    private mutating func setAddress(_ address: IPAddress, of node: String, _ index: Int, in network: Network) {
        guard let length = network.subnet(address.family)?.prefixLength else { return }
        switch IPInterfaceAddress(address, prefixLength: length) {
        case .ipv4(let own): interfaces[node]?[index].address = own
        case .ipv6(let own): interfaces[node]?[index].ipv6 = own
        }
    }
}
