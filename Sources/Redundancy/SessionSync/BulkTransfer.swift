public import Dataplane

/// Where the transfer of all sessions to the peer stands.
@usableFromInline
struct BulkTransfer {
    @usableFromInline
    enum Phase {
        case idle
        /// Its begin is the next that is handed out.
        case pending
        /// - Parameter last: the session that was handed out last; nil at the beginning
        case sending(last: FlowIndex?)
    }

    @usableFromInline var phase = Phase.idle

    @usableFromInline init() {}

    @inlinable
    var isRunning: Bool {
        if case .idle = phase { return false }
        return true
    }
}

/// The peer's transfer of all its sessions.
@usableFromInline
struct BulkReception {
    /// Its number, from 1; 0 before the first.
    @usableFromInline var generation: UInt32 = 0
    /// Whether it names every session of the pair.
    @usableFromInline var isComplete = false
    /// Whether this box, which was Active, resyncs sessions that the peer may not know: then the peer's own transfers are
    /// not complete.
    @usableFromInline var isResyncingOwn = false

    @usableFromInline init() {}

    @inlinable
    mutating func begin() {
        generation &+= 1
        isComplete = !isResyncingOwn
    }

    /// It does not name every session of the pair.
    @inlinable mutating func becomePartial() { isComplete = false }

    /// - Returns: whether what it did not name is no session of the pair
    @inlinable
    mutating func end() -> Bool {
        defer { isComplete = false }
        return isComplete
    }
}
