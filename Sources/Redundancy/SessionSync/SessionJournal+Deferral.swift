public import Dataplane

/// The packets of which sessions wait for the peer.
@usableFromInline
struct Deferral {
    @usableFromInline var isOn = false
    /// Grows whenever nobody waits any more, so that sessions need not be visited.
    @usableFromInline var round: UInt32 = 1

    @usableFromInline init() {}
}

/// Packets of a session that the peer does not know yet may have to wait. The journal knows which sessions those are.
extension SessionJournal {
    /// Whether sessions that are opened from now on wait until `confirm`.
    @inlinable
    package var isDeferring: Bool {
        get { deferral.isOn }
        set {
            if !newValue { confirmAll() }
            deferral.isOn = newValue
        }
    }

    /// Whether packets of a session are to wait for the peer.
    @inlinable
    package func isAwaited(_ index: FlowIndex) -> Bool { deferral.isOn && isAwaitedInRound(index) }

    @usableFromInline
    func isAwaitedInRound(_ index: FlowIndex) -> Bool { sessions[index].awaitedInRound == deferral.round }

    /// The low bits of the number of the message that has a session's record; nil where none has yet.
    @inlinable
    package func message(with index: FlowIndex) -> UInt32? {
        sessions[index].message == 0 ? nil : sessions[index].message
    }

    /// The peer has the session, or the wait has lasted long enough.
    @inlinable package mutating func confirm(_ index: FlowIndex) { sessions[index].awaitedInRound = 0 }

    /// Nobody waits any more.
    @inlinable package mutating func confirmAll() { deferral.round &+= 1 }
}
