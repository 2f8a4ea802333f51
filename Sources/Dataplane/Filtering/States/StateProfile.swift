/// Whose gateway firewall a state table behaves like.
///
/// | | `nsx-gateway`, `nsx-distributed` | `pf` |
/// |---|---|---|
/// | a FIN without state | CLOSING:CLOSED | SYN_SENT:CLOSED; the second FIN makes it CLOSING:CLOSED |
/// | a FIN or an ACK before the answer to a SYN | misfit | by the sequence windows |
/// | a SYN or SYN-ACK from a side that has sent its FIN | misfit | by the sequence windows |
/// | connections of which one side is seen | followed to their end | stay half open |
/// | a misfit | dropped, ICMP 3/3 to its sender | dropped silently |
///
/// Source: VMware article 322035 for CLOSING:CLOSED and the ICMP; pf, `pf_tcp_track_full` and `pf_tcp_track_sloppy`.
/// The vendor does not document its state machine: what else is said of it here is inferred from pf's.
public enum StateProfile: String, Hashable, Sendable, Codable, CaseIterable {
    case nsxGateway = "nsx-gateway"
    case nsxDistributed = "nsx-distributed"
    case pf

    /// The vendor's own default timers.
    public var timers: StateTimers {
        switch self {
        case .nsxGateway: .nsxGateway
        case .nsxDistributed: .nsxDistributed
        case .pf: .pf
        }
    }

    public var outOfStatePolicy: OutOfStatePolicy { self == .pf ? .drop : .icmp }

    /// Whether packets are judged by the windows of both sides, and not by states alone.
    public var tracksWindows: Bool { self == .pf }
}

/// What becomes of a packet that does not fit the state that it meets.
public enum OutOfStatePolicy: String, Hashable, Sendable, Codable, CaseIterable {
    case drop
    /// Dropped, and TCP's sender gets the reset that a closed port would send.
    case reset
    /// Dropped, and its sender gets ICMP "port unreachable" with the minimal quote.
    case icmp
}

/// Which packets without state may make one.
public enum MidStreamPickup: String, Hashable, Sendable, Codable, CaseIterable {
    /// TCP: only a SYN. NSX calls it TCP Strict.
    case strict
    /// Any: connections are picked up in mid-stream.
    case loose
}

/// Seen from the firewall: does a packet come in by the interface that filters it, or leave by it?
public enum StateDirection: UInt8, Hashable, Sendable, Codable, BitwiseCopyable {
    case `in`
    case out

    public var name: String { self == .in ? "in" : "out" }
}
