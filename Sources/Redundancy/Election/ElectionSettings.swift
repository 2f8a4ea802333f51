public import Wire

/// What one box of a pair knows before it starts.
public struct ElectionSettings: Hashable, Sendable {
    /// VRRP priority, 1 … 254
    public var priority: UInt8
    /// Whether this box takes the role from a peer of lower priority.
    public var preempts: Bool
    public var advertisementInterval: Duration
    /// nil where the pair has no cross-connect: then VRRP alone decides.
    public var heartbeat: HeartbeatSettings?
    /// Own address on the port of each virtual router, in order.
    public var routerAddresses: [IPv4Address]
    /// Own and the peer's address on the cross-connect, which decide between equal priorities.
    public var ownAddress: IPv4Address
    public var peerAddress: IPv4Address
    /// By how much each tracked link that is down lowers the priority, one for each link; 0 lets the box keep the role.
    /// nil where the lab tracks nothing by itself: then a port of a virtual router that is down lowers the priority to
    /// the number of those that are left.
    public var decrements: [UInt8]?
    /// How long after its start a box that has heard nothing of its peer takes no role, as long as the cross-connect has
    /// carrier: the peer has power and may still be starting. Zero: the Active-down interval alone, as the RFC has it.
    public var startupSilentPeriod: Duration
    public var rules: PairRules

    public init(
        priority: UInt8, preempts: Bool, advertisementInterval: Duration, heartbeat: HeartbeatSettings?,
        routerAddresses: [IPv4Address], ownAddress: IPv4Address, peerAddress: IPv4Address,
        decrements: [UInt8]? = nil, startupSilentPeriod: Duration = .zero, rules: PairRules = .all
    ) {
        self.priority = priority
        self.preempts = preempts
        self.advertisementInterval = advertisementInterval
        self.heartbeat = heartbeat
        self.routerAddresses = routerAddresses
        self.ownAddress = ownAddress
        self.peerAddress = peerAddress
        self.decrements = decrements
        self.startupSilentPeriod = startupSilentPeriod
        self.rules = rules
    }
}
