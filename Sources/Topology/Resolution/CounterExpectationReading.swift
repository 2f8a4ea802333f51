import Expectation
import LabFile

/// Reads `{ of: fw-b, name: drop.standby, minus: …, is: "> 0" }`: what a node must have counted.
struct CounterExpectationReading {
    let reader: LabReader
    let nodes: [Node]

    func read(_ value: LabValue, _ what: String) -> CounterExpectation? {
        guard let mapping = MappingReader(value, what, keys: LabKeys.counter, reader),
            let of = mapping.required("of"), mapping.required("name") != nil, let name = mapping.text("name"),
            let number = mapping.required("is"),
            let comparison = ComparisonReading(reader: reader).integer(number, of: "'is'")
        else { return nil }
        guard let node = nodes.first(where: { $0.name == of.text }) else {
            reader.reportUnknown(
                of.text ?? "", "'of' is \(of.found), which is no node", at: of.position, allowed: nodes.map(\.name))
            return nil
        }
        for (key, text) in [("name", name), ("minus", mapping.text("minus") ?? "a.b")]
        where !text.contains(".") && !node.isBox {
            reader.report(
                "'\(key)' is \(mapping[key]?.found ?? "nothing")", at: mapping.keyPosition(key),
                allowed: [
                    "a counter of the kernel, such as TcpExt.IPReversePathFilter",
                    "a counter of a box, such as drop.no-route",
                ])
            return nil
        }
        return CounterExpectation(node: node.name, name: name, minus: mapping.text("minus"), value: comparison)
    }
}
