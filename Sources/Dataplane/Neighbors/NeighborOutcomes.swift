public import Wire

/// What `NeighborTable.learn` did.
public enum NeighborChange: Hashable, Sendable {
    /// Nobody here has asked for this neighbour, and it did not ask for us.
    case ignored
    case confirmed
    /// The address became known; held frames can go.
    case learned
    /// The neighbour has another MAC address from now on.
    case changed(from: MACAddress)
    /// No place: every entry is in use.
    case tableFull
}

/// What `NeighborTable.hold` did.
public enum NeighborHold: Hashable, Sendable {
    /// The frame waits, and it is the first: ask for the neighbour now.
    case heldFirst
    case held
    /// The frame waits; the one that had waited longest was dropped for it.
    case heldInsteadOfOldest
    /// Every holding place of the box is taken: the frame was not kept. `isFirst`: ask for the neighbour all the same.
    case noRoom(isFirst: Bool)
    /// The neighbour has no place in the table.
    case tableFull
}

/// What a neighbour's timer asks for.
public enum NeighborTimeout: Hashable, Sendable {
    /// Ask everybody on the link.
    case request(IPAddress, port: PortIndex)
    /// Ask the neighbour itself whether it is still there.
    case probe(IPAddress, MACAddress, port: PortIndex)
    /// It never answered; so many frames that waited for it were dropped.
    case unreachable(IPAddress, port: PortIndex, dropped: Int)
}

/// One neighbour as a person wants to see it.
public struct NeighborReading: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        case incomplete, reachable, stale, probing
    }

    public var address: IPAddress
    public var port: PortIndex
    /// nil while it is asked for.
    public var mac: MACAddress?
    public var state: State

    public init(address: IPAddress, port: PortIndex, mac: MACAddress?, state: State) {
        self.address = address
        self.port = port
        self.mac = mac
        self.state = state
    }
}
