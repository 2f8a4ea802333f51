/// What a message of the peer brought.
public struct SyncReception: Hashable, Sendable {
    /// The peer's heartbeat, for the election.
    public var statement: PairStatement?
    /// A heartbeat that does not know this life of the box: it proves nothing yet, and is answered at once where its
    /// sender's life is new.
    public var isHello = false
    /// The greeting's sender was not heard before.
    public var isFirstHello = false
    /// The life that a heartbeat claims, later than that of the peer that is heard: it is answered, and proves nothing
    /// before that one falls silent.
    public var unconfirmedEpoch: UInt64?
    /// The statement is the peer's whatever it said before: that was somebody else.
    public var startsOver = false
    /// The message was consumed before: its acknowledgement was lost, or somebody repeats it.
    public var isDuplicate = false
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
