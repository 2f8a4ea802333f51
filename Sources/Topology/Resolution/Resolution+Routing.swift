import Configuration
import LabFile
import Wire

extension Resolution {
    func rules(of definition: NodeDefinition) -> [RoutingRule] {
        let node = definition.name.value
        return definition.routing.rules.map { rule in
            var input: String?
            if let given = rule.input {
                let names = ["lo"] + definition.interfaces.map(\.name.value)
                if names.contains(given.value) {
                    input = given.value
                } else {
                    reader.reportUnknown(
                        given.value,
                        "'in' of a rule is '\(LabValue.shortened(given.value))', which '\(node)' does not have",
                        at: given.position, allowed: names)
                }
            }
            return RoutingRule(
                preference: rule.preference, from: rule.from.flatMap { selector($0, "'from' of a rule") },
                to: rule.to.flatMap { selector($0, "'to' of a rule") }, input: input, table: rule.table)
        }
    }

    func tables(of definition: NodeDefinition) -> [RoutingTable] {
        definition.routing.tables.map { table in
            RoutingTable(
                number: table.number, routes: routes(table.routes, of: definition.name.value))
        }
    }

    /// A network, an address, `node.interface`, or any reference to an address.
    private func selector(_ value: LabValue, _ what: String) -> IPv4Network? {
        guard let text = value.text else {
            reader.report(
                "\(what) is \(value.found)", at: value.position, allowed: [IPv4Network.textForm, "node.interface"])
            return nil
        }
        if let network = IPv4Network(text) { return network }
        guard let resolved = references[text + ".ip"] ?? references.resolve(text, at: value.position, reader) else {
            return nil
        }
        if let address = IPv4Address(resolved) { return IPv4InterfaceAddress(address, prefixLength: 32).network }
        reader.report(
            "\(what) is \(value.found)", at: value.position,
            allowed: [IPv4Network.textForm, IPv4Address.textForm, "node.interface"],
            suggestion: Spelling.nearest(
                to: text,
                among: references.values.map(\.reference).filter { $0.hasSuffix(".ip") }.map { String($0.dropLast(3)) })
        )
        return nil
    }
}
