public import Wire

/// A connection that a control connection has announced, and that therefore passes whatever the rules say.
///
/// In a flow table it is found by the flow that is expected, its source port zero, and by its control connection's. Both
/// together are all that there is to know of it. It is used up by the first packet that fits, replaced by the next
/// announcement of its control connection, and ends with it.
@usableFromInline
struct Pinhole: BitwiseCopyable {
    @inlinable init() {}
}

/// Why an announcement is refused.
public enum AnnouncementRefusal: String, Hashable, Sendable, BitwiseCopyable {
    /// It names an address that is not its sender's: the bounce attack. Source: RFC 2577, 3
    case bounce
    /// It names a port below 1024. Source: RFC 2577, 3
    case privilegedPort = "privileged-port"
    /// Its sender stands behind a mapping: the other side would have to be told the external address instead.
    case translated
}

/// What is worth an event of the run.
public enum PinholeEvent<Family: AddressFamily>: Hashable, Sendable, BitwiseCopyable {
    /// The flow that is expected, its source port zero.
    case opened(FlowKey<Family>, control: FlowKey<Family>)
    case used(FlowKey<Family>, control: FlowKey<Family>)
    /// The packet's flow.
    case refused(AnnouncementRefusal, control: FlowKey<Family>)
}

/// What the application gateways count.
public struct PinholeTally: Hashable, Sendable {
    public var opened: UInt64 = 0
    public var used: UInt64 = 0
    public var expired: UInt64 = 0
    /// Learned from the peer.
    public var adopted: UInt64 = 0
    /// Segments that were dropped, by reason.
    public var bounces: UInt64 = 0
    public var privilegedPorts: UInt64 = 0
    public var translated: UInt64 = 0
    /// Announcements that nobody had asked for; they opened nothing.
    public var unasked: UInt64 = 0
    /// Announcements that could not be read; they opened nothing.
    public var malformed: UInt64 = 0
    /// New segments that did not begin or end with a line; they opened nothing.
    public var unread: UInt64 = 0
    /// Announcements or control connections for which there was no room.
    public var noRoom: UInt64 = 0

    public init() {}
}

extension FlowKey {
    /// The key of a pinhole for this flow: from any source port. No real packet has it, because port 0 is reserved.
    @inlinable
    var expected: FlowKey<Family> {
        var key = self
        key.sourcePort = 0
        return key
    }
}
