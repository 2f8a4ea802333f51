internal import Glibc
internal import Wire

/// An address and a port.
struct Endpoint: Hashable, CustomStringConvertible {
    var address: IPv4Address
    var port: UInt16

    init(address: IPv4Address, port: UInt16) {
        self.address = address
        self.port = port
    }

    init(_ socketAddress: sockaddr_in) {
        address = IPv4Address(rawValue: UInt32(bigEndian: socketAddress.sin_addr.s_addr))
        port = UInt16(bigEndian: socketAddress.sin_port)
    }

    var description: String { "\(address):\(port)" }

    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var socketAddress = sockaddr_in()
        socketAddress.sin_family = sa_family_t(AF_INET)
        socketAddress.sin_port = port.bigEndian
        socketAddress.sin_addr.s_addr = address.rawValue.bigEndian
        return withUnsafePointer(to: &socketAddress) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
