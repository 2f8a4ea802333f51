/// Which timer forgets a state, by the names of the product's session timer profile.
public enum StateTimer: UInt8, CaseIterable, Hashable, Sendable, Codable, BitwiseCopyable {
    /// TCP: the packet that made the state is the only one.
    case firstPacket
    /// TCP: a side is not ESTABLISHED yet.
    case opening
    case established
    /// TCP: one side has sent its FIN.
    case closing
    /// TCP: both sides have sent their FIN.
    case finWait
    /// TCP: both FINs were acknowledged, or one side reset.
    case closed
    /// UDP, and protocols without ports: the packet that made the state is the only one.
    case udpFirstPacket
    /// Only one side has sent more than one packet.
    case udpSingle
    /// Both sides have.
    case udpMultiple
    /// ICMP queries: the packet that made the state is the only one.
    case icmpFirstPacket
    /// ICMP queries after any further packet.
    case icmpErrorReply

    /// As a lab file writes it.
    public var name: String {
        switch self {
        case .firstPacket: "first-packet"
        case .opening: "opening"
        case .established: "established"
        case .closing: "closing"
        case .finWait: "finwait"
        case .closed: "closed"
        case .udpFirstPacket: "udp.first-packet"
        case .udpSingle: "udp.single"
        case .udpMultiple: "udp.multiple"
        case .icmpFirstPacket: "icmp.first-packet"
        case .icmpErrorReply: "icmp.error-reply"
        }
    }

    public init?(name: String) {
        guard let timer = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = timer
    }

    /// The timer of a TCP state after a packet that it matched. Source: pf, `pf_tcp_track_full`
    static func tcp(_ a: SideState, _ b: SideState) -> StateTimer {
        let (lesser, greater) = (min(a, b), max(a, b))
        if lesser >= .finWait2 { return .closed }
        if lesser >= .closing { return .finWait }
        if lesser < .established { return .opening }
        return greater >= .closing ? .closing : .established
    }
}
