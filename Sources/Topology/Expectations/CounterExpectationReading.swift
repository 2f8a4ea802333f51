import Appliances
import Configuration
import Expectation
public import LabEvents
import LabFile

/// Reads `{ of: fw-b, name: drop.standby, minus: …, is: "> 0" }`: what a node, or a program of it as `fw-b/nftables`, must
/// have counted.
struct CounterExpectationReading {
    let reader: LabReader
    let nodes: [Node]

    func read(_ value: LabValue, _ what: String) -> CounterExpectation? {
        guard let mapping = MappingReader(value, what, keys: ExpectationForm.counter.keys, reader),
            let of = mapping.required("of"), mapping.required("name") != nil, let written = mapping.text("name"),
            let number = mapping.required("is"),
            let comparison = ComparisonReading(reader: reader).integer(number, of: "'is'")
        else { return nil }
        guard let (node, prefix) = owner(of) else { return nil }
        let scope = node.counterScope
        let minus = mapping.text("minus").map { prefix + $0 }
        let name = prefix + written
        for (key, counter) in [("name", name), ("minus", minus)] {
            guard let counter, !scope.contains(counter) else { continue }
            refuse(counter, of: node, among: scope, at: mapping[key]?.position)
            return nil
        }
        return CounterExpectation(node: node.name, name: name, minus: minus, value: comparison)
    }

    /// A node, or a program of one, whose counters begin with its name.
    private func owner(_ value: LabValue) -> (node: Node, prefix: String)? {
        if let node = nodes.first(where: { $0.name == value.text }) { return (node, "") }
        let programs = nodes.flatMap { node in
            node.programs.map {
                (node: node, program: $0, name: "\(ProgramReference(node: node.name, program: $0.name))")
            }
        }
        guard let found = programs.first(where: { $0.name == value.text }) else {
            let counting = programs.filter { !$0.program.counters.isEmpty }.map(\.name)
            reader.reportUnknown(
                value.text ?? "", "'of' is \(value.found), which is no node and no program of one", at: value.position,
                allowed: nodes.map(\.name) + counting)
            return nil
        }
        guard !found.program.counters.isEmpty else {
            reader.report(
                "the program \(found.name) has no counters", at: value.position,
                allowed: ["'counters' of the program: a command that prints them"])
            return nil
        }
        return (found.node, found.program.name + "/")
    }

    /// Shows the counters that begin like it; where none does, the beginnings.
    private func refuse(_ counter: String, of node: Node, among scope: CounterScope, at position: SourcePosition?) {
        let names = scope.names
        let group = CounterExpectation.group(of: counter)
        let near = names.filter { CounterExpectation.group(of: $0) == group }
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
        for program in programs {
            let words = program.counterNames.map { name in
                name.map { [.program: program.name, .name: $0] } ?? [CounterPlaceholder.program: program.name]
            }
            if !words.isEmpty { scope.add(.program, words) }
        }
        return scope
    }
}
