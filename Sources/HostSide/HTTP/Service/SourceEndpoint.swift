internal import Glibc
internal import Wire

/// Source address and port of a connection to a member.
struct SourceEndpoint: Hashable, Sendable {
    var address: IPAddress
    var port: UInt16
}

/// Gives out source addresses and ports one after the other: all addresses with the first port, all with the second,
/// and so on, and from the beginning again. So a port returns only after every other combination has had its turn.
struct SourceCycle {
    /// Without any, the balancer's own address (auto-map).
    let addresses: [IPAddress]
    let ports: ClosedRange<UInt16>
    private var turn = 0

    init(addresses: [IPAddress], ports: ClosedRange<UInt16>) {
        self.addresses = addresses
        self.ports = ports
    }

    /// How many combinations there are towards one member.
    var count: Int { max(1, addresses.count) * ports.count }

    mutating func next(autoMap: IPAddress) -> SourceEndpoint {
        let width = max(1, addresses.count)
        let port = ports.lowerBound + UInt16(turn / width)
        let address = addresses.isEmpty ? autoMap : addresses[turn % width]
        turn = turn + 1 == count ? 0 : turn + 1
        return SourceEndpoint(address: address, port: port)
    }
}

extension IPAddress {
    /// The address from which this kernel would speak to a destination; nil where no route leads there.
    ///
    /// Connecting a UDP socket sends nothing: it only chooses the route and with it the source, ip(7), ipv6(7).
    static func ownAddress(towards destination: IPAddress) -> IPAddress? {
        let family = destination.isIPv4 ? AF_INET : AF_INET6
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // struct sockaddr_in and sockaddr_in6 by hand: family and port in network order; then the IPv4 address and
        // eight bytes of zero, or flow label (4), IPv6 address (16) and scope (4). Which module gives Swift their
        // members depends on what else is imported.
        return withUnsafeTemporaryAllocation(byteCount: 28, alignment: 8) { bytes -> IPAddress? in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            bytes.storeBytes(of: UInt16(family), toByteOffset: 0, as: UInt16.self)
            let base = bytes.baseAddress!
            base.write(UInt16(9), at: 2)
            var length: socklen_t
            switch destination {
            case .ipv4(let address):
                base.write(address, at: 4)
                length = 16
            case .ipv6(let address):
                base.write(address, at: 8)
                length = 28
            }
            let address = base.assumingMemoryBound(to: sockaddr.self)
            guard connect(descriptor, address, length) == 0, getsockname(descriptor, address, &length) == 0 else {
                return nil
            }
            let raw = UnsafeRawPointer(base)
            return destination.isIPv4 ? .ipv4(raw.readIPv4(at: 4)) : .ipv6(raw.readIPv6(at: 8))
        }
    }
}
