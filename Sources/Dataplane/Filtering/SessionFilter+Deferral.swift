/// Packets of a session that the peer does not know yet may have to wait. The filter knows which sessions those are.
extension SessionFilter {
    /// Whether sessions that are opened from now on wait until `confirm`.
    public var isDeferring: Bool {
        get { defersNewSessions }
        set {
            if !newValue { confirmAll() }
            defersNewSessions = newValue
        }
    }

    /// Whether packets of a session are to wait for the peer.
    @inlinable
    public func isAwaited(_ index: FlowIndex) -> Bool {
        defersNewSessions && isAwaitedInRound(index)
    }

    @usableFromInline
    func isAwaitedInRound(_ index: FlowIndex) -> Bool { table[index].awaitedInRound == deferRound }

    /// The low bits of the number of the message that told the peer of a session; nil where none has yet.
    public func messageThatTold(_ index: FlowIndex) -> UInt32? {
        table.contains(index) && table[index].toldIn != 0 ? table[index].toldIn : nil
    }

    /// The peer has the session, or the wait has lasted long enough.
    public mutating func confirm(_ index: FlowIndex) { table[index].awaitedInRound = 0 }

    /// Nobody waits any more.
    public mutating func confirmAll() { deferRound &+= 1 }
}
