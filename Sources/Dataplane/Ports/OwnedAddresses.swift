public import Wire

/// The addresses that a box answers for: its own, virtual services', virtual routers'.
public struct OwnedAddresses: ~Copyable {
    struct Entry: BitwiseCopyable {
        /// As `InternetAddress.universal` has it.
        var address: IPv6Address
        var port: PortIndex
        /// What ARP requests and neighbour solicitations for it are answered with.
        var mac: MACAddress
    }

    private var entries: [Entry] = []
    /// One bit for each address, by its hash: most addresses of strangers are told apart without a look at the list.
    private var filter: UInt64 = 0

    public init() {}

    private static func bit(_ address: IPv6Address) -> UInt64 {
        1 << (((address.high ^ address.low) &* 0x9E37_79B9_7F4A_7C15) >> 58)
    }

    /// Whether the address is the box's, on whichever port.
    public func contains(_ address: some InternetAddress) -> Bool {
        let address = address.universal
        guard filter & Self.bit(address) != 0 else { return false }
        return entries.contains { $0.address == address }
    }

    /// The MAC address with which a request for `address` on `port` is answered; nil where it is none of the box's.
    public func answer(for address: some InternetAddress, on port: PortIndex) -> MACAddress? {
        let address = address.universal
        guard filter & Self.bit(address) != 0 else { return nil }
        return entries.first { $0.address == address && $0.port == port }?.mac
    }

    /// Takes an address, or another MAC address for one that is the box's already.
    public mutating func insert(_ address: IPAddress, on port: PortIndex, answering mac: MACAddress) {
        remove(address, on: port)
        entries.append(Entry(address: address.universal, port: port, mac: mac))
        filter |= Self.bit(address.universal)
    }

    public mutating func remove(_ address: IPAddress, on port: PortIndex) {
        entries.removeAll { $0.address == address.universal && $0.port == port }
        filter = entries.reduce(0) { $0 | Self.bit($1.address) }
    }

    /// Addresses of one port with the MAC addresses that answer for them, in the order in which they were taken.
    public func all(on port: PortIndex) -> [(address: IPAddress, mac: MACAddress)] {
        entries.filter { $0.port == port }.map { (IPAddress(universal: $0.address), $0.mac) }
    }
}
