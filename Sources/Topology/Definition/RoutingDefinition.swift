import LabFile
import Wire

/// Policy routing as written.
///
///     routing:
///       tables: { 10: { 10.2.1.13/32: lb.first } }
///       rules:
///         - { preference: 10, from: member.first, to: member.second, table: 10 }
///         - { preference: 100, table: local }
///         - { remove: 0 }
struct RoutingDefinition {
    struct Rule {
        var preference: UInt32
        /// Addresses, networks or references.
        var from: LabValue?
        var to: LabValue?
        var input: Located<String>?
        var table: UInt32?
    }

    struct Table {
        var number: UInt32
        var routes: [NodeDefinition.Route]
    }

    var rules: [Rule] = []
    var tables: [Table] = []

    init() {}

    init?(_ value: LabValue, node: String, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the routing of '\(node)'", keys: RoutingDefinition.keys, reader)
        else {
            return nil
        }
        for entry in NodeDefinition.named(mapping["tables"], "the tables of '\(node)'", reader) {
            guard let number = UInt32(entry.key), (1...252).contains(number) else {
                reader.report(
                    "'\(LabValue.shortened(entry.key))' is no table of '\(node)'", at: entry.keyPosition,
                    allowed: ["a number from 1 to 252"])
                continue
            }
            tables.append(Table(number: number, routes: NodeDefinition.routes(entry.value, node: node, reader)))
        }
        for element in mapping["rules"].map(reader.list) ?? [] {
            if let rule = rule(element, reader) { rules.append(rule) }
        }
    }

    private func rule(_ value: LabValue, _ reader: LabReader) -> Rule? {
        guard let mapping = MappingReader(value, "a rule", keys: RoutingDefinition.ruleKeys, reader) else { return nil }
        if mapping["remove"] != nil {
            for key in RoutingDefinition.ruleKeys where key != "remove" && mapping[key] != nil {
                reader.report(
                    "'remove' takes the rule of a preference away, without '\(key)'", at: mapping.keyPosition(key))
            }
            return mapping.integer("remove", in: 0...32_767).map { Rule(preference: UInt32($0)) }
        }
        guard mapping.required("preference") != nil, let tableValue = mapping.required("table") else { return nil }
        let preference = mapping.integer("preference", in: 0...32_767)
        let known = tables.map { "\($0.number)" } + RoutingTable.named.keys.sorted()
        guard let text = tableValue.text, known.contains(text) else {
            reader.reportUnknown(
                tableValue.text ?? "", "'table' of a rule is \(tableValue.found)", at: tableValue.position,
                allowed: known)
            return nil
        }
        let input = mapping["in"].flatMap { value in
            mapping.text("in").map { Located(value: $0, position: value.position) }
        }
        return preference.map {
            Rule(
                preference: UInt32($0), from: mapping["from"], to: mapping["to"], input: input,
                table: RoutingTable.named[text] ?? UInt32(text))
        }
    }
}

/// In the order in which messages list them.
extension RoutingDefinition {
    static let keys = ["tables", "rules"]
    static let ruleKeys = ["preference", "from", "to", "in", "table", "remove"]
}
