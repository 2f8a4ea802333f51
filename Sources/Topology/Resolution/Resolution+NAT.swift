import Appliances
import Dataplane
import LabFile
import Wire

extension Resolution {
    /// What a firewall translates: as it says, or as its peer says where it says nothing itself.
    private func written(for name: String) -> (nat: NATDefinition, by: String)? {
        if let own = definition(of: name)?.nat { return (own, name) }
        guard let pair = pairs.first(where: { $0.index(of: name) != nil }),
            let peer = pair.members.first(where: { $0.name != name }), let nat = definition(of: peer.name)?.nat
        else { return nil }
        return (nat, peer.name)
    }

    /// Reserves the addresses of pools that the lab writes out, so that no interface gets one.
    mutating func reservePoolAddresses() {
        for node in nodeDefinitions {
            guard let nat = node.nat else { continue }
            let name = node.name.value
            let pair = pairs.first { $0.index(of: name) != nil }
            let owners = pair.map { $0.members.map(\.name) } ?? [name]
            let what = "the NAT of " + owners.map { "'\($0)'" }.joined(separator: " and ")
            for address in nat.pools.flatMap(\.addresses) {
                guard case .literal(let value) = address.kind else { continue }
                if pair?.routers.contains(where: { $0.addresses.contains(value) }) == true { continue }
                if self.owners[.ipv4(value)]?.what == what { continue }
                if let port = interfaces[name]?.first(where: { $0.address?.address == value }) {
                    reader.report(
                        "\(value) of \(what) is \(name).\(port.name)'s own address", at: address.position,
                        allowed: ["\(port.name).ip"])
                    continue
                }
                guard value.isRoutable else {
                    reader.report("\(value) of \(what) is no address of a host", at: address.position)
                    continue
                }
                if let network = networks.first(where: { $0.contains(.ipv4(value)) }),
                    !isHost(.ipv4(value), of: network, what: "\(value) of \(what)", at: address.position)
                {
                    continue
                }
                claim(
                    .ipv4(value), for: AddressOwner(node: name, what: what, position: address.position),
                    at: address.position)
            }
        }
    }

    /// - Returns: nil where the box translates nothing
    func nat(of name: String) -> NATConfiguration? {
        guard let (nat, author) = written(for: name) else { return nil }
        var pools: [NATPool] = []
        for pool in nat.pools {
            var isShared = false
            var addresses: [IPv4Address] = []
            for address in pool.addresses {
                guard let value = value(of: address, writtenBy: author, for: name) else { continue }
                if case .own = address.kind { isShared = true }
                if addresses.contains(value) {
                    reader.report("\(value) is in the pool '\(pool.name.value)' already", at: address.position)
                    continue
                }
                addresses.append(value)
            }
            let ports = pool.ports ?? (isShared ? NATPool.besideHost : NATPool.everyPort)
            for other in pools where other.ports.overlaps(ports) {
                guard let both = other.addresses.first(where: addresses.contains) else { continue }
                reader.report(
                    "the pools '\(other.name)' and '\(pool.name.value)' both have \(both) with the same ports",
                    at: pool.name.position, allowed: ["an address, or ports, of its own for each pool"])
            }
            let isPaired = pairs.contains { $0.index(of: name) != nil }
            if isPaired,
                let without = [NATShare.first, .second].first(where: { !ports.contains(where: $0.pattern.allows) })
            {
                let which = without == .first ? "clear" : "set"
                reader.report(
                    "the ports of the pool '\(pool.name.value)' leave one box of the pair none: each grants from its half, and no port here has bit 1 \(which)",
                    at: pool.name.position, allowed: ["a range such as 2000-2003"])
            }
            if addresses.count > 256 {
                reader.report(
                    "the pool '\(pool.name.value)' has \(addresses.count) addresses", at: pool.name.position,
                    allowed: ["at most 256"])
            }
            pools.append(
                NATPool(
                    name: pool.name.value, addresses: addresses, ports: ports, filtering: pool.filtering,
                    pooling: pool.pooling))
        }
        return NATConfiguration(pools: pools, rules: nat.rules.flatMap(rules), timers: nat.timers)
    }

    /// Each pool's name and first address, as the box has it.
    func poolAddresses(of name: String) -> [(pool: String, address: IPv4Address)] {
        guard let (nat, author) = written(for: name) else { return [] }
        return nat.pools.compactMap { pool in
            pool.addresses.first.flatMap { value(of: $0, writtenBy: author, for: name) }.map { (pool.name.value, $0) }
        }
    }

    /// An address as this box has it; `interface.ip` and `interface.virtual-ip` name the author's interface, and mean
    /// the one on the same network.
    private func value(of address: NATDefinition.Address, writtenBy author: String, for name: String) -> IPv4Address? {
        let (written, isVirtual): (String, Bool)
        switch address.kind {
        case .literal(let value): return value
        case .own(let interface): (written, isVirtual) = (interface, false)
        case .virtual(let interface): (written, isVirtual) = (interface, true)
        }
        let interfaces = interfaces[author] ?? []
        guard let named = interfaces.first(where: { $0.name == written }) else {
            reader.reportUnknown(
                written, "'\(author)' has no interface '\(LabValue.shortened(written))'", at: address.position,
                allowed: interfaces.map(\.name))
            return nil
        }
        guard isVirtual else {
            if let own = interface(of: name, on: named.network)?.address?.address { return own }
            reader.report("'\(name)' has no address on network '\(named.network)'", at: address.position)
            return nil
        }
        let router = pairs.first { $0.index(of: name) != nil }?.routers.first { $0.network == named.network }
        if let virtual = router?.addresses.first { return virtual }
        reader.report(
            "'\(author)' has no virtual address on \(written)", at: address.position,
            allowed: [IPv4Address.textForm, "\(written).ip"])
        return nil
    }

    /// One for each source and destination.
    private func rules(_ rule: NATDefinition.Rule) -> [NATRule] {
        let pool = rule.pool.value == NATDefinition.noPool ? nil : rule.pool.value
        let destinations = rule.destinations.isEmpty ? [IPv4Network.any] : rule.destinations.compactMap(place)
        return rule.sources.compactMap(place).flatMap { source in
            destinations.map {
                NATRule(
                    source: source, destination: $0, protocol: rule.protocol, destinationPorts: rule.ports ?? 0...65535,
                    pool: pool)
            }
        }
    }

    /// Of a rule; `any` too.
    private func place(_ written: Located<String>) -> IPv4Network? {
        written.value == "any" ? .any : block(written, or: ["any"])
    }
}
