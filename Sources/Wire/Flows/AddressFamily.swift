/// What an Internet Protocol is to code that is written once and specialised for each: its addresses, its headers, its
/// ICMP.
///
/// Flow keys, layouts, packets, tables, routes, rewrites, sessions, translators and session records have the family as
/// their generic parameter, so that IPv4 pays nothing for IPv6. `IPv4` and `IPv6` are the two families.
public protocol AddressFamily: Sendable {
    associatedtype Address: InternetAddress
    /// Source and destination of a flow, in the fewest words.
    associatedtype Pair: AddressPair where Pair.Address == Address
    /// What tells a datagram's fragments from those of others: of 16 or 32 bits.
    associatedtype Identification: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable

    static var version: IPVersion { get }
    /// What an Ethernet frame with such a packet says of it.
    static var etherType: EtherType { get }

    // MARK: The IP header

    /// Parses a packet at `start`, where `end` bytes are readable from `base`.
    static func parsePacket(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> IPLayout<Self>.Parsed
    /// A well-formed packet in a frame; nil where there is none of this family.
    static func packet(in frame: UnsafeMutableRawBufferPointer) -> IPPacketView<Self>?
    /// Bytes of the IP header without options or extension headers.
    static var headerLength: Int { get }
    /// Where both addresses begin in the IP header.
    static var addressOffset: Int { get }
    /// Where time to live or hop limit is in the IP header.
    static var timeToLiveOffset: Int { get }
    /// Whether the IP header has a checksum of its own: IPv4's, at byte 10. Then UDP may do without one.
    /// Source: RFC 8200, 8.1
    static var hasHeaderChecksum: Bool { get }
    static func addPseudoHeader(
        to checksum: inout Checksum, source: Address, destination: Address, protocol: IPProtocol, length: Int)
    /// Which piece of a datagram a fragment is.
    /// - Parameter packet: a fragment
    static func fragment(_ packet: IPPacketView<Self>) -> FragmentPlace<Self>
    /// Gives a fragment another identification; a packet that is whole stays as it is.
    static func rewriteIdentification(_ packet: IPPacketView<Self>, to identification: Identification)

    // MARK: ICMP

    /// The ICMP of the family.
    static var controlProtocol: IPProtocol { get }
    /// What becomes of a packet with a message of this type.
    static func controlKind(type: UInt8) -> ControlKind
    /// Whether a message of this type is an error that quotes the packet it is about, redirects included.
    static func quotesPacket(type: UInt8) -> Bool
    /// Whether checksums of the family's ICMP include the pseudo-header.
    static var controlHasPseudoHeader: Bool { get }
    /// The packet that an ICMP error is about; nil where it quotes too little to tell.
    /// - Parameter quote: what follows the eight bytes of the error's header
    static func quoted(_ quote: UnsafeRawBufferPointer) -> IPQuotedPacket<Self>?
    /// The MTU that an ICMP error names because a packet was too big, 0 where its sender names none; nil for any other
    /// message.
    static func reportedMTU(in error: IPPacketView<Self>) -> Int?
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

/// What a message of ICMP or ICMPv6 is to a box that follows flows.
@frozen
public enum ControlKind: Sendable {
    /// Asks, with an identifier.
    case query
    /// Answers a query, with its identifier.
    case answer
    /// Is about a packet that it quotes, and is translated with it.
    case error
    case other
}

/// Which piece of its datagram a fragment is.
@frozen
public struct FragmentPlace<Family: AddressFamily>: Sendable {
    public var identification: Family.Identification
    /// Bytes of the datagram's fragmentable part before it.
    public var offset: Int
    public var isLast: Bool

    @inlinable
    public init(identification: Family.Identification, offset: Int, isLast: Bool) {
        self.identification = identification
        self.offset = offset
        self.isLast = isLast
    }
}

extension AddressFamily {
    /// Whether a type of the family's ICMP asks or answers by an identifier.
    @inlinable public static func isControlQuery(type: UInt8) -> Bool {
        switch controlKind(type: type) {
        case .query, .answer: true
        case .error, .other: false
        }
    }

    /// Whether a type of the family's ICMP is an error about a packet that it quotes, which a translator translates.
    @inlinable public static func isControlError(type: UInt8) -> Bool {
        if case .error = controlKind(type: type) { true } else { false }
    }

    /// - Parameter error: what was found to be an ICMP error
    @inlinable public static func quoted(in error: IPPacketView<Self>) -> IPQuotedPacket<Self>? {
        quoted(error.payload)
    }
}
