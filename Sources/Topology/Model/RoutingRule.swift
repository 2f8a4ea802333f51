public import Configuration
public import Wire

/// A rule of policy routing: which table is asked for the way of which packets, in the order of the preferences.
///
/// Every stack has three to begin with: 0 asks `local` (its own addresses), 32766 `main`, 32767 `default`.
public struct RoutingRule: Hashable, Sendable, Codable {
    public var preference: UInt32
    public var from: IPv4Network?
    public var to: IPv4Network?
    /// The interface by which a packet came in; `lo` for what the node itself sends.
    public var input: String?
    /// nil takes the rule with that preference away.
    public var table: UInt32?

    public init(
        preference: UInt32, from: IPv4Network? = nil, to: IPv4Network? = nil, input: String? = nil, table: UInt32? = nil
    ) {
        self.preference = preference
        self.from = from
        self.to = to
        self.input = input
        self.table = table
    }
}

extension RoutingRule: CustomStringConvertible {
    /// `10: from 10.2.1.4/32 lookup 10`, `0: none`
    public var description: String {
        guard let table else { return "\(preference): none" }
        var words = ["\(preference):", "from", from.map { "\($0)" } ?? "all"]
        if let to { words += ["to", "\(to)"] }
        if let input { words += ["in", input] }
        return (words + ["lookup", "\(table)"]).joined(separator: " ")
    }
}

/// The routes of a table besides `main`.
public struct RoutingTable: Hashable, Sendable, Codable {
    public var number: UInt32
    public var routes: [RouteConfiguration]

    public init(number: UInt32, routes: [RouteConfiguration]) {
        self.number = number
        self.routes = routes
    }

    /// The kernel's own tables by their names.
    static let named: [String: UInt32] = ["local": 255, "main": 254, "default": 253]
}
