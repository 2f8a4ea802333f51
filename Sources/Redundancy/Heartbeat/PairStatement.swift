/// What one box of a pair tells the other about itself, in every heartbeat.
public struct PairStatement: Hashable, Sendable {
    /// What a box wants its peer to know beside its role.
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// A requested switchover took the role from this box: it does not want it back by itself.
        public static let yields = Flags(rawValue: 1)
        /// This box knows the pair's sessions: it was Active, or has received all of them.
        public static let knowsSessions = Flags(rawValue: 2)
        /// A Backup of higher priority asks the Active to hand over.
        public static let requestsRole = Flags(rawValue: 4)
        /// This box was Active, forwards no more, and leaves the role to its peer.
        public static let handsOver = Flags(rawValue: 8)
    }

    /// Distinguishes one life of the box from the next; grows with each start.
    public var epoch: UInt64
    /// Grows with each statement of an epoch, so that a late one is recognised.
    public var sequence: UInt64
    public var role: VirtualRouter.State
    /// The priority in effect: lower than configured while a tracked link is down.
    public var priority: UInt8
    public var flags: Flags
    /// For how long the box has had its role.
    public var roleAge: Duration

    public init(
        epoch: UInt64, sequence: UInt64, role: VirtualRouter.State, priority: UInt8, flags: Flags,
        roleAge: Duration = .zero
    ) {
        self.epoch = epoch
        self.sequence = sequence
        self.role = role
        self.priority = priority
        self.flags = flags
        self.roleAge = roleAge
    }
}
