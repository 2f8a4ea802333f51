/// What a box of a pair says about its configuration while both agree on a new one.
///
/// ```
///  0 'F' 'C' (2) | 2 version (1) | 3 stage (1) | 4 flags (1) | 5 number of items in this message (1)
///  6 first item (2) | 8 all items (2) | 10 reserved (2)
/// 12 epoch (8) | 20 sequence (8) | 28 transaction (4) | 32 answers (4) | 36 running (8) | 44 candidate (8)
/// 52 items: kind (1) | length of the name (1) | digest (8) | name
/// ```
/// All numbers in network byte order. Statements may be lost, doubled or overtaken: each says everything anew.
public struct ConfigurationStatement: Hashable, Sendable {
    public enum Stage: UInt8, Sendable, CaseIterable {
        /// Nothing is pushed.
        case idle = 0
        /// A new configuration waits for the peer's.
        case staged = 1
        /// Both have the same.
        case agreed = 2
        /// What the new configuration adds is in effect; what it deletes still is, too.
        case added = 3
        /// The new configuration is in effect.
        case active = 4
        /// The new configuration was refused; the old one is in effect.
        case blocked = 5
    }

    public static let version: UInt8 = 1
    /// Items that a configuration may have, so that a peer's memory is bounded.
    public static let mostItems = 4096
    public static let headerLength = 52

    public var stage: Stage
    /// Whether the sender is the Active of its pair.
    public var isActive: Bool
    /// Distinguishes one life of the sender from the next; grows with each start.
    public var epoch: UInt64
    /// Grows with each statement of an epoch.
    public var sequence: UInt64
    /// The sender's count of pushes.
    public var transaction: UInt32
    /// The peer's push that a `blocked` is about.
    public var answers: UInt32
    /// Digest of the configuration in effect.
    public var running: UInt64
    /// Digest of the one that is to be; 0 where there is none.
    public var candidate: UInt64
    /// How many items the candidate has; they come in several messages, and only where two candidates differ.
    public var itemCount: Int
    /// Place of the first item of this message among all.
    public var firstItem: Int
    public var items: [ConfigurationItem]

    public init(
        stage: Stage, isActive: Bool, epoch: UInt64, sequence: UInt64, transaction: UInt32, answers: UInt32,
        running: UInt64, candidate: UInt64, itemCount: Int = 0, firstItem: Int = 0, items: [ConfigurationItem] = []
    ) {
        self.stage = stage
        self.isActive = isActive
        self.epoch = epoch
        self.sequence = sequence
        self.transaction = transaction
        self.answers = answers
        self.running = running
        self.candidate = candidate
        self.itemCount = itemCount
        self.firstItem = firstItem
        self.items = items
    }
}

/// One named part of a configuration, by its content's digest.
public struct ConfigurationItem: Hashable, Sendable {
    /// What it is, in the numbers of whoever compares.
    public var kind: UInt8
    /// At most 255 bytes.
    public var name: String
    public var digest: UInt64

    public init(kind: UInt8, name: String, digest: UInt64) {
        self.kind = kind
        self.name = name
        self.digest = digest
    }

    /// Bytes in a message.
    public var length: Int { 10 + name.utf8.count }
}

extension ConfigurationStatement {
    public var bytes: [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "F"), UInt8(ascii: "C"), Self.version, stage.rawValue, isActive ? 1 : 0]
        bytes.reserveCapacity(Self.headerLength + items.reduce(0) { $0 + $1.length })
        bytes.append(UInt8(items.count))
        func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.bigEndian) { bytes += $0 } }
        put(UInt16(firstItem))
        put(UInt16(itemCount))
        put(UInt16(0))
        put(epoch)
        put(sequence)
        put(transaction)
        put(answers)
        put(running)
        put(candidate)
        for item in items {
            bytes.append(item.kind)
            bytes.append(UInt8(item.name.utf8.count))
            put(item.digest)
            bytes += Array(item.name.utf8)
        }
        return bytes
    }

    /// - Throws: `truncated`, `foreign`, `wrongVersion`, `unknownKind` (stage), `forbiddenValue` (flags, counts, a name
    ///   that is no UTF-8), `wrongLength` (bytes beyond the last item)
    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard bytes.count >= Self.headerLength else {
            throw WireError(.sync, .truncated, found: bytes.count, expected: Self.headerLength)
        }
        // Guard: the header is there.
        guard bytes[0] == UInt8(ascii: "F"), bytes[1] == UInt8(ascii: "C") else { throw WireError(.sync, .foreign) }
        guard bytes[2] == Self.version else {
            throw WireError(.sync, .wrongVersion, found: Int(bytes[2]), expected: Int(Self.version))
        }
        guard let stage = Stage(rawValue: bytes[3]) else {
            throw WireError(.sync, .unknownKind, found: Int(bytes[3]))
        }
        guard bytes[4] <= 1 else { throw WireError(.sync, .forbiddenValue, found: Int(bytes[4])) }
        func number<T: FixedWidthInteger>(at offset: Int) -> T {
            T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
        }
        self.init(
            stage: stage, isActive: bytes[4] == 1, epoch: number(at: 12), sequence: number(at: 20),
            transaction: number(at: 28), answers: number(at: 32), running: number(at: 36), candidate: number(at: 44),
            itemCount: Int(number(at: 8) as UInt16), firstItem: Int(number(at: 6) as UInt16))
        let count = Int(bytes[5])
        guard itemCount <= Self.mostItems else {
            throw WireError(.sync, .forbiddenValue, found: itemCount, expected: Self.mostItems)
        }
        guard firstItem + count <= itemCount else {
            throw WireError(.sync, .forbiddenValue, found: firstItem + count, expected: itemCount)
        }
        items.reserveCapacity(count)
        var offset = Self.headerLength
        for _ in 0..<count {
            guard bytes.count >= offset + 10 else {
                throw WireError(.sync, .truncated, found: bytes.count, expected: offset + 10)
            }
            let length = Int(bytes[offset + 1])
            let end = offset + 10 + length
            guard bytes.count >= end else { throw WireError(.sync, .truncated, found: bytes.count, expected: end) }
            guard let name = String(validating: bytes[(offset + 10)..<end], as: UTF8.self) else {
                throw WireError(.sync, .forbiddenValue, found: length)
            }
            items.append(ConfigurationItem(kind: bytes[offset], name: name, digest: number(at: offset + 2)))
            offset = end
        }
        guard offset == bytes.count else {
            throw WireError(.sync, .wrongLength, found: bytes.count, expected: offset)
        }
    }
}
