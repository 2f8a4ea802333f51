/// The place of a session in a `FlowTable`; it stays the same as long as the session lives.
@frozen public struct FlowIndex: Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// Which of a session's two flows a packet belongs to.
@frozen public enum FlowDirection: UInt8, Hashable, Sendable, BitwiseCopyable {
    /// From the one that sent the first packet.
    case original
    /// Back to it.
    case reply

    @inlinable public var opposite: FlowDirection { self == .original ? .reply : .original }
}

/// What a packet's five-tuple was found to be.
@frozen public struct FlowMatch: Hashable, Sendable, BitwiseCopyable {
    public var index: FlowIndex
    public var direction: FlowDirection

    @inlinable public init(index: FlowIndex, direction: FlowDirection) {
        self.index = index
        self.direction = direction
    }
}

/// What became of a session that was to enter a `FlowTable`.
@frozen public enum FlowInsertion: Hashable, Sendable {
    case inserted(FlowIndex)
    /// Every place is taken. Existing sessions are never evicted for a new one: an attacker's flood of new flows must
    /// not end established ones.
    case full
    /// One of the two five-tuples is a flow of this session already.
    case conflict(FlowMatch)
}
