/// What replication remembers of a session.
@usableFromInline
struct SessionMark: BitwiseCopyable {
    /// When its state was last marked dirty, in nanoseconds of this box's clock.
    @usableFromInline var markedAt: Int64 = .min
    /// The bulk transfer of the peer that mentioned it last.
    @usableFromInline var generation: UInt32 = 0
    /// The round of `DirtyQueue` in which it waits there; 0 where it does not wait.
    @usableFromInline var queuedInRound: UInt32 = 0
    /// The low bits of the number of the message that carried its record last; 0 where none has.
    @usableFromInline var message: UInt32 = 0
    /// The round of `Deferral` in which its packets wait for the peer; 0 where they do not.
    @usableFromInline var awaitedInRound: UInt32 = 0
    /// What its next record is to bring.
    @usableFromInline var dirtyParts: DirtyParts = []

    @inlinable init(generation: UInt32 = 0) { self.generation = generation }
}

/// What replication remembers of a pinhole.
@usableFromInline
struct PinholeMark: BitwiseCopyable {
    /// The bulk transfer of the peer that mentioned it last.
    @usableFromInline var generation: UInt32
    /// The term in which it was opened here; 0 where it is the peer's.
    @usableFromInline var term: UInt32

    @inlinable
    init(generation: UInt32, term: UInt32) {
        self.generation = generation
        self.term = term
    }
}

/// Parts of a session that have records of their own.
@usableFromInline
struct DirtyParts: OptionSet, BitwiseCopyable {
    @usableFromInline let rawValue: UInt8

    @inlinable init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable static var state: DirtyParts { DirtyParts(rawValue: 1) }
    @inlinable static var metadata: DirtyParts { DirtyParts(rawValue: 2) }
    @inlinable static var pinhole: DirtyParts { DirtyParts(rawValue: 4) }
}
