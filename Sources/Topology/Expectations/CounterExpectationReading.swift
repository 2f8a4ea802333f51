import Appliances
import Configuration
import Expectation
public import LabEvents
import LabFile

/// Reads `{ of: fw-b, name: drop.standby, minus: …, is: "> 0" }`: what a node must have counted.
struct CounterExpectationReading {
    let reader: LabReader
    let nodes: [Node]

    func read(_ value: LabValue, _ what: String) -> CounterExpectation? {
        guard let mapping = MappingReader(value, what, keys: ExpectationForm.counter.keys, reader),
            let of = mapping.required("of"), mapping.required("name") != nil, let name = mapping.text("name"),
            let number = mapping.required("is"),
            let comparison = ComparisonReading(reader: reader).integer(number, of: "'is'")
        else { return nil }
        guard let node = nodes.first(where: { $0.name == of.text }) else {
            reader.reportUnknown(
                of.text ?? "", "'of' is \(of.found), which is no node", at: of.position, allowed: nodes.map(\.name))
            return nil
        }
        let scope = node.counterScope
        let minus = mapping.text("minus")
        for (key, counter) in [("name", name), ("minus", minus)] {
            guard let counter, !scope.contains(counter) else { continue }
            refuse(counter, of: node, among: scope, at: mapping[key]?.position)
            return nil
        }
        return CounterExpectation(node: node.name, name: name, minus: minus, value: comparison)
    }

    /// Shows the counters that begin like it; where none does, the beginnings.
    private func refuse(_ counter: String, of node: Node, among scope: CounterScope, at position: SourcePosition?) {
        let names = scope.names
        func beginning(_ name: String) -> Substring { name.prefix { $0 != "." } }
        let near = names.filter { beginning($0) == beginning(counter) }
        let patterns = scope.counters.map {
            $0 == .kernel ? "a counter of the kernel, such as TcpExt.IPReversePathFilter" : $0.rawValue
        }
        reader.report(
            "\(node.name) has no counter '\(LabValue.shortened(counter))'", at: position,
            allowed: near.isEmpty ? patterns : near, suggestion: Spelling.nearest(to: counter, among: names))
    }
}

extension Node {
    /// The counters that its process reports.
    public var counterScope: CounterScope {
        var scope = role.configuration.counterScope(of: self)
        if hasWireSide || isElement { scope.add(.packetIO) }
        return scope
    }
}
