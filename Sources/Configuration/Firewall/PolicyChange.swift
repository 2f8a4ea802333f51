import Dataplane

/// What one push changes in a firewall's policy and translation.
public struct PolicyChange: Hashable, Sendable, Codable {
    public var addedObjects: [PolicyObject]
    public var addedRules: [AddedRule]
    /// Names.
    public var deletedRules: [String]
    public var deletedObjects: [String]
    public var nat: NATChange

    public struct AddedRule: Hashable, Sendable, Codable {
        public var rule: PolicyRule
        /// The rule that it comes before; nil for the end.
        public var before: String?

        public init(_ rule: PolicyRule, before: String? = nil) {
            self.rule = rule
            self.before = before
        }
    }

    public init(
        addedObjects: [PolicyObject] = [], addedRules: [AddedRule] = [], deletedRules: [String] = [],
        deletedObjects: [String] = [], nat: NATChange = NATChange()
    ) {
        self.addedObjects = addedObjects
        self.addedRules = addedRules
        self.deletedRules = deletedRules
        self.deletedObjects = deletedObjects
        self.nat = nat
    }

    /// The half that only adds; harmless to a box that is to accept what its peer will send.
    public var additions: PolicyChange {
        PolicyChange(addedObjects: addedObjects, addedRules: addedRules, nat: nat.additions)
    }

    /// The half that only deletes.
    public var deletions: PolicyChange {
        PolicyChange(deletedRules: deletedRules, deletedObjects: deletedObjects, nat: nat.deletions)
    }

    public var isEmpty: Bool {
        addedObjects.isEmpty && addedRules.isEmpty && deletedRules.isEmpty && deletedObjects.isEmpty
            && nat.isEmpty
    }
}

extension PolicyConfiguration {
    /// The policy after a change: additions first, then deletions.
    /// - Throws: what does not fit; a change applies as a whole or not at all
    public func applying(_ change: PolicyChange) throws(ConfigurationError) -> PolicyConfiguration {
        var new = self
        for object in change.addedObjects {
            guard !new.objects.contains(where: { $0.name == object.name }) else {
                throw ConfigurationError("there is an object '\(object.name)' already; delete it in a push before")
            }
            new.objects.append(object)
        }
        for added in change.addedRules {
            guard !new.rules.contains(where: { $0.name == added.rule.name }) else {
                throw ConfigurationError("there is a rule '\(added.rule.name)' already; delete it in a push before")
            }
            guard let before = added.before else {
                new.rules.append(added.rule)
                continue
            }
            guard let place = new.rules.firstIndex(where: { $0.name == before }) else {
                throw ConfigurationError(
                    "rule '\(added.rule.name)' is to come before '\(before)', which is no rule here; \(new.ruleList)")
            }
            new.rules.insert(added.rule, at: place)
        }
        for name in change.deletedRules {
            guard let place = new.rules.firstIndex(where: { $0.name == name }) else {
                throw ConfigurationError("there is no rule '\(name)' to delete; \(new.ruleList)")
            }
            new.rules.remove(at: place)
        }
        for name in change.deletedObjects {
            guard let place = new.objects.firstIndex(where: { $0.name == name }) else {
                throw ConfigurationError("there is no object '\(name)' to delete; \(new.objectList)")
            }
            new.objects.remove(at: place)
        }
        try new.check()
        return new
    }

    /// - Throws: a name that stands twice, a rule that names an object that is not there, two rules that would have
    ///   one identity
    public func check() throws(ConfigurationError) {
        var identities: [RuleIdentity: String] = [:]
        for rule in rules {
            if let other = identities.updateValue(rule.name, forKey: RuleIdentity(naming: rule.name)) {
                throw ConfigurationError(
                    other == rule.name
                        ? "two rules are called '\(rule.name)'"
                        : "the rules '\(other)' and '\(rule.name)' would have the same number; rename one of them")
            }
            for case .object(let name) in rule.sources + rule.destinations
            where !objects.contains(where: { $0.name == name }) {
                throw ConfigurationError("rule '\(rule.name)' needs the object '\(name)'; \(objectList)")
            }
        }
        for (place, object) in objects.enumerated() where objects[..<place].contains(where: { $0.name == object.name })
        {
            throw ConfigurationError("two objects are called '\(object.name)'")
        }
    }

    private var ruleList: String { Self.list("rules", rules.map(\.name)) }
    private var objectList: String { Self.list("objects", objects.map(\.name)) }

    /// `the rules are a, b`
    package static func list(_ kind: String, _ names: [String]) -> String {
        names.isEmpty ? "there are no \(kind)" : "the \(kind) are \(names.joined(separator: ", "))"
    }
}
