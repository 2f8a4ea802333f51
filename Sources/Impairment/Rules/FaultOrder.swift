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
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case dropped, lost, delayed, duplicated, held, released, corrupted, reordered, limited
        /// There was no room to hold a frame: a copy was not made, or the frame was dropped.
        case overflow
        case armed, disarmed
        /// The rule acts on, and tells no more.
        case quiet
    }

    public var rule: String
    public var kind: Kind
    public var at: Instant
    /// `frame`: the frame in words; `from`: the end at which it arrived; and what else belongs to the kind.
    public var details: [String: String]

    public init(rule: String, kind: Kind, at: Instant, details: [String: String] = [:]) {
        self.rule = rule
        self.kind = kind
        self.at = at
        self.details = details
    }
}

extension FaultAction {
    /// What a rule of this action can report.
    public var eventKinds: [FaultEvent.Kind] {
        let own: [FaultEvent.Kind] =
            switch self {
            case .drop: [.dropped]
            case .lose: [.lost]
            case .delay: [.delayed, .overflow]
            case .duplicate: [.duplicated, .overflow]
            case .hold: [.held, .released, .overflow]
            case .corrupt: [.corrupted]
            case .reorder: [.reordered, .released, .overflow]
            case .limit: [.limited, .dropped, .overflow]
            }
        return own + [.armed, .disarmed, .quiet]
    }
}
