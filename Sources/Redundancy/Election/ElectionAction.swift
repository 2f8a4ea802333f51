public import LabEvents

/// What an election asks of the box around it, in this order.
public enum ElectionAction: Hashable, Sendable {
    /// Forward nothing from now on; where the role is handed over, send the peer what it does not know yet of the
    /// sessions.
    case stopForwarding(handingOver: Bool)
    /// Commit the synchronised sessions and forward. Comes before every announcement.
    case startForwarding
    /// Send an advertisement for a virtual router (by number); priority 0 resigns.
    case advertise(router: Int, priority: UInt8)
    /// Send gratuitous ARP for every virtual address, now and repeated.
    case announceAddresses
    /// Send a heartbeat with this statement.
    case send(PairStatement)
    /// The peer's heartbeat came (back); what it knew before a restart is lost. A peer that is heard for the first time
    /// has not restarted.
    case peerAppeared(restarted: Bool)
    /// The peer's heartbeat stopped.
    case peerLost
    /// Something that a person wants to know.
    case report(kind: EventKind, details: EventDetails)
}
