/// SipHash-2-4 with a tag of 128 bits: a keyed hash made for short messages, here the authenticator of the
/// cross-connect.
///
/// A pseudorandom function under a secret key of 128 bits: who does not have the key can neither make nor change a
/// message. It is no hash of general use and does not hide anything.
/// - Complexity: linear; about one and a half cycles a byte
/// - Source: Aumasson and Bernstein, *SipHash: a fast short-input PRF* (2012), with the 128-bit output of the authors'
///   reference implementation
@frozen
public enum SipHash {
    /// - Returns: the tag; the first byte on the wire is the lowest of `low`
    @inlinable
    public static func tag(_ bytes: UnsafeRawBufferPointer, key: SyncKey) -> SyncAuthenticator {
        var state = State(key)
        let whole = bytes.count & ~7
        var offset = 0
        if let base = bytes.baseAddress {
            // Guard: `whole` is at most `count`, and a multiple of eight.
            while offset < whole {
                state.compress(UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
                offset &+= 8
            }
        }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        var shift: UInt64 = 0
        while offset < bytes.count {
            last |= UInt64(bytes[offset]) << shift
            shift &+= 8
            offset &+= 1
        }
        state.compress(last)
        return state.finish()
    }

    @frozen @usableFromInline
    struct State {
        @usableFromInline var v0: UInt64
        @usableFromInline var v1: UInt64
        @usableFromInline var v2: UInt64
        @usableFromInline var v3: UInt64

        @inlinable
        init(_ key: SyncKey) {
            v0 = key.first ^ 0x736f_6d65_7073_6575
            // 0xee marks the 128-bit variant.
            v1 = key.second ^ 0x646f_7261_6e64_6f6d ^ 0xee
            v2 = key.first ^ 0x6c79_6765_6e65_7261
            v3 = key.second ^ 0x7465_6462_7974_6573
        }

        @inlinable
        mutating func compress(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        @inlinable
        mutating func finish() -> SyncAuthenticator {
            v2 ^= 0xee
            for _ in 0..<4 { round() }
            let low = v0 ^ v1 ^ v2 ^ v3
            v1 ^= 0xdd
            for _ in 0..<4 { round() }
            return SyncAuthenticator(low: low, high: v0 ^ v1 ^ v2 ^ v3)
        }

        @inlinable
        mutating func round() {
            v0 = v0 &+ v1
            v1 = Self.rotate(v1, 13) ^ v0
            v0 = Self.rotate(v0, 32)
            v2 = v2 &+ v3
            v3 = Self.rotate(v3, 16) ^ v2
            v0 = v0 &+ v3
            v3 = Self.rotate(v3, 21) ^ v0
            v2 = v2 &+ v1
            v1 = Self.rotate(v1, 17) ^ v2
            v2 = Self.rotate(v2, 32)
        }

        @inlinable
        static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 { value << count | value >> (64 &- count) }
    }
}

/// The secret of a pair: 128 bits.
@frozen
public struct SyncKey: Hashable, Sendable {
    @usableFromInline let first: UInt64
    @usableFromInline let second: UInt64

    /// - Parameters: the first and the second eight bytes, each little-endian
    @inlinable
    public init(first: UInt64, second: UInt64) {
        self.first = first
        self.second = second
    }

    /// The key that a text stands for: its SipHash under a key that everybody knows. So the text should be as hard to
    /// guess as the key is to be.
    public init(text: String) {
        var text = text
        let tag = text.withUTF8 { utf8 in
            SipHash.tag(UnsafeRawBufferPointer(utf8), key: SyncKey(first: 0x464c_5843_206b_6579, second: 1))
        }
        self.init(first: tag.low, second: tag.high)
    }
}

/// What a message carries behind its body where the pair has a key.
@frozen
public struct SyncAuthenticator: Hashable, Sendable {
    public static var length: Int { @inlinable get { 16 } }

    public let low: UInt64
    public let high: UInt64

    @inlinable
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Guard: the caller found 16 bytes.
    @inlinable
    init(uncheckedBase base: UnsafeRawPointer) {
        low = UInt64(littleEndian: base.loadUnaligned(as: UInt64.self))
        high = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// Guard: the caller found 16 bytes.
    @inlinable
    func emit(uncheckedBase base: UnsafeMutableRawPointer) {
        base.storeBytes(of: low.littleEndian, as: UInt64.self)
        base.storeBytes(of: high.littleEndian, toByteOffset: 8, as: UInt64.self)
    }

    /// All bits are compared, whichever differs first: the time says nothing about the tag.
    @inlinable
    public static func == (a: SyncAuthenticator, b: SyncAuthenticator) -> Bool {
        (a.low ^ b.low) | (a.high ^ b.high) == 0
    }

    /// Puts the authenticator of a message's first `count` bytes behind them.
    /// - Returns: the bytes of both; nil where they do not fit
    public static func seal(_ buffer: UnsafeMutableRawBufferPointer, count: Int, key: SyncKey) -> Int? {
        guard let base = buffer.baseAddress, count >= 0, buffer.count >= count + length else { return nil }
        SipHash.tag(UnsafeRawBufferPointer(start: base, count: count), key: key).emit(uncheckedBase: base + count)
        return count + length
    }

    /// What a sealed message says.
    /// - Throws: `notAuthenticated`, `wrongAuthenticator`
    public static func open(
        _ bytes: UnsafeRawBufferPointer, key: SyncKey
    ) throws(WireError) -> UnsafeRawBufferPointer {
        guard let base = bytes.baseAddress, bytes.count >= length else {
            throw WireError(.sync, .notAuthenticated, found: bytes.count, expected: length)
        }
        let message = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - length)])
        guard SipHash.tag(message, key: key) == SyncAuthenticator(uncheckedBase: base + message.count) else {
            throw WireError(.sync, .wrongAuthenticator)
        }
        return message
    }
}
