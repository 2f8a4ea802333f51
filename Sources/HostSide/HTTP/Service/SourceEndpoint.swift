internal import Glibc
internal import Wire

/// Source address and port of a connection to a member.
struct SourceEndpoint: Hashable, Sendable {
    var address: IPv4Address
    var port: UInt16
}

/// Gives out source addresses and ports one after the other: all addresses with the first port, all with the second,
/// and so on, and from the beginning again. So a port returns only after every other combination has had its turn.
///
/// A combination is known by its turn, 0 … `count` - 1.
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

    mutating func nextTurn() -> Int {
        defer { turn = turn + 1 == count ? 0 : turn + 1 }
        return turn
    }

    func endpoint(_ turn: Int, autoMap: IPv4Address) -> SourceEndpoint {
        let width = max(1, addresses.count)
        return SourceEndpoint(
            address: addresses.isEmpty ? autoMap : addresses[turn % width],
            port: ports.lowerBound + UInt16(turn / width))
    }
}

/// The turns of a cycle that are in use, one bit each.
struct TakenTurns {
    private var words: [UInt64]
    private(set) var count = 0

    init(of cycle: SourceCycle) { words = Array(repeating: 0, count: (cycle.count + 63) / 64) }

    func contains(_ turn: Int) -> Bool { words[turn >> 6] >> UInt64(turn & 63) & 1 == 1 }

    mutating func insert(_ turn: Int) {
        guard !contains(turn) else { return }
        words[turn >> 6] |= 1 << UInt64(turn & 63)
        count += 1
    }

    mutating func remove(_ turn: Int) {
        guard contains(turn) else { return }
        words[turn >> 6] &= ~(1 << UInt64(turn & 63))
        count -= 1
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
        return destination.withSocketAddress(port: 9) { address, length -> IPv4Address? in
            var size = length
            let bytes = UnsafeMutableRawPointer(address)
            guard connect(descriptor, address, length) == 0, getsockname(descriptor, address, &size) == 0 else {
                return nil
            }
            return IPv4Address(rawValue: UInt32(bigEndian: bytes.load(fromByteOffset: 4, as: UInt32.self)))
        }
    }

    /// A `struct sockaddr_in` by hand, ip(7): family, port and address in network order, eight bytes of zero. Which
    /// module gives Swift its members depends on what else is imported.
    func withSocketAddress<Result>(port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result)
        -> Result
    {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            bytes.storeBytes(of: UInt16(AF_INET), toByteOffset: 0, as: UInt16.self)
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            bytes.storeBytes(of: rawValue.bigEndian, toByteOffset: 4, as: UInt32.self)
            return body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }
}
