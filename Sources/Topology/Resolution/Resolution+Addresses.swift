import Appliances
import LabFile
import Wire

extension Resolution {
    /// Takes over and checks the addresses that the lab gives.
    mutating func resolveGivenAddresses() {
        for node in nodeDefinitions {
            for (index, definition) in node.interfaces.enumerated() {
                guard case .given(let given, let prefixLength) = definition.address,
                    let network = network(named: definition.network.value)
                else { continue }
                let what = "\(node.name.value).\(definition.name.value)"
                if let prefixLength, prefixLength != network.subnet.prefixLength {
                    reader.report(
                        "the prefix length /\(prefixLength) of \(what) is not that of network '\(network.name)'",
                        at: given.position, allowed: ["/\(network.subnet.prefixLength)"])
                }
                guard
                    isHost(given.value, of: network, what: "the address \(given.value) of \(what)", at: given.position)
                else { continue }
                claim(
                    given.value, for: AddressOwner(node: node.name.value, what: what, position: given.position),
                    at: given.position)
                setAddress(given.value, of: node.name.value, index, in: network)
            }
        }
    }

    /// Gives each remaining interface the lowest address of its network that nothing else has: interfaces in the order
    /// of the file, after all addresses that the lab gives, virtual ones included.
    mutating func resolveAutomaticAddresses() {
        for node in nodeDefinitions {
            for (index, definition) in node.interfaces.enumerated() {
                guard case .automatic = definition.address, let network = network(named: definition.network.value)
                else {
                    continue
                }
                let what = "\(node.name.value).\(definition.name.value)"
                guard let free = network.subnet.hosts.first(where: { owners[$0] == nil }) else {
                    reader.report(
                        "network '\(network.name)' (\(network.subnet)) has no address left for \(what)",
                        at: definition.name.position)
                    continue
                }
                owners[free] = AddressOwner(node: node.name.value, what: what, position: definition.name.position)
                setAddress(free, of: node.name.value, index, in: network)
            }
        }
    }

    /// Reserves the addresses of virtual services; one balancer may use one address for several, and several balancers
    /// one address for services with direct server return, of which each can carry what another has begun.
    mutating func reserveServiceAddresses() {
        struct Listener: Hashable {
            var address: IPv4Address
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
                        "\(address):\(service.port)/\(listener.transport) of virtual service \(name) belongs to virtual service \(other.name) already",
                        at: position)
                    continue
                }
                if isDirect, let owner = owners[address], isDirectService(address, of: owner.node) { continue }
                if owners[address]?.node == node.name.value { continue }
                if let network = networks.first(where: { $0.subnet.contains(address) }),
                    !isHost(
                        address, of: network, what: "the address \(address) of virtual service \(name)", at: position)
                {
                    continue
                }
                if address.isMulticast || address.isUnspecified || address.isLoopback || address.isBroadcast {
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
    private func isDirectService(_ address: IPv4Address, of node: String) -> Bool {
        let services = definition(of: node)?.virtualServices.filter { $0.address.value == address } ?? []
        return !services.isEmpty && services.allSatisfy { $0.directReturn != nil }
    }

    /// Reserves an address of a SNAT pool: on one of the balancer's own networks, so that answers find it.
    private mutating func reserveSource(_ source: Located<IPv4Address>, of service: String, on node: NodeDefinition) {
        let what = "the SNAT pool of virtual service \(service)"
        let own = node.interfaces.compactMap { interface in networks.first { $0.name == interface.network.value } }
        guard let network = own.first(where: { $0.subnet.contains(source.value) }) else {
            reader.report(
                "\(source.value) of \(what) is on none of its networks", at: source.position,
                allowed: own.map { "an address in \($0.subnet)" })
            return
        }
        guard isHost(source.value, of: network, what: "\(source.value) of \(what)", at: source.position) else { return }
        if owners[source.value]?.node == node.name.value { return }
        claim(
            source.value, for: AddressOwner(node: node.name.value, what: what, position: source.position),
            at: source.position)
    }

    /// Whether a machine can have the address on that network; reports why not.
    func isHost(_ address: IPv4Address, of network: Network, what: String, at position: SourcePosition) -> Bool {
        guard network.subnet.contains(address) else {
            reader.report(
                "\(what) is outside network '\(network.name)'", at: position,
                allowed: ["\(network.subnet.hosts.lowerBound) to \(network.subnet.hosts.upperBound)"])
            return false
        }
        guard network.subnet.hosts.contains(address) else {
            let kind = address == network.subnet.address ? "the network's own address" : "the broadcast address"
            reader.report(
                "\(what) is \(kind) of '\(network.name)'", at: position,
                allowed: ["\(network.subnet.hosts.lowerBound) to \(network.subnet.hosts.upperBound)"])
            return false
        }
        return true
    }

    private mutating func setAddress(_ address: IPv4Address, of node: String, _ index: Int, in network: Network) {
        interfaces[node]?[index].address = IPv4InterfaceAddress(address, prefixLength: network.subnet.prefixLength)
    }
}
