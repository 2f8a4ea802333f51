internal import Glibc
public import Wire

/// An address of either family, as netlink messages carry it.
public typealias NetworkAddress = IPAddress

extension IPAddress {
    /// `AF_INET` or `AF_INET6`.
    var netlinkFamily: UInt8 {
        switch self {
        case .ipv4: UInt8(AF_INET)
        case .ipv6: UInt8(AF_INET6)
        }
    }

    /// In the order of the wire.
    var bytes: [UInt8] {
        switch self {
        case .ipv4(let address): withUnsafeBytes(of: address.rawValue.bigEndian) { Array($0) }
        case .ipv6(let address):
            withUnsafeBytes(of: address.high.bigEndian) { Array($0) }
                + withUnsafeBytes(of: address.low.bigEndian) { Array($0) }
        }
    }

    /// - Returns: nil where the bytes are neither 4 nor 16.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        switch bytes.count {
        case 4: self = .ipv4(base.readIPv4(at: 0))
        case 16: self = .ipv6(base.readIPv6(at: 0))
        default: return nil
        }
    }

    /// The unspecified address of a family, 0.0.0.0 or ::.
    static func unspecified(family: UInt8) -> NetworkAddress? {
        switch Int32(family) {
        case AF_INET: .ipv4(.any)
        case AF_INET6: .ipv6(.any)
        default: nil
        }
    }
}
