public import Dataplane

/// What one push changes in a firewall's translation.
public struct NATChange: Hashable, Sendable, Codable {
    public var addedPools: [NATPool]
    /// Other forms of pools that there are.
    public var changedPools: [NATPool]
    /// Names.
    public var deletedPools: [String]
    public var addedRules: [AddedRule]
    /// Names.
    public var deletedRules: [String]
    /// Whether the earlier forms of changed pools stay known: the peer may still grant from them.
    public private(set) var keepsFormer = false
    /// Pools whose earlier forms the peer grants from no longer.
    public private(set) var endedForms: [String] = []
    /// Pools that the other half of the change deletes: until then others may have their addresses already.
    public private(set) var leavingPools: [String] = []

    public struct AddedRule: Hashable, Sendable, Codable {
        public var name: String
        /// One for each source and destination.
        public var rules: [NATRule]
        /// The rule that it comes before; nil for the end.
        public var before: String?

        public init(_ name: String, _ rules: [NATRule], before: String? = nil) {
            self.name = name
            self.rules = rules.map {
                var rule = $0
                rule.name = name
                return rule
            }
            self.before = before
        }
    }

    public init(
        addedPools: [NATPool] = [], changedPools: [NATPool] = [], deletedPools: [String] = [],
        addedRules: [AddedRule] = [], deletedRules: [String] = []
    ) {
        self.addedPools = addedPools
        self.changedPools = changedPools
        self.deletedPools = deletedPools
        self.addedRules = addedRules
        self.deletedRules = deletedRules
    }

    /// The half that only adds: a changed pool grants in its new form, and its earlier one stays known.
    public var additions: NATChange {
        var half = NATChange(addedPools: addedPools, changedPools: changedPools, addedRules: addedRules)
        half.keepsFormer = !changedPools.isEmpty
        if !half.isEmpty { half.leavingPools = deletedPools }
        return half
    }

    /// The half that only deletes.
    public var deletions: NATChange {
        var half = NATChange(deletedPools: deletedPools, deletedRules: deletedRules)
        half.endedForms = changedPools.map(\.name)
        return half
    }

    public var isEmpty: Bool {
        addedPools.isEmpty && changedPools.isEmpty && deletedPools.isEmpty && addedRules.isEmpty && deletedRules.isEmpty
            && endedForms.isEmpty
    }
}
