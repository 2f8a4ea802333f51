import Configuration
import LabFile
import Wire

/// Addresses that no interface has from the start, because programs move them from node to node.
extension Resolution {
    /// Reserves those of networks and nodes, and those of programs' short forms.
    mutating func reserveVirtualAddresses() {
        for network in networkDefinitions {
            let name = network.name.value
            for virtual in network.virtualAddresses {
                let what = "virtual address \(virtual.address.value) of network '\(name)'"
                let holders = nodeDefinitions.filter { node in
                    !node.programs.isEmpty && node.interfaces.contains { $0.network.value == name }
                }.map(\.name.value)
                guard !holders.isEmpty else {
                    reader.report(
                        "nobody can have \(what): no node on it runs a program", at: virtual.address.position,
                        allowed: ["'programs' of a node on it, such as keepalived", "'virtual-addresses' of a node"])
                    continue
                }
                reserve(virtual.address, what, holders: holders, on: name, isBound: true)
            }
        }
        for node in nodeDefinitions {
            let name = node.name.value
            for virtual in node.virtualAddresses {
                let what = "virtual address \(virtual.address.value) of node '\(name)'"
                let own = node.interfaces.map(\.network.value)
                if virtual.address.value.needsInterface, own.count > 1 {
                    reader.report(
                        "\(what) is link-local, and the node is on several networks", at: virtual.address.position,
                        allowed: ["'virtual-addresses' of a network"])
                    continue
                }
                reserve(virtual.address, what, holders: [name], on: own.first)
            }
            for program in node.programs {
                for virtual in program.form.virtualAddresses {
                    let network = node.interfaces.first { $0.name.value == virtual.interface }?.network.value
                    // An address owner of VRRP has it on its interface.
                    guard let network, owners[virtual.address.value].map({ !$0.holders.isEmpty }) ?? true else {
                        continue
                    }
                    let what = "address \(virtual.address.value) of \(name)/\(program.name.value)"
                    reserve(virtual.address, what, holders: [name], on: network)
                }
            }
        }
    }

    /// - Parameter isBound: whether it must be an address of that network
    private mutating func reserve(
        _ located: Located<IPAddress>, _ what: String, holders: [String], on network: String?, isBound: Bool = false
    ) {
        let (address, position) = (located.value, located.position)
        if address.needsInterface {
            guard let network, let found = self.network(named: network) else { return }
            guard found.ipv6 != nil else {
                reader.report("\(what) is IPv6, but network '\(network)' has no IPv6 subnet", at: position)
                return
            }
            linkLocalAddresses[network, default: []].insert(address)
            return
        }
        // One of a node that is on none of the lab's networks is reached by routes.
        if let place = networks.first(where: { isBound ? $0.name == network : $0.contains(address) }) {
            guard isHost(address, of: place, what: what, at: position) else { return }
        } else if !address.isRoutable {
            reader.report("\(what) is no unicast address", at: position)
            return
        }
        if let owner = owners[address], !owner.holders.isEmpty {
            owners[address]?.holders += holders.filter { !owner.holders.contains($0) }
            return
        }
        claim(
            address, for: AddressOwner(node: holders[0], what: what, position: position, holders: holders),
            at: position)
    }

    /// The interfaces of a node by which it can reach a link-local virtual address.
    func interfaces(of node: String, to address: IPAddress) -> [Interface] {
        (interfaces[node] ?? []).filter { linkLocalAddresses[$0.network]?.contains(address) == true }
    }

    /// A route, with its interface where the gateway's address does not say it.
    func route(to destination: IPNetwork, by gateway: IPAddress, of node: String) -> RouteConfiguration {
        let interface = gateway.needsInterface ? interfaces(of: node, to: gateway).first?.name : nil
        return RouteConfiguration(destination: destination, gateway: gateway, interface: interface)
    }

    /// Whether a node can send packets to a link-local address first; reports why not.
    func isLinkLocalNextHop(_ address: IPAddress, of node: String, what: String, at position: SourcePosition) -> Bool {
        if definition(of: node)?.role.isBox == true {
            reader.report(
                "\(what) is \(address), and the dataplane of a box takes no link-local gateway", at: position,
                allowed: ["a global address"])
            return false
        }
        let found = interfaces(of: node, to: address)
        if found.count == 1 { return true }
        let own = (interfaces[node] ?? []).filter { $0.ipv6 != nil }.map(\.network)
        reader.report(
            found.isEmpty
                ? "\(what) is \(address), which nobody has on its networks"
                : "\(what) is \(address), which is on several of its networks", at: position,
            allowed: found.isEmpty
                ? own.map { "'virtual-addresses: \(address)' of network '\($0)'" }
                : ["another link-local address on each: \(found.map(\.network).joined(separator: ", "))"])
        return false
    }
}

extension IPAddress {
    /// Whether it means nothing without an interface: `fe80::/10`. Source: RFC 4007, 6
    var needsInterface: Bool { ipv6?.isLinkLocal == true }
    /// The network that has this address alone.
    var ownNetwork: IPNetwork { IPInterfaceAddress(self, prefixLength: bitCount).network }
}
