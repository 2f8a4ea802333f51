import Configuration
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
                claim(value, ofPoolOf: name, what, at: address.position)
            }
        }
    }

    /// Those of pools that are pushed, too; what firewalls share, or a virtual address, they may have.
    mutating func reservePushedAddresses() {
        for pool in pushedPools {
            let what = "the pool '\(pool.name.value)'"
            for address in pool.addresses {
                guard case .literal(let value) = address.kind else { continue }
                if pairs.contains(where: { $0.routers.contains { $0.addresses.contains(value) } }) { continue }
                if owners[.ipv4(value)]?.isPool == true { continue }
                claim(value, ofPoolOf: "", what, at: address.position)
            }
        }
    }

    /// - Parameter node: empty where it is known only when the pool is pushed
    private mutating func claim(
        _ address: IPv4Address, ofPoolOf node: String, _ what: String, at position: SourcePosition
    ) {
        guard address.isRoutable else {
            return reader.report("\(address) of \(what) is no address of a host", at: position)
        }
        if let network = networks.first(where: { $0.contains(.ipv4(address)) }),
            !isHost(.ipv4(address), of: network, what: "\(address) of \(what)", at: position)
        {
            return
        }
        claim(
            .ipv4(address), for: AddressOwner(node: node, what: what, position: position, isPool: true), at: position)
    }

    /// - Returns: nil where the box translates nothing
    func nat(of name: String) -> NATConfiguration? {
        guard let (nat, author) = written(for: name) else { return nil }
        var pools: [NATPool] = []
        for written in nat.pools {
            let pool = pool(written, writtenBy: author, for: name)
            for other in pools where other.ports.overlaps(pool.ports) {
                guard let both = other.addresses.first(where: pool.addresses.contains) else { continue }
                reader.report(
                    "the pools '\(other.name)' and '\(pool.name)' both have \(both) with the same ports",
                    at: written.name.position, allowed: ["an address, or ports, of its own for each pool"])
            }
            pools.append(pool)
        }
        return NATConfiguration(pools: pools, rules: nat.rules.flatMap(rules), timers: nat.timers)
    }

    /// A pool that the lab writes for this box, or its peer.
    private func pool(_ pool: NATDefinition.Pool, writtenBy author: String, for name: String) -> NATPool {
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
        return NATPool(
            name: pool.name.value, addresses: addresses, ports: ports, filtering: pool.filtering,
            pooling: pool.pooling)
    }

    /// What a push means for a box: its own addresses are others than its peer's.
    /// - Parameter pushes: all of the lab, which may add what this one names
    func change(_ push: NATPushDefinition, of name: String, among pushes: [NATPushDefinition]) -> NATChange {
        let written = written(for: name)?.nat
        let pools =
            (written?.pools ?? []).map(\.name.value) + pushes.flatMap(\.addedPools).map(\.name.value)
        let rules =
            (written?.rules ?? []).map(\.name.value) + pushes.flatMap(\.addedRules).map(\.rule.name.value)
        func check(_ word: Located<String>, _ what: String, _ known: [String]) {
            guard !known.contains(word.value) else { return }
            reader.reportUnknown(
                word.value, "'\(name)' has no \(what) '\(LabValue.shortened(word.value))', and no push adds one",
                at: word.position, allowed: known, isOnce: true)
        }
        for pool in push.changedPools { check(pool.name, "NAT pool", pools) }
        for pool in push.deletedPools { check(pool, "NAT pool", pools) }
        for rule in push.deletedRules { check(rule, "NAT rule", rules) }
        for added in push.addedRules {
            added.rule.checkPool(among: pools, reader)
            if let before = added.before { check(before, "NAT rule", rules) }
        }
        func resolved(_ pool: NATDefinition.Pool) -> NATPool {
            self.pool(pool, writtenBy: author(of: pool, for: name), for: name)
        }
        return NATChange(
            addedPools: push.addedPools.map(resolved), changedPools: push.changedPools.map(resolved),
            deletedPools: push.deletedPools.map(\.value),
            addedRules: push.addedRules.map {
                NATChange.AddedRule($0.rule.name.value, self.rules($0.rule), before: $0.before?.value)
            }, deletedRules: push.deletedRules.map(\.value))
    }

    /// Looks through a push that no step may use: what it names, some firewall has or some push adds.
    func lookThrough(_ push: NATPushDefinition, among pushes: [NATPushDefinition]) {
        let firewalls = nodeDefinitions.filter { $0.firewall != nil }
        let written = firewalls.compactMap(\.nat)
        func names(_ words: [String]) -> [String] {
            words.reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } }
        }
        let pools = names(
            written.flatMap(\.pools).map(\.name.value) + pushes.flatMap(\.addedPools).map(\.name.value))
        let rules = names(
            written.flatMap(\.rules).map(\.name.value) + pushes.flatMap(\.addedRules).map(\.rule.name.value))
        func check(_ word: Located<String>, _ what: String, _ known: [String]) {
            guard !known.contains(word.value) else { return }
            reader.suspect(
                word.value, "no firewall has a \(what) '\(LabValue.shortened(word.value))', and no push adds one",
                at: word.position, allowed: known)
        }
        for pool in push.changedPools { check(pool.name, "NAT pool", pools) }
        for pool in push.deletedPools { check(pool, "NAT pool", pools) }
        for rule in push.deletedRules { check(rule, "NAT rule", rules) }
        for added in push.addedRules {
            if added.rule.pool.value != NATDefinition.noPool { check(added.rule.pool, "NAT pool", pools) }
            if let before = added.before { check(before, "NAT rule", rules) }
            // Networks and nodes are the same for every firewall.
            _ = self.rules(added.rule)
        }
        let ports = names(firewalls.flatMap { interfaces[$0.name.value] ?? [] }.map(\.name))
        for address in (push.addedPools + push.changedPools).flatMap(\.addresses) {
            switch address.kind {
            case .literal: continue
            case .own(let interface), .virtual(let interface):
                guard !ports.contains(interface) else { continue }
                reader.suspect(
                    interface, "no firewall has an interface '\(LabValue.shortened(interface))'",
                    at: address.position, allowed: ports)
            }
        }
    }

    /// Whose interfaces a pushed pool's addresses name: the box's, or else its peer's.
    private func author(of pool: NATDefinition.Pool, for name: String) -> String {
        let words = pool.addresses.compactMap { address in
            switch address.kind {
            case .literal: nil as String?
            case .own(let interface), .virtual(let interface): interface
            }
        }
        let names = [name] + (pairs.first { $0.index(of: name) != nil }?.members.map(\.name) ?? [])
        return names.first { node in
            words.allSatisfy { word in interfaces[node]?.contains { $0.name == word } == true }
        } ?? name
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
                allowed: interfaces.map(\.name), isOnce: true)
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
                    name: rule.name.value, source: source, destination: $0, protocol: rule.protocol,
                    destinationPorts: rule.ports ?? 0...65535,
                    pool: pool)
            }
        }
    }

    /// Of a rule; `any` too.
    private func place(_ written: Located<String>) -> IPv4Network? {
        written.value == "any" ? .any : block(written, or: ["any"])
    }
}
