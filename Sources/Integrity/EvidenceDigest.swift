/// A digest of a file's bytes, taken chunk by chunk: finds damage, and is no defence against somebody who means harm.
///
/// Eight bytes at a time are folded in by steps that can be undone (exclusive or, multiplication by an odd number,
/// rotation), so that a change within one such word is always noticed, and any other change but with a probability of
/// 2⁻⁶⁴.
/// - Complexity: linear; some cycles for eight bytes
public struct EvidenceDigest: Hashable, Sendable {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    /// Bytes that do not fill a word yet, lowest first.
    private var rest: UInt64 = 0
    private var restCount = 0
    public private(set) var count = 0

    public init() {}

    public init(of bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        count += bytes.count
        var offset = 0
        while restCount > 0, offset < bytes.count {
            append(bytes[offset])
            offset += 1
        }
        // Guard: `offset + 8` is at most `count`.
        while offset + 8 <= bytes.count {
            fold(UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        while offset < bytes.count {
            append(bytes[offset])
            offset += 1
        }
    }

    private mutating func append(_ byte: UInt8) {
        rest |= UInt64(byte) << UInt64(restCount * 8)
        restCount += 1
        guard restCount == 8 else { return }
        fold(rest)
        (rest, restCount) = (0, 0)
    }

    private mutating func fold(_ word: UInt64) {
        state = (state ^ word) &* 0xff51_afd7_ed55_8ccd
        state = state << 29 | state >> 35
    }

    /// Sixteen hexadecimal digits.
    public var text: String {
        var last = self
        last.fold(rest)
        last.fold(UInt64(count))
        last.state ^= last.state >> 32
        last.state = last.state &* 0xc4ce_b9fe_1a85_ec53
        last.state ^= last.state >> 29
        let digits = String(last.state, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// What a run recorded of one of its files when it was complete.
public struct FileRecord: Hashable, Sendable, Codable {
    /// Relative to the variant's folder.
    public var path: String
    public var bytes: Int
    /// Of files with a record in each line.
    public var lines: Int?
    /// `EvidenceDigest.text`
    public var digest: String

    public init(path: String, bytes: Int, lines: Int? = nil, digest: String) {
        self.path = path
        self.bytes = bytes
        self.lines = lines
        self.digest = digest
    }
}
