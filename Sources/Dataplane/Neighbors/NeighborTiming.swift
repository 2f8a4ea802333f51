/// When neighbours are asked for, asked again, and forgotten. Source: the states of RFC 4861, 7.3.2, which kernels use
/// for ARP too.
public struct NeighborTiming: Hashable, Sendable {
    /// An answer is believed for so long; a neighbour that is used after it is asked again, by unicast.
    public var reachable: Duration
    /// How often a neighbour whose answer is older than that is looked at: has it been used since?
    public var staleCheck: Duration
    /// Time between two requests.
    public var retransmit: Duration
    /// Requests without an answer after which the neighbour counts as unreachable.
    public var attempts: UInt8
    /// A neighbour that nobody uses is forgotten after it.
    public var unused: Duration

    public init(
        reachable: Duration = .seconds(30), staleCheck: Duration = .seconds(5),
        retransmit: Duration = .milliseconds(200), attempts: UInt8 = 5, unused: Duration = .seconds(300)
    ) {
        self.reachable = reachable
        self.staleCheck = staleCheck
        self.retransmit = retransmit
        self.attempts = attempts
        self.unused = unused
    }
}
