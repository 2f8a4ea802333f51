public import Wire

extension Maglev {
    /// A number for an address and port, the same on every balancer: of IPv4 both themselves, of IPv6 mixed.
    /// - Parameter address: as `InternetAddress.universal` has it
    public static func identity(_ address: IPv6Address, _ port: UInt16) -> UInt64 {
        address.isIPv4Mapped
            ? (address.low & 0xffff_ffff) << 16 | UInt64(port) : mix(mix(address.high) ^ address.low) ^ UInt64(port)
    }
}
