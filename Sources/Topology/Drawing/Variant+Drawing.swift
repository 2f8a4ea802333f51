import Configuration
import Impairment
import Measurement
import Wire

/// A variant's topology for people and for programs that draw.
public enum DrawingFormat: String, CaseIterable, Sendable {
    /// Characters, and a table of what cannot be drawn.
    case text
    /// The language of Graphviz.
    case dot
    /// The language that Markdown on many sites shows as a picture.
    case mermaid
}

extension Variant {
    public func drawing(as format: DrawingFormat) -> String {
        switch format {
        case .text: TextDrawing(TopologyGraph(self)).text + "\n" + interfaces + served
        case .dot: dot
        case .mermaid: mermaid
        }
    }

    // MARK: Text

    private var interfaces: String {
        var rows: [[String]] = []
        for node in nodes {
            for (number, interface) in node.interfaces.enumerated() {
                let faults = elements.filter {
                    $0.cable == InterfaceReference(node: node.name, interface: interface.name)
                }
                rows.append([
                    number == 0 ? node.name : "", number == 0 ? node.role.word : "", interface.name,
                    interface.addressText, "\(interface.mac)",
                    faults.map { "in-line element" + ($0.rules.isEmpty ? "" : ": \($0.ruleNames)") }.joined(),
                ])
            }
        }
        return Self.table(rows)
    }

    /// What answers at which port; begins with an empty line where anything does.
    private var served: String {
        let rows = servedPorts.map { [$0.node, $0.port, $0.server] }
        return rows.isEmpty ? "" : "\n" + Self.table(rows)
    }

    private static func table(_ rows: [[String]]) -> String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(
                separator: "  ")
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    // MARK: Graphviz and Mermaid

    private var dot: String {
        var lines = ["graph \(Self.quoted(name)) {", "  rankdir=LR;", "  node [fontname=\"Helvetica\"];"]
        for node in nodes {
            lines.append(
                "  \(Self.quoted(node.name)) [shape=box, label=\(Self.quoted("\(node.name)\n\(node.role.word)"))];")
        }
        for network in networks {
            lines.append(
                "  \(Self.quoted("network \(network.name)")) [shape=ellipse, label=\(Self.quoted("\(network.name)\n\(network.subnetText)"))];"
            )
        }
        for edge in edges {
            lines.append(
                "  \(Self.quoted(edge.node)) -- \(Self.quoted("network \(edge.network)")) [label=\(Self.quoted(edge.label))];"
            )
        }
        return lines.joined(separator: "\n") + "\n}\n"
    }

    private var mermaid: String {
        var lines = ["graph LR"]
        for (number, node) in nodes.enumerated() {
            lines.append("  n\(number)[\"\(node.name)<br/>\(node.role.word)\"]")
        }
        for (number, network) in networks.enumerated() {
            lines.append("  s\(number)([\"\(network.name)<br/>\(network.subnetText)\"])")
        }
        for edge in edges {
            guard let node = nodes.firstIndex(where: { $0.name == edge.node }),
                let network = networks.firstIndex(where: { $0.name == edge.network })
            else { continue }
            lines.append("  n\(node) ---|\"\(edge.label.replacing("\n", with: "<br/>"))\"| s\(network)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Each interface, in the order of the nodes.
    private var edges: [(node: String, network: String, label: String)] {
        nodes.flatMap { node in
            node.interfaces.map { interface in
                let reference = InterfaceReference(node: node.name, interface: interface.name)
                let rules = elements.first { $0.cable == reference }.map { "\nfaults: \($0.ruleNames)" } ?? ""
                let name = interface.name == interface.network ? "" : "\(interface.name) "
                return (node.name, interface.network, name + interface.addressText + rules)
            }
        }
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
    }
}

extension CableElement {
    fileprivate var ruleNames: String { rules.isEmpty ? "none yet" : rules.map(\.name).joined(separator: ", ") }
}

extension Interface {
    fileprivate var addressText: String {
        addresses.isEmpty ? "no address" : addresses.map { "\($0)" }.joined(separator: ", ")
    }
}

extension Network {
    fileprivate var subnetText: String { subnets.map { "\($0)" }.joined(separator: ", ") }
}
