/// What a message of the peer brought.
public struct SyncReception: Hashable, Sendable {
    /// The peer's heartbeat, for the election.
    public var statement: PairStatement?
    /// Records that were applied to the session table.
    public var applied = 0
    /// Records of new sessions for which the table had no room.
    public var refused = 0
    /// Records of this box that the peer has now consumed.
    public var acknowledged = 0
    /// The peer has consumed every session of this box's bulk transfer.
    public var sentBulkCompleted = false
    /// Every session of the peer's bulk transfer is in the table.
    public var receivedBulkCompleted = false

    public init() {}
}
