internal import Wire

/// The frame of all measurements: UDP from 10.10.1.2:4000 to 10.10.3.3:5000, 60 bytes and the FCS that a wire would
/// add, 64.
enum BenchFrame {
    static let length = 60
    static let destination = IPv4Address("10.10.3.3")!
    static let port: UInt16 = 5000

    static func make(to mac: MACAddress) -> [UInt8] {
        var frame = bytes(of: mac) + bytes(of: BenchPath.generatorMAC) + [0x08, 0x00]
        var ip: [UInt8] = [
            0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0,  // 46 bytes, don't fragment, TTL 64, UDP
            10, 10, 1, 2,
        ]
        for shift in stride(from: 24, through: 0, by: -8) {
            ip.append(UInt8(truncatingIfNeeded: destination.rawValue >> UInt32(shift)))
        }
        let checksum = internetChecksum(ip)
        ip[10] = UInt8(checksum >> 8)
        ip[11] = UInt8(checksum & 0xff)
        // A UDP checksum of zero: none.
        frame += ip + [0x0f, 0xa0, UInt8(port >> 8), UInt8(port & 0xff), 0, 26, 0, 0]
        while frame.count < length { frame.append(UInt8(frame.count)) }
        return frame
    }

    private static func bytes(of address: MACAddress) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: address.packed >> (40 - 8 * UInt64($0))) }
    }

    /// RFC 1071 over an even number of bytes.
    private static func internetChecksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for i in stride(from: 0, to: bytes.count, by: 2) { sum += UInt32(bytes[i]) << 8 | UInt32(bytes[i + 1]) }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(sum)
    }
}
