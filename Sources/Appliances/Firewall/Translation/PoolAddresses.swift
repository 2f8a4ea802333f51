import Configuration
import Dataplane
import Wire

/// Addresses of NAT pools that the box answers ARP for: those in a connected network that neither a port nor a virtual
/// router has.
struct PoolAddresses {
    struct Address: Equatable {
        var address: IPv4Address
        var port: PortIndex
        /// The virtual router's MAC address where the port has one.
        var mac: MACAddress
    }

    private(set) var all: [Address] = []
    /// Those that are a port's own: the box's kernel uses them too.
    private(set) var sharedWithHost: [IPv4Address] = []
    /// `SourceNAT.addressChanges` when the two were last made.
    private var changesSeen: UInt64 = 0

    /// Takes over the translator's addresses, where they have changed.
    /// - Returns: what is new, and what is no pool's and no mapping's any more; nil where nothing has changed
    mutating func update(
        from nat: borrowing SourceNAT<IPv4>, _ ports: borrowing BoxPorts, _ routers: [VirtualRouterPort]
    ) -> (new: [Address], gone: [Address])? {
        guard changesSeen != nat.addressChanges else { return nil }
        changesSeen = nat.addressChanges
        var interfaces: [(port: PortIndex, address: IPv4InterfaceAddress)] = []
        for index in 0..<ports.count {
            if let address = ports[PortIndex(index)].address { interfaces.append((PortIndex(index), address)) }
        }
        let own = interfaces.map(\.address.address)
        let taken = Set(own + routers.flatMap(\.addresses))
        let old = all
        all = []
        for address in nat.addresses where !taken.contains(address) {
            guard let port = interfaces.first(where: { $0.address.network.contains(address) })?.port else { continue }
            let mac = routers.first { $0.port == port }?.mac ?? ports[port].mac
            all.append(Address(address: address, port: port, mac: mac))
        }
        sharedWithHost = nat.addresses.filter(own.contains)
        return (all.filter { !old.contains($0) }, old.filter { !all.contains($0) })
    }
}

extension SourceNAT where Family == IPv4 {
    /// - Parameters:
    ///   - name: of the box
    ///   - peer: of the pair's other box, which grants from the other half of the ports; nil for a lone one
    init(_ configuration: NATConfiguration?, of name: String, peer: String?, capacity: Int) {
        let share: NATShare = peer.map { name < $0 ? .first : .second } ?? .all
        self.init(
            pools: configuration?.pools ?? [], rules: configuration?.rules ?? [], capacity: capacity, share: share)
    }
}
