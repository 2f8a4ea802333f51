/// What the GRE key of a data frame on the cross-connect says (RFC 2890): what the outer header cannot.
///
/// ```
///  0 direction (1 bit) | 1 number of the port (7 bits) | 8 mark of the inner flow (24 bits)
/// ```
/// The mark is the same in both directions of a flow, so that a receiver can give a whole session to one worker
/// without a look into the packet.
@frozen
public struct ConduitKey: Hashable, Sendable {
    @frozen
    public enum Direction: UInt8, Sendable, CaseIterable {
        /// The packet came in by this port of the sender and is the receiver's to judge.
        case cameIn = 0
        /// The packet was judged, and is to leave by this port of the receiver.
        case leave = 1
    }

    public var direction: Direction
    /// Ports in the order of the configuration, which is the same on both boxes: 0 … 127.
    public var port: UInt8
    /// 24 bits.
    public var flow: UInt32

    @inlinable
    public init(direction: Direction, port: UInt8, flow: FlowKey<some AddressFamily>) {
        self.direction = direction
        self.port = port & 0x7f
        self.flow = Self.mark(of: flow)
    }

    @inlinable
    public init(rawValue: UInt32) {
        direction = rawValue >> 31 == 0 ? .cameIn : .leave
        port = UInt8(truncatingIfNeeded: rawValue >> 24) & 0x7f
        flow = rawValue & 0xff_ffff
    }

    @inlinable public var rawValue: UInt32 { UInt32(direction.rawValue) << 31 | UInt32(port) << 24 | flow }

    @inlinable
    public static func mark(of flow: FlowKey<some AddressFamily>) -> UInt32 {
        UInt32(truncatingIfNeeded: (flow.mixedHash &+ flow.reversed.mixedHash) >> 40)
    }

    /// Bytes that a conduit adds to a packet: IPv4 and GRE headers with a key.
    public static var overhead: Int { 28 }
}
