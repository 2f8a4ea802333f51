import LabFile
import Wire

/// Addresses on `lo` of hosts.
extension Resolution {
    /// Addresses and networks that the lab gives; one that belongs to a virtual service or the like stays with it.
    mutating func reserveLoopbackAddresses() {
        for node in nodeDefinitions {
            let name = node.name.value
            for value in node.host?.loopback ?? [] {
                let what = "the loopback of '\(name)'"
                let owner = AddressOwner(node: name, what: what, position: value.position, isLoopback: true)
                if let network = value.text.flatMap({ IPv4Network($0) }), network.prefixLength < 32 {
                    loopbackNetworks.append((network, owner))
                }
                guard let address = value.text.flatMap({ IPAddress($0) }), !address.needsInterface else { continue }
                guard let other = owners[address] else {
                    owners[address] = owner
                    continue
                }
                guard other.isLoopback, other.node != name else { continue }
                // An anycast address: whoever is nearest has it.
                owners[address]?.holders = (other.holders.isEmpty ? [other.node] : other.holders) + [name]
            }
        }
    }

    /// Those of them that are written out.
    func loopbackAddresses(of node: String) -> [IPAddress] {
        (definition(of: node)?.host?.loopback ?? []).compactMap { $0.text.flatMap { IPAddress($0) } }
    }

    /// Who has an address, that of a network on a loopback included.
    func owner(of address: IPAddress) -> AddressOwner? {
        owners[address]
            ?? address.ipv4.flatMap { address in loopbackNetworks.first { $0.network.contains(address) }?.owner }
    }

    func loopback(_ values: [LabValue], of node: String) -> (addresses: [IPAddress], networks: [IPv4Network]) {
        var all: [IPAddress] = []
        var networks: [IPv4Network] = []
        for value in values {
            if let network = value.text.flatMap({ IPv4Network($0) }), network.prefixLength < 32 {
                if networks.contains(where: { $0.overlaps(network) }) {
                    reader.report(
                        "\(network) overlaps another network on the loopback of '\(node)'",
                        at: value.position)
                } else {
                    networks.append(network)
                }
                continue
            }
            guard let address = address(value, "an address on the loopback of '\(node)'") else {
                continue
            }
            if all.contains(address) {
                reader.report("\(address) is on the loopback of '\(node)' already", at: value.position)
            } else if interfaces[node]?.contains(where: {
                $0.addresses.contains { $0.address == address }
            }) == true {
                reader.report("'\(node)' has \(address) on an interface already", at: value.position)
            } else {
                all.append(address)
            }
        }
        return (all, networks)
    }
}
