import Dataplane
import LabTime
import Wire

/// What a firewall's translation needs beside its session table.
struct FirewallTranslation: ~Copyable {
    /// An address of a pool in a connected network that neither the port nor a virtual router has: the box that
    /// translates answers ARP for it.
    struct Address {
        var address: IPv4Address
        var port: PortIndex
        /// The virtual router's MAC address where the port has one.
        var mac: MACAddress
    }

    /// At most one event a second about each pool that is exhausted.
    static let eventInterval: Duration = .seconds(1)

    let addresses: [Address]
    var unsolicited = UnsolicitedSYNs()
    /// When each pool was last told of, by name.
    var toldAt: [String: Instant] = [:]

    init(pools: [NATPool], ports: [PortConfiguration], routers: [VirtualRouterPort]) {
        let taken = Set(ports.compactMap { $0.address?.address } + routers.flatMap(\.addresses))
        var addresses: [Address] = []
        for address in pools.flatMap(\.addresses) where !taken.contains(address) {
            guard let index = ports.firstIndex(where: { $0.address?.network.contains(address) ?? false }),
                !addresses.contains(where: { $0.address == address })
            else { continue }
            let mac = routers.first { Int($0.port) == index }?.mac ?? ports[index].mac
            addresses.append(Address(address: address, port: PortIndex(index), mac: mac))
        }
        self.addresses = addresses
    }

    /// - Throws: what in the pools and rules cannot be
    static func check(_ nat: NATConfiguration, of name: String) throws(ConfigurationError) {
        for (index, pool) in nat.pools.enumerated() {
            guard !pool.addresses.isEmpty, pool.addresses.count <= 256, pool.ports.lowerBound > 0 else {
                throw ConfigurationError(
                    "the NAT pool '\(pool.name)' of \(name) needs 1 to 256 addresses and ports from 1 on")
            }
            for other in nat.pools[..<index] {
                guard other.name != pool.name else {
                    throw ConfigurationError("\(name) has two NAT pools '\(pool.name)'; give each its own name")
                }
                guard other.ports.overlaps(pool.ports), let both = other.addresses.first(where: pool.addresses.contains)
                else { continue }
                throw ConfigurationError(
                    "the NAT pools '\(other.name)' and '\(pool.name)' of \(name) both have \(both) with the same ports; give each its own addresses or ports"
                )
            }
        }
        for rule in nat.rules {
            guard let wanted = rule.pool, !nat.pools.contains(where: { $0.name == wanted }) else { continue }
            let known = nat.pools.map(\.name).joined(separator: ", ")
            throw ConfigurationError("a NAT rule of \(name) names the pool '\(wanted)'; its pools are \(known)")
        }
    }
}

extension SourceNAT {
    /// - Parameters:
    ///   - name: of the box
    ///   - peer: of the pair's other box, which grants from the other half of the ports; nil for a lone one
    init(_ configuration: NATConfiguration?, of name: String, peer: String?, capacity: Int) {
        guard let configuration else {
            self = .none
            return
        }
        let share: NATShare = peer.map { name < $0 ? .first : .second } ?? .all
        self.init(pools: configuration.pools, rules: configuration.rules, capacity: capacity, share: share)
    }
}
