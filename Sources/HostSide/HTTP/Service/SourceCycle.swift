internal import CLinux
internal import Glibc
internal import HTTPExchange
internal import Wire

/// Gives out source addresses and ports one after the other: all addresses with the first port, all with the second,
/// and so on, and from the beginning again. So a port returns only after every other combination has had its turn.
///
/// A combination is known by its turn, 0 … `count` - 1.
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

    mutating func nextTurn() -> Int {
        defer { turn = turn + 1 == count ? 0 : turn + 1 }
        return turn
    }

    func endpoint(_ turn: Int, autoMap: IPAddress) -> SourceEndpoint {
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

extension IPAddress {
    /// The source address that this kernel would use towards a destination; nil where no route leads there.
    ///
    /// Connecting a UDP socket sends nothing: it only chooses the route and with it the source, ip(7), ipv6(7).
    static func ownAddress(towards destination: IPAddress) -> IPAddress? {
        let descriptor = cl_udp_socket(destination.isIPv4 ? 0 : 1)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return destination.withSocketAddress(port: 9) { address, length -> IPAddress? in
            var size = length
            guard connect(descriptor, address, length) == 0, getsockname(descriptor, address, &size) == 0 else {
                return nil
            }
            let raw = UnsafeRawPointer(address)
            return destination.isIPv4 ? .ipv4(raw.readIPv4(at: 4)) : .ipv6(raw.readIPv6(at: 8))
        }
    }

    /// `struct sockaddr_in` and `sockaddr_in6` by hand: family and port in network order; then the IPv4 address and eight
    /// bytes of zero, or flow label (4), IPv6 address (16) and scope (4). Which module gives Swift their members depends
    /// on what else is imported. ip(7), ipv6(7)
    func withSocketAddress<Result>(
        port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: 28, alignment: 8) { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            bytes.storeBytes(of: UInt16(isIPv4 ? AF_INET : AF_INET6), toByteOffset: 0, as: UInt16.self)
            let base = bytes.baseAddress!
            base.write(port, at: 2)
            let length: socklen_t
            switch self {
            case .ipv4(let address):
                base.write(address, at: 4)
                length = 16
            case .ipv6(let address):
                base.write(address, at: 8)
                length = 28
            }
            return body(base.assumingMemoryBound(to: sockaddr.self), length)
        }
    }
}
