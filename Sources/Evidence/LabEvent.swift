public import LabTime

/// One line of `events.jsonl`: a fault, an election, a synchronisation, on the lab's one clock.
public struct LabEvent: Hashable, Sendable, Codable {
    /// What expectations call it: the scenario's `as:` word, or `<node>.<kind>` for what a node reports.
    public var name: String
    public var time: Timestamp
    /// `switchover`, `power-off`, `link-down`, `active`, `backup`, `member-down`, …
    public var kind: String
    public var node: String?
    public var details: [String: String]

    public init(name: String, time: Timestamp, kind: String, node: String?, details: [String: String] = [:]) {
        self.name = name
        self.time = time
        self.kind = kind
        self.node = node
        self.details = details
    }
}
