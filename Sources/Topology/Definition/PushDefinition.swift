import Configuration
import LabFile

/// A change of the lab's `pushes` as written. Whether it fits a box, the box says when it comes: that, too, is worth a lab.
/// ```yaml
/// guests:
///   add:
///     rules: { ping: { action: allow, protocol: icmp, before: echo } }
///     nat:
///       pools: { guests: { addresses: 192.0.2.10, ports: 2000-2999 } }
///       rules: { guests: { source: guest-network, pool: guests, before: 1 } }
/// grown: { change: { nat: { pools: { guests: { addresses: [192.0.2.10, 192.0.2.11] } } } } }
/// no-guests: { delete: { rules: ping, nat: { rules: guests, pools: guests } } }
/// ```
struct PushDefinition {
    var name: String
    /// Without the objects and the translation.
    var change = PolicyChange()
    var objects: [PolicyDefinition.Object] = []
    var nat = NATPushDefinition()

    /// By their names.
    static func all(_ value: LabValue?, _ reader: LabReader) -> [PushDefinition] {
        NodeDefinition.named(value, "the pushes", reader).compactMap { entry in
            guard NameRule.word.check(entry.key, "a push", at: entry.keyPosition, reader) else { return nil }
            return PushDefinition(entry.value, entry.key, reader)
        }
    }

    private init?(_ value: LabValue, _ name: String, _ reader: LabReader) {
        self.name = name
        let mistakes = reader.reports
        guard let mapping = MappingReader(value, "push '\(name)'", keys: PushDefinition.keys, reader) else {
            return nil
        }
        if let added = Self.part("add", ["objects", "rules", "nat"], mapping, reader) {
            objects = PolicyDefinition.objects(added["objects"], reader)
            change.addedRules = PolicyDefinition.rules(added["rules"], interfaces: nil, more: ["before"], reader).map {
                PolicyChange.AddedRule($0.rule.value, before: $0.before)
            }
            if let nat = Self.part("nat", ["pools", "rules"], added, reader) { self.nat.readAdded(nat, reader) }
        }
        if let changed = Self.part("change", ["nat"], mapping, reader),
            let nat = Self.part("nat", ["pools"], changed, reader)
        {
            self.nat.readChanged(nat, reader)
        }
        if let deleted = Self.part("delete", ["objects", "rules", "nat"], mapping, reader) {
            change.deletedRules = Self.names(deleted, "rules", reader).map(\.value)
            change.deletedObjects = Self.names(deleted, "objects", reader).map(\.value)
            if let nat = Self.part("nat", ["pools", "rules"], deleted, reader) {
                self.nat.deletedPools = Self.names(nat, "pools", reader)
                self.nat.deletedRules = Self.names(nat, "rules", reader)
            }
        }
        checkContradictions(at: value.position, reader)
        // What could not be read would have changed something.
        if change.isEmpty, objects.isEmpty, nat.isEmpty, reader.reports == mistakes {
            reader.report(
                "push '\(name)' changes nothing", at: value.position,
                allowed: ["'add', 'change' and 'delete' with objects, rules, and pools and rules of nat"])
        }
    }

    /// What is added or changed first and deleted right after it was hardly meant.
    private func checkContradictions(at position: SourcePosition?, _ reader: LabReader) {
        func check(_ what: String, _ kept: [String], _ deleted: [String]) {
            for name in deleted where kept.contains(name) {
                reader.report(
                    "push '\(self.name)' adds or changes the \(what) '\(name)' and deletes it; a push does one of them",
                    at: position)
            }
        }
        check("object", objects.map(\.name), change.deletedObjects)
        check("rule", change.addedRules.map(\.rule.name), change.deletedRules)
        check(
            "NAT pool", (nat.addedPools + nat.changedPools).map(\.name.value), nat.deletedPools.map(\.value))
        check("NAT rule", nat.addedRules.map(\.rule.name.value), nat.deletedRules.map(\.value))
    }

    private static func part(
        _ key: String, _ keys: [String], _ mapping: MappingReader, _ reader: LabReader
    ) -> MappingReader? {
        mapping[key].flatMap { MappingReader($0, "'\(key)' of \(mapping.what)", keys: keys, reader) }
    }

    private static func names(_ mapping: MappingReader, _ key: String, _ reader: LabReader) -> [Located<String>] {
        guard let value = mapping[key] else { return [] }
        return reader.list(value).compactMap { element in
            reader.text(element, of: "a name in '\(key)'").map { Located(value: $0, position: element.position) }
        }
    }
}

/// `nat` of a push, before it is known for which box.
struct NATPushDefinition {
    struct AddedRule {
        var rule: NATDefinition.Rule
        var before: Located<String>?
    }

    var addedPools: [NATDefinition.Pool] = []
    var changedPools: [NATDefinition.Pool] = []
    var deletedPools: [Located<String>] = []
    var addedRules: [AddedRule] = []
    var deletedRules: [Located<String>] = []

    var isEmpty: Bool {
        addedPools.isEmpty && changedPools.isEmpty && deletedPools.isEmpty && addedRules.isEmpty && deletedRules.isEmpty
    }

    mutating func readAdded(_ mapping: MappingReader, _ reader: LabReader) {
        addedPools = Self.pools(mapping, reader)
        addedRules = NodeDefinition.named(mapping["rules"], "the rules of nat", reader).compactMap { entry in
            guard NameRule.word.check(entry.key, "a rule of nat", at: entry.keyPosition, reader),
                let rule = MappingReader(
                    entry.value, "the rule '\(entry.key)' of nat", keys: NATDefinition.ruleKeys + ["before"], reader),
                let read = NATDefinition.rule(rule, Located(value: entry.key, position: entry.keyPosition), reader)
            else { return nil }
            let before = rule["before"].flatMap { value in
                rule.text("before").map { Located(value: $0, position: value.position) }
            }
            return AddedRule(rule: read, before: before)
        }
    }

    mutating func readChanged(_ mapping: MappingReader, _ reader: LabReader) {
        changedPools = Self.pools(mapping, reader)
    }

    private static func pools(_ mapping: MappingReader, _ reader: LabReader) -> [NATDefinition.Pool] {
        NodeDefinition.named(mapping["pools"], "the pools of nat", reader).compactMap { NATDefinition.pool($0, reader) }
    }
}

/// In the order in which messages list them.
extension PushDefinition {
    static let keys = ["add", "change", "delete"]
}
