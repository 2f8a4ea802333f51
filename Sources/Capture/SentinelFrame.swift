/// A frame that a capture sends through its own interface and waits for: once it is seen, every frame before it has
/// been seen too.
///
/// ```
///  0                   6                   12      14        22       30       34      60
///  ┌───────────────────┬───────────────────┬───────┬─────────┬────────┬────────┬───────┐
///  │ 01-80-C2-00-00-0E │ 00-00-00-00-00-00 │ 88-B5 │ magic   │ nonce  │ capture│ zeros │
///  └───────────────────┴───────────────────┴───────┴─────────┴────────┴────────┴───────┘
/// ```
/// A bridge forwards no frame to that group address (IEEE 802.1Q, table 8-1), and drops one with a source of zeros
/// before it learns from it, so that the barrier leaves no trace in any switch. EtherType 88-B5 is for local
/// experiments (IEEE 802, 9.2.4): no station answers it.
struct SentinelFrame: Hashable {
    /// The shortest Ethernet frame, without FCS.
    static let length = 60
    static let etherType: UInt16 = 0x88b5
    static let destination: UInt64 = 0x0180_c200_000e
    /// "flabsent", unlike anything that another local experiment sends.
    static let magic: UInt64 = 0x666c_6162_7365_6e74

    /// Distinguishes one barrier from those before it.
    var nonce: UInt64
    /// Position of the capture that sent it.
    var capture: UInt32

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.length)
        func put(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.bigEndian) { bytes += $0 } }
        put(UInt16(truncatingIfNeeded: Self.destination >> 32))
        put(UInt32(truncatingIfNeeded: Self.destination))
        bytes += [UInt8](repeating: 0, count: 6)
        put(Self.etherType)
        put(Self.magic)
        put(nonce)
        put(capture)
        bytes += [UInt8](repeating: 0, count: Self.length - bytes.count)
        return bytes
    }

    init(nonce: UInt64, capture: UInt32) {
        self.nonce = nonce
        self.capture = capture
    }

    /// - Returns: nil for any other frame
    @inline(__always)
    init?(_ frame: UnsafeRawBufferPointer) {
        // The guard for every load below.
        guard frame.count >= 34, let base = frame.baseAddress else { return nil }
        guard base.loadUnaligned(fromByteOffset: 12, as: UInt16.self) == Self.etherType.bigEndian,
            base.loadUnaligned(fromByteOffset: 14, as: UInt64.self) == Self.magic.bigEndian,
            base.loadUnaligned(fromByteOffset: 0, as: UInt32.self) == UInt32(Self.destination >> 16).bigEndian,
            base.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == UInt16(Self.destination & 0xffff).bigEndian
        else { return nil }
        nonce = UInt64(bigEndian: base.loadUnaligned(fromByteOffset: 22, as: UInt64.self))
        capture = UInt32(bigEndian: base.loadUnaligned(fromByteOffset: 30, as: UInt32.self))
    }
}
