public import Wire

/// A rule of policy routing.
public struct RoutingRule: Hashable, Sendable {
    public var preference: UInt32
    public var from: IPv4Network?
    public var to: IPv4Network?
    /// The interface by which a packet came in; `lo` for what the node itself sends.
    public var input: String?
    public var table: UInt32

    public init(
        preference: UInt32, from: IPv4Network? = nil, to: IPv4Network? = nil, input: String? = nil, table: UInt32
    ) {
        self.preference = preference
        self.from = from
        self.to = to
        self.input = input
        self.table = table
    }
}
