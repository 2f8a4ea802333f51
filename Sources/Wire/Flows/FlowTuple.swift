/// The five-tuple of one family, with what the paths that carry packets of both families need to know about it.
///
/// Layouts, views, flow tables and rewrites are generic over it and specialised for each family, so that IPv4 pays
/// nothing for IPv6. The IPv4 forms keep their short names: `FiveTuple`, `FrameLayout`, `PacketView`, `FlowTable`,
/// `PacketRewrite`, `FlowAction`, `NextHop`, `Route`, `RouteTable`.
public protocol FlowTuple: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    associatedtype Address: InternetAddress

    init(
        source: Address, destination: Address, sourcePort: UInt16, destinationPort: UInt16, protocol: IPProtocol)
    var source: Address { get set }
    var destination: Address { get set }
    /// zero 24 | protocol 8 | source port 16 | destination port 16
    var portsAndProtocol: UInt64 { get set }
    /// The other direction of the same session.
    var reversed: Self { get }
    /// Sixty-four well-mixed bits, the same in every process and on every box.
    var mixedHash: UInt64 { get }
    /// The hash of a table that has a key, so that a stranger cannot aim five-tuples at one bucket.
    func keyedHash(seed: UInt64) -> UInt64

    /// The ICMP of the family.
    static var controlProtocol: IPProtocol { get }
    /// Whether a type of that ICMP asks or answers by an identifier: echo.
    static func isControlQuery(type: UInt8) -> Bool
    /// Whether a type of that ICMP is an error about a packet that it quotes, which a translator translates.
    static func isControlError(type: UInt8) -> Bool
    /// The packet that an ICMP error is about; nil where it quotes too little to tell.
    /// - Parameter quote: what follows the eight bytes of the error's header
    static func quoted(_ quote: UnsafeRawBufferPointer) -> IPQuotedPacket<Self>?
    /// The MTU that an ICMP error names because a packet was too big, 0 where its sender names none; nil for any other
    /// message.
    static func reportedMTU(in error: IPPacketView<Self>) -> Int?
    /// What an Ethernet frame with such a packet says of it.
    static var etherType: EtherType { get }
    /// Parses a packet at `start`, where `end` bytes are readable from `base`.
    static func parsePacket(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> IPLayout<Self>.Parsed
    /// A well-formed packet in a frame; nil where there is none of this family.
    static func packet(in frame: UnsafeMutableRawBufferPointer) -> IPPacketView<Self>?
    /// Where time to live or hop limit is in the IP header.
    static var timeToLiveOffset: Int { get }
    /// Bytes of the IP header without options or extension headers.
    static var headerLength: Int { get }
    static func addPseudoHeader(
        to checksum: inout Checksum, source: Address, destination: Address, protocol: IPProtocol, length: Int)
    /// Whether checksums of the family's ICMP include the pseudo-header.
    static var controlHasPseudoHeader: Bool { get }
    /// What a new pair of addresses does to the checksums that include them.
    static func addressChange(from old: Self, to new: Self) -> ChecksumChange
    /// Writes both addresses into an IP header.
    func writeAddresses(into header: UnsafeMutableRawPointer)
    /// Whether the family's rules allow an error about a packet.
    static func mayBeAnswered(_ packet: IPPacketView<Self>, with problem: DeliveryProblem) -> Bool
    /// An ICMP error to the sender of a packet, by the station that handed it over; nil where it may not be answered.
    static func errorFrame(
        _ problem: DeliveryProblem, about packet: IPPacketView<Self>, from source: Address, mac: MACAddress,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int?
    /// An ICMP error about a packet of which only a quote is there; its Ethernet header has no destination yet. As much
    /// of the quote is in it as the family allows. nil where it does not fit.
    /// - Parameter quote: from the quoted IP header on
    static func errorFrame(
        _ problem: DeliveryProblem, quoting quote: UnsafeRawBufferPointer, to destination: Address,
        from source: Address, mac: MACAddress, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int?
}

/// Why a packet goes no further, in words of both families.
@frozen
public enum DeliveryProblem: Hashable, Sendable {
    case noRoute
    case hostUnreachable
    case portUnreachable
    /// By a rule, or for want of something that the rules need.
    case prohibited
    case timeExceeded
    /// - mtu: bytes of the largest IP packet that would have passed
    case packetTooBig(mtu: Int)
}

extension FlowTuple {
    /// - Parameter error: what was found to be an ICMP error
    @inlinable public static func quoted(in error: IPPacketView<Self>) -> IPQuotedPacket<Self>? {
        quoted(error.payload)
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

    /// Ports and protocol of the other direction.
    @inlinable var reversedPorts: UInt64 {
        let ports = UInt32(truncatingIfNeeded: portsAndProtocol)
        return portsAndProtocol & ~0xffff_ffff | UInt64(ports << 16 | ports >> 16)
    }
}
