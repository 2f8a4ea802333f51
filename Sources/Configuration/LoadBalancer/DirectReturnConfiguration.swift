public import Dataplane
public import Wire

/// Direct server return of a virtual service: packets reach a member with the addresses that the client gave them, and
/// the member answers the client itself.
///
/// Source: VMware Avi Load Balancer, "Direct Server Return"
public struct DirectReturnConfiguration: Hashable, Sendable, Codable {
    public enum Mode: String, Hashable, Sendable, Codable, CaseIterable {
        /// The frame goes to the member's MAC address, from the balancer's own; the packet stays as it is.
        case l2
        case ipip
        case gre
        /// IPv6 in IPv6.
        case ip6ip6

        /// nil where the packet is not wrapped.
        public var encapsulation: Encapsulation? {
            switch self {
            case .l2: nil
            case .ipip: .ipip
            case .gre: .gre
            case .ip6ip6: .ip6ip6
            }
        }

        /// Whether it carries packets of a family.
        public func carries(_ family: IPVersion) -> Bool { encapsulation.map { $0.family == family } ?? true }
    }

    public var mode: Mode
    /// Whether the segment size that a client's SYN announces is lowered to what fits the tunnel. That makes smaller
    /// what the member sends, which takes no tunnel: the client's own segments follow the member's SYN-ACK, which the
    /// balancer never sees. Clamping that helps is the tunnel's far end's.
    public var clampsSegmentSize: Bool
    /// Whether the sender of a packet that is too large for the tunnel is told so by ICMP; else it is dropped in silence.
    public var reportsPathMTU: Bool
    /// Whether a scheduler other than consistent hash is let through, to show what it breaks.
    public var allowsAnyScheduler: Bool

    public init(
        mode: Mode, clampsSegmentSize: Bool = false, reportsPathMTU: Bool = true, allowsAnyScheduler: Bool = false
    ) {
        self.mode = mode
        self.clampsSegmentSize = clampsSegmentSize
        self.reportsPathMTU = reportsPathMTU
        self.allowsAnyScheduler = allowsAnyScheduler
    }
}
