/// Source and destination of a flow, in the fewest words that the family needs.
public protocol AddressPair: Hashable, Sendable, BitwiseCopyable {
    associatedtype Address: InternetAddress

    /// Bytes of both on the wire.
    static var length: Int { get }

    init(source: Address, destination: Address)
    /// Reads both from an IP header, where they follow each other.
    /// Guard: the caller found `length` bytes.
    init(uncheckedBase base: UnsafeRawPointer)
    /// Guard: the caller found `length` bytes.
    func write(to base: UnsafeMutableRawPointer)

    var source: Address { get set }
    var destination: Address { get set }
    var reversed: Self { get }
    /// Sixty-four well-mixed bits of addresses, ports and protocol.
    func hash(with portsAndProtocol: UInt64, seed: UInt64) -> UInt64
    /// Zero where both are the same: without a branch, to be combined with other words.
    func difference(from other: Self) -> UInt64
    /// What these addresses in place of others do to the checksums that include them.
    func change(from old: Self) -> ChecksumChange
}

/// Two IPv4 addresses in one word.
@frozen
public struct IPv4AddressPair: AddressPair {
    /// Source address in the upper half, destination below.
    public var packed: UInt64

    @inlinable public init(packed: UInt64) { self.packed = packed }

    @inlinable
    public init(source: IPv4Address, destination: IPv4Address) {
        packed = UInt64(source.rawValue) << 32 | UInt64(destination.rawValue)
    }

    @inlinable public static var length: Int { 8 }
    @inlinable public init(uncheckedBase base: UnsafeRawPointer) { packed = base.readUInt64(at: 0) }
    @inlinable public func write(to base: UnsafeMutableRawPointer) { base.write(packed, at: 0) }

    @inlinable public var source: IPv4Address {
        get { IPv4Address(rawValue: UInt32(truncatingIfNeeded: packed >> 32)) }
        set { packed = packed & 0xffff_ffff | UInt64(newValue.rawValue) << 32 }
    }

    @inlinable public var destination: IPv4Address {
        get { IPv4Address(rawValue: UInt32(truncatingIfNeeded: packed)) }
        set { packed = packed & ~0xffff_ffff | UInt64(newValue.rawValue) }
    }

    @inlinable public var reversed: IPv4AddressPair { IPv4AddressPair(packed: packed << 32 | packed >> 32) }

    /// Two folded 64 × 64 → 128 bit multiplications.
    @inlinable
    public func hash(with portsAndProtocol: UInt64, seed: UInt64) -> UInt64 {
        // Odd constants with about half of their bits set, taken from the fractional digits of √2 and √3.
        let first = (packed ^ seed ^ 0x6a09_e667_f3bc_c909).multipliedFullWidth(by: 0xbb67_ae85_84ca_a73b)
        let mixed = first.high ^ first.low ^ portsAndProtocol ^ (seed << 32 | seed >> 32)
        let second = (mixed ^ 0xbb67_ae85_84ca_a73b).multipliedFullWidth(by: 0x6a09_e667_f3bc_c909)
        return second.high ^ second.low
    }

    @inlinable public func difference(from other: IPv4AddressPair) -> UInt64 { packed ^ other.packed }

    @inlinable
    public func change(from old: IPv4AddressPair) -> ChecksumChange {
        var change = ChecksumChange()
        change.replace(old.packed, with: packed)
        return change
    }
}

/// Two IPv6 addresses.
@frozen
public struct IPv6AddressPair: AddressPair {
    public var source: IPv6Address
    public var destination: IPv6Address

    @inlinable
    public init(source: IPv6Address, destination: IPv6Address) {
        self.source = source
        self.destination = destination
    }

    @inlinable public static var length: Int { 32 }

    @inlinable
    public init(uncheckedBase base: UnsafeRawPointer) {
        self.init(source: base.readIPv6(at: 0), destination: base.readIPv6(at: 16))
    }

    @inlinable
    public func write(to base: UnsafeMutableRawPointer) {
        base.write(source, at: 0)
        base.write(destination, at: 16)
    }

    @inlinable public var reversed: IPv6AddressPair { IPv6AddressPair(source: destination, destination: source) }

    /// Three folded 64 × 64 → 128 bit multiplications, each over a sum of two words that the seed and the
    /// multiplication before have scattered.
    @inlinable
    public func hash(with portsAndProtocol: UInt64, seed: UInt64) -> UInt64 {
        // Digits of √2, √3, √5 and √7, odd.
        let first = (source.high ^ seed ^ 0x6a09_e667_f3bc_c909).multipliedFullWidth(
            by: source.low ^ 0xbb67_ae85_84ca_a73b)
        let second = (destination.high ^ seed ^ 0x3c6e_f372_fe94_f82b)
            .multipliedFullWidth(by: destination.low ^ 0xa54f_f53a_5f1d_36f1)
        // Sum and difference, because an exclusive or would be the same for both directions of a host with itself.
        let mixed = (first.high ^ first.low) &+ ((second.high ^ second.low) &* 3) ^ portsAndProtocol
        let third = (mixed ^ 0xbb67_ae85_84ca_a73b).multipliedFullWidth(by: 0x6a09_e667_f3bc_c909)
        return third.high ^ third.low
    }

    @inlinable
    public func difference(from other: IPv6AddressPair) -> UInt64 {
        (source.high ^ other.source.high) | (source.low ^ other.source.low)
            | (destination.high ^ other.destination.high) | (destination.low ^ other.destination.low)
    }

    @inlinable
    public func change(from old: IPv6AddressPair) -> ChecksumChange {
        var change = ChecksumChange()
        change.replace(old.source.high, with: source.high)
        change.replace(old.source.low, with: source.low)
        change.replace(old.destination.high, with: destination.high)
        change.replace(old.destination.low, with: destination.low)
        return change
    }
}
