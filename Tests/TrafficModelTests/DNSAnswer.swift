@testable import TrafficModel

/// Answers of a DNS server that a test plays.
enum DNSAnswer {
    /// The query with QR and RA set, and no records: NODATA, unless there is another RCODE.
    static func bytes(to query: [UInt8], code: UInt8 = 0, isTruncated: Bool = false) -> [UInt8] {
        var bytes = query
        bytes[2] |= isTruncated ? 0x82 : 0x80
        bytes[3] = 0x80 | code
        return bytes
    }
}
