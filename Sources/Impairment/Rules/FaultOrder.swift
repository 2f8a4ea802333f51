public import LabEvents
public import LabTime

/// What a lab, or a person, asks of a running in-line element.
public enum FaultOrder: Hashable, Sendable, Codable {
    /// Adds a rule behind the others, or replaces the one of its name.
    case install(FaultRule)
    /// Counting of occurrences begins anew.
    case arm(String)
    /// What the rule holds stays held until its release.
    case disarm(String)
    /// Lets go at once of everything that the rule holds.
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
