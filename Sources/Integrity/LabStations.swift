public import LabTime
public import Wire

/// What an examination needs to know of a lab: where it was captured, how captures belong together, and who may speak.
public struct LabStations: Sendable {
    /// A capture of one end of a cable.
    public struct Point: Hashable, Sendable {
        public var node: String
        public var interface: String

        public init(node: String, interface: String) {
            self.node = node
            self.interface = interface
        }
    }

    /// A veth pair that is captured at both ends.
    public struct Cable: Sendable {
        /// The end at a node's interface.
        public var near: Point
        /// The other end: a switch's port, an impairment link's port, another node's interface.
        public var far: Point
        /// Of the near end's interface: no other station sends from it. nil where others may.
        public var nearAddress: MACAddress?
        public var farAddress: MACAddress?
        /// When it may have been down, which takes frames away without a word.
        public var downTimes: [ClosedRange<Timestamp>]

        public init(
            near: Point, far: Point, nearAddress: MACAddress?, farAddress: MACAddress?,
            downTimes: [ClosedRange<Timestamp>] = []
        ) {
            self.near = near
            self.far = far
            self.nearAddress = nearAddress
            self.farAddress = farAddress
            self.downTimes = downTimes
        }
    }

    /// A box whose packets can be followed from interface to interface, or a pair that passes packets from box to box.
    public struct Box: Sendable {
        /// As messages name it.
        public var name: String
        /// Where packets enter and leave it: of a pair without its cross-connect.
        public var points: [Point]
        /// Of its interfaces, virtual routers included: frames to others pass it by.
        public var addresses: Set<MACAddress>
        /// Whether frames to any address are forwarded: it joins its networks at layer 2.
        public var forwardsAnyAddress: Bool
        /// Frames that it counted as dropped, whatever the reason; nil where it left no counters.
        public var dropped: UInt64?

        public init(
            name: String, points: [Point], addresses: Set<MACAddress>, forwardsAnyAddress: Bool = false,
            dropped: UInt64?
        ) {
            self.name = name
            self.points = points
            self.addresses = addresses
            self.forwardsAnyAddress = forwardsAnyAddress
            self.dropped = dropped
        }
    }

    /// Every point that the lab captures.
    public var points: [Point]
    public var cables: [Cable]
    public var boxes: [Box]
    /// Source addresses that frames may have; nil where programs of the lab may bring their own.
    public var addresses: Set<MACAddress>?
    /// IPv4 addresses of hosts, which boxes never send from by themselves.
    public var hosts: Set<IPv4Address>
    /// Whether an impairment link corrupts frames.
    public var mayCorrupt: Bool
    /// Whether an impairment link sends frames twice.
    public var mayDuplicate: Bool

    public init(
        points: [Point], cables: [Cable], boxes: [Box], addresses: Set<MACAddress>?, hosts: Set<IPv4Address>,
        mayCorrupt: Bool, mayDuplicate: Bool
    ) {
        self.points = points
        self.cables = cables
        self.boxes = boxes
        self.addresses = addresses
        self.hosts = hosts
        self.mayCorrupt = mayCorrupt
        self.mayDuplicate = mayDuplicate
    }
}
