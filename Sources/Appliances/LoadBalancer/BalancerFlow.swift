import Dataplane
import Wire

/// A session of a fast-path service: what is done to the packets of either direction.
struct BalancerFlow<Family: AddressFamily>: BitwiseCopyable {
    /// Client to member; the member's MAC address is looked up for each packet.
    var original: IPFlowAction<Family>
    /// Member to client; the client-side MAC address is the one that the flow's first frame came from, for good.
    var reply: IPFlowAction<Family>
    var service: UInt16
    var member: UInt16
    /// The source port towards the member that goes back to its pool with the session; 0 where the client's own is used.
    var translationPort: UInt16
    /// Whose address the translation port belongs to.
    var translationOwner: PortIndex
    var progress: TCPProgress
    var kind = BalancerFlowKind.client

    func action(_ direction: FlowDirection) -> IPFlowAction<Family> { direction == .original ? original : reply }
}

/// Whose session it is.
enum BalancerFlowKind: UInt8 {
    case client
    /// A health monitor's, between the host side and a member with direct server return.
    case monitor
}

/// How far a TCP connection is, as far as a fast path cares: has it been answered, is it over?
struct TCPProgress: BitwiseCopyable {
    private var bits: UInt8 = 0

    private static var answered: UInt8 { 1 }
    private static var originalFinished: UInt8 { 2 }
    private static var replyFinished: UInt8 { 4 }
    private static var reset: UInt8 { 8 }

    var isAnswered: Bool { bits & Self.answered != 0 }

    /// Whether the client has said its last word, as far as one sees who sees the client alone.
    var isClientDone: Bool { bits & (Self.originalFinished | Self.reset) != 0 }
    var isReset: Bool { bits & Self.reset != 0 }

    /// Both sides have sent FIN, or one RST.
    var isOver: Bool {
        bits & Self.reset != 0
            || bits & (Self.originalFinished | Self.replyFinished) == Self.originalFinished | Self.replyFinished
    }

    /// For people: a fast path follows no more of a connection.
    var words: String { isOver ? "OVER" : isAnswered ? "ANSWERED" : "UNANSWERED" }

    /// - Returns: whether the connection was over before and is not extended by this packet
    mutating func note(_ flags: TCPFlags, _ direction: FlowDirection) -> Bool {
        let wasOver = isOver
        if direction == .reply { bits |= Self.answered }
        if flags.contains(.fin) { bits |= direction == .original ? Self.originalFinished : Self.replyFinished }
        if flags.contains(.rst) { bits |= Self.reset }
        return wasOver
    }

    /// Notes a client's packet where its member's answers are not seen: what acknowledges has been answered.
    mutating func noteUnanswered(_ flags: TCPFlags) {
        if flags.contains(.ack) { bits |= Self.answered }
        if flags.contains(.fin) { bits |= Self.originalFinished }
        if flags.contains(.rst) { bits |= Self.reset }
    }
}

/// The source port of one client endpoint towards the members of a per-packet service.
///
/// It says nothing about member, route or MAC address: those are looked up for each packet.
struct DatagramMapping<Address: InternetAddress>: BitwiseCopyable {
    var client: Address
    var clientPort: UInt16
    var service: UInt16
    var translationPort: UInt16
    var translationOwner: PortIndex
}
