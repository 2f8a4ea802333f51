internal import Glibc
internal import TrafficModel
internal import Wire

extension Endpoint {
    /// Bytes of the larger socket address.
    static let socketAddressSize = MemoryLayout<sockaddr_in6>.size

    /// What the kernel wrote, of either family: `sockaddr_in` or `sockaddr_in6`. An IPv4 address that an IPv6 socket
    /// calls ::ffff:a.b.c.d is one of IPv4.
    init?(_ socketAddress: UnsafeRawPointer) {
        let port = socketAddress.readUInt16(at: 2)
        switch Int32(socketAddress.load(as: sa_family_t.self)) {
        case AF_INET: self.init(address: .ipv4(socketAddress.readIPv4(at: 4)), port: port)
        case AF_INET6: self.init(address: IPAddress(universal: socketAddress.readIPv6(at: 8)), port: port)
        default: return nil
        }
    }

    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        // Laid out by ip(7) and ipv6(7): family, port, then the IPv4 address, or flow label, IPv6 address and scope.
        withUnsafeTemporaryAllocation(byteCount: Self.socketAddressSize, alignment: 8) { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            let base = bytes.baseAddress!
            base.write(port, at: 2)
            let length: Int
            switch address {
            case .ipv4(let address):
                base.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self)
                base.write(address, at: 4)
                length = MemoryLayout<sockaddr_in>.size
            case .ipv6(let address):
                base.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
                base.write(address, at: 8)
                length = MemoryLayout<sockaddr_in6>.size
            }
            return body(UnsafePointer(base.assumingMemoryBound(to: sockaddr.self)), socklen_t(length))
        }
    }
}
