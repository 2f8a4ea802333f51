import LabTime

/// Numbers a box's own heartbeats, and knows when the next is due.
struct HeartbeatSender: Hashable, Sendable {
    /// Names this incarnation of the box.
    private(set) var epoch: UInt64 = 0
    private var sequence: UInt64 = 0
    /// nil until the first was sent.
    var dueAt: Instant?

    /// The box starts.
    mutating func begin(at now: Instant) {
        epoch = UInt64(max(1, now.nanoseconds))
        dueAt = nil
    }

    /// The next statement.
    mutating func statement(
        role: VirtualRouter.State, priority: UInt8, flags: PairStatement.Flags, roleAge: Duration
    ) -> PairStatement {
        sequence &+= 1
        return PairStatement(
            epoch: epoch, sequence: sequence, role: role, priority: priority, flags: flags, roleAge: roleAge)
    }
}
