public import Impairment

/// What an in-line element is and does.
public struct InLineElementConfiguration: Hashable, Sendable, Codable {
    /// The cable, by the interface that it is plugged into: `lb.servers`
    public var name: String
    /// What port 0 and port 1 lead to: nodes, or `switch`.
    public var ends: [String]
    public var rules: [FaultRule]

    public init(name: String, ends: [String], rules: [FaultRule]) {
        self.name = name
        self.ends = ends
        self.rules = rules
    }

    /// Port 0 leads to the interface that names the cable, port 1 to the rest of the network.
    public static let portNames = ["near", "far"]
}
