public import LabEvents
public import LabTime

/// One line of `events.jsonl`: a fault, an election, a synchronisation, on the lab's one clock.
public struct LabEvent: Hashable, Sendable, Codable {
    /// What expectations call it: the scenario's `as:` word, or `<node>.<kind>` for what a node reports.
    public var name: String
    public var time: Timestamp
    /// An `EventKind`, or one of a later version that wrote the file.
    public var kind: String
    public var node: String?
    /// By `EventDetail`, or a name of a later version.
    public var details: [String: String]

    public init(name: String, time: Timestamp, kind: EventKind, node: String?, details: EventDetails = [:]) {
        self.init(
            name: name, time: time, kind: kind.rawValue, node: node,
            details: Dictionary(uniqueKeysWithValues: details.map { ($0.rawValue, $1) }))
    }

    /// An event as it stands in a file.
    public init(name: String, time: Timestamp, kind: String, node: String?, details: [String: String] = [:]) {
        self.name = name
        self.time = time
        self.kind = kind
        self.node = node
        self.details = details
    }

    public func isOf(_ kinds: EventKind...) -> Bool { kinds.contains { $0.rawValue == kind } }

    public subscript(detail: EventDetail) -> String? { details[detail.rawValue] }
}
