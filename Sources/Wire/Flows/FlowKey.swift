/// The key of an IPv4 flow, in two words.
public typealias FiveTuple = FlowKey<IPv4>
/// The key of an IPv6 flow, in five words.
public typealias IPv6FiveTuple = FlowKey<IPv6>

/// One direction of a flow: source, destination, ports and protocol.
///
/// ```
/// pair             source address | destination address; of IPv4 64 bits together
/// portsAndProtocol zero 24 | protocol 8 | source port 16 | destination port 16
/// ```
/// For ICMP echo both ports are the identifier, so that `reversed` of a request is its reply; for every other
/// protocol without ports they are zero.
@frozen
public struct FlowKey<Family: AddressFamily>: Sendable, BitwiseCopyable {
    public var pair: Family.Pair
    public var portsAndProtocol: UInt64

    @inlinable
    public init(pair: Family.Pair, portsAndProtocol: UInt64) {
        self.pair = pair
        self.portsAndProtocol = portsAndProtocol
    }

    @inlinable
    public init(
        source: Family.Address, destination: Family.Address, sourcePort: UInt16, destinationPort: UInt16,
        protocol: IPProtocol
    ) {
        pair = Family.Pair(source: source, destination: destination)
        portsAndProtocol =
            UInt64(`protocol`.rawValue) << 32 | UInt64(sourcePort) << 16 | UInt64(destinationPort)
    }

    @inlinable public var source: Family.Address {
        get { pair.source }
        set { pair.source = newValue }
    }

    @inlinable public var destination: Family.Address {
        get { pair.destination }
        set { pair.destination = newValue }
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
    @inlinable public var reversed: FlowKey {
        let ports = UInt32(truncatingIfNeeded: portsAndProtocol)
        return FlowKey(
            pair: pair.reversed, portsAndProtocol: portsAndProtocol & ~0xffff_ffff | UInt64(ports << 16 | ports >> 16))
    }

    /// Sixty-four well-mixed bits for tables of the project's own; the same in every process and on every box.
    ///
    /// Not keyed: where an adversary chooses the flows, the table must stay correct (and bounded) however badly they
    /// collide.
    @inlinable public var mixedHash: UInt64 { pair.hash(with: portsAndProtocol, seed: 0) }

    /// The hash of a table that has a key, so that a stranger cannot aim flows at one bucket.
    @inlinable public func keyedHash(seed: UInt64) -> UInt64 { pair.hash(with: portsAndProtocol, seed: seed) }
}

extension FlowKey: Hashable {
    @inlinable public static func == (a: FlowKey, b: FlowKey) -> Bool {
        a.pair.difference(from: b.pair) | (a.portsAndProtocol ^ b.portsAndProtocol) == 0
    }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(mixedHash) }
}

extension FlowKey: CustomStringConvertible {
    /// `tcp 192.0.2.10:40000 > 198.51.100.100:80`, `tcp [2001:db8::10]:40000 > [2001:db8:1::100]:80`
    public var description: String {
        "\(`protocol`) \(source.erased.endpoint(port: sourcePort)) > \(destination.erased.endpoint(port: destinationPort))"
    }
}

extension FlowKey where Family == IPv4 {
    @inlinable
    public init(addresses: UInt64, portsAndProtocol: UInt64) {
        self.init(pair: IPv4AddressPair(packed: addresses), portsAndProtocol: portsAndProtocol)
    }

    /// Source address in the upper half, destination below.
    @inlinable public var addresses: UInt64 { pair.packed }
}

extension FlowKey where Family == IPv6 {
    @inlinable
    public init(source: IPv6Address, destination: IPv6Address, portsAndProtocol: UInt64) {
        self.init(
            pair: IPv6AddressPair(source: source, destination: destination), portsAndProtocol: portsAndProtocol)
    }
}

// As a flow crosses to a peer: addresses, ports (2, 2), protocol (1).
extension FlowKey {
    /// Bytes of a flow in a record: 13 of IPv4, 37 of IPv6.
    @inlinable static var syncLength: Int { Family.Pair.length &+ 5 }

    /// Guard: the caller found `syncLength` bytes.
    @inlinable
    init(syncBody base: UnsafeRawPointer) {
        let ports = Family.Pair.length
        self.init(
            pair: Family.Pair(uncheckedBase: base),
            portsAndProtocol: UInt64(base.readUInt8(at: ports &+ 4)) << 32 | UInt64(base.readUInt32(at: ports)))
    }

    /// Guard: the caller found `syncLength` bytes.
    @inlinable
    func emit(syncBody base: UnsafeMutableRawPointer) {
        let ports = Family.Pair.length
        pair.write(to: base)
        base.write(UInt32(truncatingIfNeeded: portsAndProtocol), at: ports)
        base.write(`protocol`.rawValue, at: ports &+ 4)
    }
}
