public import LabEvents
public import LabTime

/// An order to a running impairment link.
public enum FaultOrder: Hashable, Sendable, Codable {
    /// Adds a rule behind the others, or replaces the one of its name.
    case install(FaultRule)
    /// Occurrences are counted from 1 again.
    case arm(String)
    /// What the rule holds stays held until its release.
    case disarm(String)
    /// Releases at once everything that the rule holds.
    case release(String)
    /// An event of the lab has happened.
    case event(String)
}

/// Something that a rule did, with the frame it did it to.
public struct FaultEvent: Hashable, Sendable {
    public var rule: String
    public var kind: EventKind
    public var at: Instant
    /// All that the kind declares but `rule`.
    public var details: EventDetails

    public init(rule: String, kind: EventKind, at: Instant, details: EventDetails = [:]) {
        self.rule = rule
        self.kind = kind
        self.at = at
        self.details = details
    }
}
