import Configuration
import Dataplane
import Wire

/// What of a box decides whether a translation fits it.
struct NATSurroundings {
    var name: String
    /// Of the ports, with their networks.
    var interfaces: [IPv4InterfaceAddress]
    /// Other machines that the box knows of: gateways, and its peer on the cross-connect.
    var neighbors: [IPv4Address]
    /// Whether it is one of a pair, which grant from halves of the ports.
    var isPaired: Bool

    init(_ configuration: FirewallConfiguration) {
        name = configuration.name
        interfaces = configuration.ports.compactMap(\.address)
        let peer = configuration.redundancy?.crossConnect.map { [$0.peerAddress] } ?? []
        neighbors = configuration.routes.compactMap(\.gateway.ipv4) + peer
        isPaired = configuration.redundancy != nil
    }

    /// - Parameter leaving: pools that are about to go, and may have others' addresses so long
    /// - Throws: what in the pools and rules cannot be
    func check(_ nat: NATConfiguration, leaving: [String] = []) throws(ConfigurationError) {
        for (index, pool) in nat.pools.enumerated() {
            try check(pool)
            for other in nat.pools[..<index] {
                guard other.name != pool.name else {
                    throw ConfigurationError("\(name) has two NAT pools '\(pool.name)'; give each its own name")
                }
                guard other.ports.overlaps(pool.ports), !leaving.contains(other.name), !leaving.contains(pool.name),
                    let both = other.addresses.first(where: pool.addresses.contains)
                else { continue }
                throw ConfigurationError(
                    "the NAT pools '\(other.name)' and '\(pool.name)' of \(name) both have \(both) with the same ports; give each its own addresses or ports"
                )
            }
        }
        for rule in nat.rules {
            guard let wanted = rule.pool, !nat.pools.contains(where: { $0.name == wanted }) else { continue }
            let which = rule.name.isEmpty ? "a NAT rule" : "the NAT rule '\(rule.name)'"
            throw ConfigurationError(
                "\(which) of \(name) names the pool '\(wanted)'; \(PolicyConfiguration.list("NAT pools", nat.pools.map(\.name)))"
            )
        }
    }

    private func check(_ pool: NATPool) throws(ConfigurationError) {
        guard !pool.addresses.isEmpty, pool.addresses.count <= 256, pool.ports.lowerBound > 0 else {
            throw ConfigurationError(
                "the NAT pool '\(pool.name)' of \(name) needs 1 to 256 addresses and ports from 1 on")
        }
        guard Set(pool.addresses).count == pool.addresses.count else {
            throw ConfigurationError("the NAT pool '\(pool.name)' of \(name) has an address twice")
        }
        for address in pool.addresses {
            guard address.isRoutable else {
                throw ConfigurationError(
                    "\(address) of the NAT pool '\(pool.name)' of \(name) is no address of a host")
            }
            if neighbors.contains(address) {
                throw ConfigurationError(
                    "\(address) of the NAT pool '\(pool.name)' is another machine's, next to \(name); give the pool an address that nobody has"
                )
            }
            if let own = interfaces.first(where: {
                $0.network.contains(address) && !$0.network.hosts.contains(address)
            }) {
                throw ConfigurationError(
                    "\(address) of the NAT pool '\(pool.name)' is the first or last address of \(own.network), which no host may have"
                )
            }
        }
        guard isPaired,
            let without = [NATShare.first, .second].first(where: { !pool.ports.contains(where: $0.pattern.allows) })
        else { return }
        throw ConfigurationError(
            "the ports of the NAT pool '\(pool.name)' leave one box of the pair none: each grants from its half, and no port from \(pool.ports.lowerBound) to \(pool.ports.upperBound) has bit 1 \(without == .first ? "clear" : "set"); use a range such as 2000-2003"
        )
    }

    /// What an address is called in a comparison with the peer: an interface's own is another on each box, and still the
    /// same pool.
    func word(for address: IPv4Address) -> String {
        guard let own = interfaces.first(where: { $0.address == address }) else { return "\(address)" }
        return "own address in \(own.network)"
    }
}
