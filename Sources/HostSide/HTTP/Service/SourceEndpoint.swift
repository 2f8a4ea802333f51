internal import Glibc
internal import Wire

/// Source address and port of a connection to a member.
struct SourceEndpoint: Hashable, Sendable {
    var address: IPv4Address
    var port: UInt16
}

/// Gives out source addresses and ports one after the other: all addresses with the first port, all with the second,
/// and so on, and from the beginning again. So a port returns only after every other combination has had its turn.
struct SourceCycle {
    /// Without any, the balancer's own address (auto-map).
    let addresses: [IPv4Address]
    let ports: ClosedRange<UInt16>
    private var turn = 0

    init(addresses: [IPv4Address], ports: ClosedRange<UInt16>) {
        self.addresses = addresses
        self.ports = ports
    }

    /// How many combinations there are towards one member.
    var count: Int { max(1, addresses.count) * ports.count }

    mutating func next(autoMap: IPv4Address) -> SourceEndpoint {
        let width = max(1, addresses.count)
        let port = ports.lowerBound + UInt16(turn / width)
        let address = addresses.isEmpty ? autoMap : addresses[turn % width]
        turn = turn + 1 == count ? 0 : turn + 1
        return SourceEndpoint(address: address, port: port)
    }
}

extension IPv4Address {
    /// The address from which this kernel would speak to a destination; nil where no route leads there.
    ///
    /// Connecting a UDP socket sends nothing: it only chooses the route and with it the source, ip(7).
    static func ownAddress(towards destination: IPv4Address) -> IPv4Address? {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // struct sockaddr_in by hand, ip(7): family, port and address in network order, eight bytes of zero. Which
        // module gives Swift its members depends on what else is imported.
        return withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { bytes -> IPv4Address? in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            bytes.storeBytes(of: UInt16(AF_INET), toByteOffset: 0, as: UInt16.self)
            bytes.storeBytes(of: UInt16(9).bigEndian, toByteOffset: 2, as: UInt16.self)
            bytes.storeBytes(of: destination.rawValue.bigEndian, toByteOffset: 4, as: UInt32.self)
            let address = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            var length = socklen_t(bytes.count)
            guard connect(descriptor, address, length) == 0, getsockname(descriptor, address, &length) == 0 else {
                return nil
            }
            return IPv4Address(rawValue: UInt32(bigEndian: bytes.load(fromByteOffset: 4, as: UInt32.self)))
        }
    }
}
