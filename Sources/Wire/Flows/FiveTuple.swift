/// One direction of an IPv4 flow: source, destination, ports and protocol, packed into two words.
///
/// ```
/// addresses        source address 32 | destination address 32
/// portsAndProtocol zero 24 | protocol 8 | source port 16 | destination port 16
/// ```
/// For ICMP echo both ports are the identifier, so that `reversed` of a request is its reply; for every other
/// protocol without ports they are zero.
@frozen
public struct FiveTuple: Sendable, BitwiseCopyable {
    public var addresses: UInt64
    public var portsAndProtocol: UInt64

    @inlinable
    public init(
        source: IPv4Address, destination: IPv4Address, sourcePort: UInt16, destinationPort: UInt16, protocol: IPProtocol
    ) {
        addresses = UInt64(source.rawValue) << 32 | UInt64(destination.rawValue)
        portsAndProtocol =
            UInt64(`protocol`.rawValue) << 32 | UInt64(sourcePort) << 16 | UInt64(destinationPort)
    }

    @inlinable
    public init(addresses: UInt64, portsAndProtocol: UInt64) {
        self.addresses = addresses
        self.portsAndProtocol = portsAndProtocol
    }

    @inlinable public var source: IPv4Address {
        get { IPv4Address(rawValue: UInt32(truncatingIfNeeded: addresses >> 32)) }
        set { addresses = addresses & 0xffff_ffff | UInt64(newValue.rawValue) << 32 }
    }

    @inlinable public var destination: IPv4Address {
        get { IPv4Address(rawValue: UInt32(truncatingIfNeeded: addresses)) }
        set { addresses = addresses & ~0xffff_ffff | UInt64(newValue.rawValue) }
    }

    @inlinable public var sourcePort: UInt16 {
        get { UInt16(truncatingIfNeeded: portsAndProtocol >> 16) }
        set { portsAndProtocol = portsAndProtocol & ~0xffff_0000 | UInt64(newValue) << 16 }
    }

    @inlinable public var destinationPort: UInt16 {
        get { UInt16(truncatingIfNeeded: portsAndProtocol) }
        set { portsAndProtocol = portsAndProtocol & ~0xffff | UInt64(newValue) }
    }

    @inlinable public var `protocol`: IPProtocol {
        get { IPProtocol(rawValue: UInt8(truncatingIfNeeded: portsAndProtocol >> 32)) }
        set { portsAndProtocol = portsAndProtocol & 0xffff_ffff | UInt64(newValue.rawValue) << 32 }
    }

    /// The other direction of the same session.
    @inlinable public var reversed: FiveTuple {
        let ports = UInt32(truncatingIfNeeded: portsAndProtocol)
        return FiveTuple(
            addresses: addresses << 32 | addresses >> 32,
            portsAndProtocol: portsAndProtocol & ~0xffff_ffff | UInt64(ports << 16 | ports >> 16))
    }

    /// Sixty-four well-mixed bits for tables of the project's own; the same in every process and on every box.
    ///
    /// Two folded 64 × 64 → 128 bit multiplications. Not keyed: where an adversary chooses the tuples, the table must
    /// stay correct (and bounded) however badly they collide.
    @inlinable public var mixedHash: UInt64 {
        // Odd constants with about half of their bits set, taken from the fractional digits of √2 and √3.
        let first = (addresses ^ 0x6a09_e667_f3bc_c909).multipliedFullWidth(by: 0xbb67_ae85_84ca_a73b)
        let mixed = first.high ^ first.low ^ portsAndProtocol
        let second = (mixed ^ 0xbb67_ae85_84ca_a73b).multipliedFullWidth(by: 0x6a09_e667_f3bc_c909)
        return second.high ^ second.low
    }
}

extension FiveTuple: Hashable {
    @inlinable public static func == (a: FiveTuple, b: FiveTuple) -> Bool {
        (a.addresses ^ b.addresses) | (a.portsAndProtocol ^ b.portsAndProtocol) == 0
    }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(mixedHash) }
}

extension FiveTuple: CustomStringConvertible {
    /// `tcp 192.0.2.10:40000 > 198.51.100.100:80`
    public var description: String {
        "\(`protocol`) \(source):\(sourcePort) > \(destination):\(destinationPort)"
    }
}
