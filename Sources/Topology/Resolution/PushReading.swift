import Appliances
import LabFile

/// Reads a scenario's `push`:
/// ```yaml
/// push: { change: allow-web, to: [fw-b, fw-a] }                            # box by box, in this order
/// push: { change: allow-web, to: fw-a, mode: unit }                        # the pair of fw-a
/// push: { change: { fw-a: allow-web, fw-b: allow-wbe }, mode: agreement }  # each box its own
/// ```
struct PushReading {
    let nodes: [Node]
    let pushes: [Located<(name: String, change: PolicyChange)>]
    let reader: LabReader

    /// `pushes:`, by their names.
    static func changes(
        _ value: LabValue?, _ resolution: Resolution
    ) -> [Located<(name: String, change: PolicyChange)>] {
        let reader = resolution.reader
        return NodeDefinition.named(value, "the pushes", reader).compactMap { entry in
            guard NameRule.word.check(entry.key, "a push", at: entry.keyPosition, reader),
                let change = PolicyDefinition.change(entry.value, entry.key, resolution, reader)
            else { return nil }
            return Located(value: (entry.key, change), position: entry.keyPosition)
        }
    }

    func read(_ value: LabValue) -> Push? {
        guard let mapping = MappingReader(value, "a push", keys: LabKeys.push, reader),
            let change = mapping.required("change")
        else { return nil }
        let mode: Push.Mode = mapping.choice("mode") ?? .boxes
        var parts: [Push.Part] = []
        if let entries = change.entries {
            if let to = mapping["to"] {
                reader.report("'change' names the boxes already", at: to.position, allowed: ["no 'to'"])
            }
            for entry in entries {
                guard let node = firewall(entry.key, at: entry.keyPosition), let part = part(entry.value, to: node)
                else {
                    return nil
                }
                parts.append(part)
            }
        } else {
            guard let to = mapping.required("to") else { return nil }
            for element in reader.list(to) {
                guard let node = firewall(element.text ?? "", at: element.position), let part = part(change, to: node)
                else { return nil }
                parts.append(part)
            }
        }
        guard let first = parts.first else {
            reader.report("a push goes to no box", at: value.position, allowed: firewalls)
            return nil
        }
        if Set(parts.map(\.node)).count < parts.count {
            reader.report("a push goes to one box twice", at: value.position)
            return nil
        }
        guard mode != .boxes else { return Push(mode: mode, parts: parts) }
        guard let peer = peer(of: first.node), parts.dropFirst().allSatisfy({ $0.node == peer }) else {
            reader.report(
                "a push with 'mode: \(mode.rawValue)' goes to \(parts.map(\.node).joined(separator: ", "))",
                at: value.position, allowed: ["the boxes of one pair"])
            return nil
        }
        if parts.count == 1 { parts.append(Push.Part(node: peer, name: first.name, change: first.change)) }
        if mode == .unit, parts[0].change != parts[1].change {
            reader.report(
                "a push with 'mode: unit' has one change for both boxes", at: value.position,
                allowed: ["'mode: agreement' or 'mode: boxes' for a change of its own for each"])
            return nil
        }
        return Push(mode: mode, parts: parts)
    }

    private var firewalls: [String] { nodes.filter { if case .firewall = $0.role { true } else { false } }.map(\.name) }

    private func firewall(_ name: String, at position: LabFile.SourcePosition) -> String? {
        if firewalls.contains(name) { return name }
        reader.reportUnknown(
            name, "a push goes to '\(LabValue.shortened(name))', which is no firewall", at: position, allowed: firewalls
        )
        return nil
    }

    private func peer(of name: String) -> String? {
        guard case .firewall(let box) = nodes.first(where: { $0.name == name })?.role else { return nil }
        return box.redundancy?.peer
    }

    private func part(_ value: LabValue, to node: String) -> Push.Part? {
        guard let found = pushes.first(where: { $0.value.name == value.text }) else {
            reader.reportUnknown(
                value.text ?? "", "a push's change is \(value.found), which is none of the lab's 'pushes'",
                at: value.position, allowed: pushes.map(\.value.name))
            return nil
        }
        return Push.Part(node: node, name: found.value.name, change: found.value.change)
    }
}
