public import LabTime
public import Wire

/// Whoever follows the sessions of a `SessionEngine`, such as the replication to a peer. It is called for each packet.
@usableFromInline
package protocol SessionObserver: ~Copyable {
    associatedtype Family: AddressFamily

    /// A packet has opened a session.
    /// - Parameter isBlocked: its packets do not pass yet; see `Session.isBlocked`
    mutating func sessionOpened(_ index: FlowIndex, isBlocked: Bool, at now: Instant)

    /// A session is there still, and something of it has changed.
    mutating func sessionChanged(_ index: FlowIndex, _ change: SessionChange, at now: Instant)

    /// A session that was not blocked has ended, by its timer, a policy or a new connection on its ports.
    /// - Parameter flow: of its first packet
    mutating func sessionEnded(_ flow: FlowKey<Family>)
}

/// What has changed of a session.
@usableFromInline
package enum SessionChange: Hashable, Sendable, BitwiseCopyable {
    /// Its states or its mappings.
    case state
    /// Nothing but its end: a packet has passed, and it lasts so long from now on.
    case refreshed(Duration)
    /// What its first payload was.
    case application
    /// It is a control connection and has announced another one.
    /// - Parameter place: of the pinhole in `ApplicationGateways`
    case announcement(FlowIndex)
}
