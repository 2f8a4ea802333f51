import Foundation

/// Whether a capture file can be read to its last whole record: a header, then records of stated lengths.
enum CaptureStructure {
    /// pcap with nanoseconds, written on a little-endian machine
    private static let magic: UInt32 = 0xa1b2_3c4d
    private static let headerLength = 24
    private static let recordHeaderLength = 16

    static func hasHeader(_ path: String) -> Bool {
        ((try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0) >= headerLength
    }

    /// - Returns: what is wrong, or nil. An empty file (killed before its header) and a cut last record (killed while
    ///   it was written) are what a kill may leave.
    static func problem(in path: String) throws -> String? {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        guard bytes.count >= headerLength else {
            return bytes.isEmpty ? nil : "\(path): a header of \(bytes.count) bytes"
        }
        func number(_ offset: Int) -> UInt32 {
            bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
        }
        guard number(0) == magic else { return "\(path): no capture of nanoseconds" }
        var offset = headerLength
        while offset + recordHeaderLength <= bytes.count {
            let (captured, original) = (Int(number(offset + 8)), Int(number(offset + 12)))
            guard captured <= original, original <= 65_535, number(offset + 4) < 1_000_000_000 else {
                return "\(path): no record at offset \(offset)"
            }
            offset += recordHeaderLength + captured
        }
        return nil
    }
}
