/// What replication remembers of a session.
struct SessionMark: BitwiseCopyable {
    /// When its state was last marked dirty, in nanoseconds of this box's clock.
    var markedAt: Int64 = .min
    /// The bulk transfer of the peer that mentioned it last.
    var generation: UInt32 = 0
    /// The round of `DirtyQueue` in which it waits there; 0 where it does not wait.
    var queuedInRound: UInt32 = 0
    /// The low bits of the number of the message that carried its record last; 0 where none has.
    var message: UInt32 = 0
    /// The round of `Deferral` in which its packets wait for the peer; 0 where they do not.
    var awaitedInRound: UInt32 = 0
    /// What its next record is to bring.
    var dirtyParts: DirtyParts = []
}

/// What replication remembers of a pinhole.
struct PinholeMark: BitwiseCopyable {
    /// The bulk transfer of the peer that mentioned it last.
    var generation: UInt32
    /// The term in which it was opened here; 0 where it is the peer's.
    var term: UInt32
}

/// Parts of a session that have records of their own.
struct DirtyParts: OptionSet, BitwiseCopyable {
    let rawValue: UInt8
    static let state = DirtyParts(rawValue: 1)
    static let metadata = DirtyParts(rawValue: 2)
    static let pinhole = DirtyParts(rawValue: 4)
}
