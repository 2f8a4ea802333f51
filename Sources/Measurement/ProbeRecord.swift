public import LabTime

/// One numbered request, and byte for byte its answer: what traffic programs send over TCP and UDP.
///
/// All integers in network byte order:
///
///     0         4         8         12        16                  24                  32
///     ┌─────────┬─────────┬─────────┬─────────┬───────────────────┬───────────────────┬────────┐
///     │ "FLP1"  │ length  │ program │ flow    │ sequence          │ sent at (ns)      │ filler │
///     └─────────┴─────────┴─────────┴─────────┴───────────────────┴───────────────────┴────────┘
///
/// `length` counts the whole record, filler included, so that records follow each other on a byte stream. The byte of
/// the filler at offset i is the low byte of `sequence` + i: a capture shows at a glance to which probe a segment
/// belongs, and a record that was put together wrongly is noticed.
public struct ProbeRecord: Hashable, Sendable {
    /// Bytes before the filler; the shortest record.
    public static let headerLength = 32
    /// The longest record, in bytes: fits a UDP datagram.
    public static let maximumLength = 65_507
    /// "FLP1"
    static let magic: UInt32 = 0x464C_5031

    /// The sending program, a number that is unique in its node.
    public var program: UInt32
    /// The flow within the program.
    public var flow: UInt32
    /// Counts from 0 within the flow.
    public var sequence: UInt64
    /// The sender's monotonic clock.
    public var sentAt: Instant
    /// Bytes of the whole record.
    public var length: Int

    /// - Parameter length: `headerLength` … `maximumLength`; a value outside is brought to the nearest bound.
    public init(program: UInt32, flow: UInt32, sequence: UInt64, sentAt: Instant, length: Int) {
        self.program = program
        self.flow = flow
        self.sequence = sequence
        self.sentAt = sentAt
        self.length = min(max(length, Self.headerLength), Self.maximumLength)
    }

    /// Appends the record's `length` bytes.
    public func append(to bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + length)
        Self.append(Self.magic, to: &bytes)
        Self.append(UInt32(length), to: &bytes)
        Self.append(program, to: &bytes)
        Self.append(flow, to: &bytes)
        Self.append(sequence, to: &bytes)
        Self.append(UInt64(bitPattern: sentAt.nanoseconds), to: &bytes)
        for offset in Self.headerLength..<length { bytes.append(Self.filler(sequence: sequence, offset: offset)) }
    }

    /// The record that fills a whole datagram; nil where the bytes are anything else.
    public init?(datagram: UnsafeRawBufferPointer) {
        guard let record = ProbeRecord(header: datagram), record.length == datagram.count else { return nil }
        for offset in Self.headerLength..<record.length
        where datagram[offset] != Self.filler(sequence: record.sequence, offset: offset) { return nil }
        self = record
    }

    /// Reads the first 32 bytes alone; nil where they are too few, or no header of a record.
    init?(header bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerLength else { return nil }
        func load<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
            T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        guard load(0, as: UInt32.self) == Self.magic else { return nil }
        let length = Int(load(4, as: UInt32.self))
        guard length >= Self.headerLength, length <= Self.maximumLength else { return nil }
        self.init(
            program: load(8, as: UInt32.self), flow: load(12, as: UInt32.self), sequence: load(16, as: UInt64.self),
            sentAt: Instant(nanoseconds: Int64(bitPattern: load(24, as: UInt64.self))), length: length)
    }

    static func filler(sequence: UInt64, offset: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: sequence &+ UInt64(truncatingIfNeeded: offset))
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
