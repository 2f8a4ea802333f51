public import Wire

/// The IPv4 addresses that a box answers for: its own, virtual services', virtual routers'.
public struct OwnedAddresses: ~Copyable {
    struct Entry: BitwiseCopyable {
        var address: IPv4Address
        var port: PortIndex
        /// What ARP requests for it are answered with.
        var mac: MACAddress
        /// Whether other machines have it as well and send from it.
        var isShared: Bool
    }

    private var entries: [Entry] = []
    /// One bit for each address, by its hash: most addresses of strangers are told apart without a look at the list.
    private var filter: UInt64 = 0

    public init() {}

    private static func bit(_ address: IPv4Address) -> UInt64 {
        1 << UInt64((address.rawValue &* 0x9E37_79B1) >> 26)
    }

    /// Whether the address is the box's, on whichever port.
    public func contains(_ address: IPv4Address) -> Bool {
        guard filter & Self.bit(address) != 0 else { return false }
        return entries.contains { $0.address == address }
    }

    /// Whether the address is the box's and nobody else may send from it.
    public func containsAlone(_ address: IPv4Address) -> Bool {
        guard filter & Self.bit(address) != 0 else { return false }
        return entries.contains { $0.address == address && !$0.isShared }
    }

    /// The MAC address with which a request for `address` on `port` is answered; nil where it is none of the box's.
    public func answer(for address: IPv4Address, on port: PortIndex) -> MACAddress? {
        guard filter & Self.bit(address) != 0 else { return nil }
        return entries.first { $0.address == address && $0.port == port }?.mac
    }

    /// Takes an address, or another MAC address for one that is the box's already.
    public mutating func insert(
        _ address: IPv4Address, on port: PortIndex, answering mac: MACAddress, isShared: Bool = false
    ) {
        remove(address, on: port)
        entries.append(Entry(address: address, port: port, mac: mac, isShared: isShared))
        filter |= Self.bit(address)
    }

    public mutating func remove(_ address: IPv4Address, on port: PortIndex) {
        entries.removeAll { $0.address == address && $0.port == port }
        filter = entries.reduce(0) { $0 | Self.bit($1.address) }
    }

    /// Addresses of one port with the MAC addresses that answer for them, in the order in which they were taken.
    public func all(on port: PortIndex) -> [(address: IPv4Address, mac: MACAddress)] {
        entries.filter { $0.port == port }.map { ($0.address, $0.mac) }
    }
}
