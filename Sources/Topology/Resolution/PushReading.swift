import Configuration
import LabFile

/// Reads a scenario's `push`:
/// ```yaml
/// push: { change: allow-web, to: [fw-b, fw-a] }                            # box by box, in this order
/// push: { change: allow-web, to: fw-a, mode: unit }                        # the pair of fw-a
/// push: { change: { fw-a: allow-web, fw-b: allow-wbe }, mode: agreement }  # each box its own
/// ```
struct PushReading {
    let nodes: [Node]
    let pushes: [LabPush]
    let reader: LabReader

    func read(_ value: LabValue) -> Push? {
        guard let mapping = MappingReader(value, "a push", keys: PushReading.keys, reader),
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
        if parts.count == 1, let push = pushes.first(where: { $0.name == first.name }) {
            parts.append(Push.Part(node: peer, name: first.name, change: push.change(of: peer)))
        }
        // Two forms of one change differ where it names a box's own address.
        if mode == .unit, parts[0].name != parts[1].name, parts[0].change != parts[1].change {
            reader.report(
                "a push with 'mode: unit' has one change for both boxes", at: value.position,
                allowed: ["'mode: agreement' or 'mode: boxes' for a change of its own for each"])
            return nil
        }
        return Push(mode: mode, parts: parts)
    }

    private var firewalls: [String] { nodes.filter { $0.role.firewall != nil }.map(\.name) }

    private func firewall(_ name: String, at position: LabFile.SourcePosition) -> String? {
        if firewalls.contains(name) { return name }
        reader.reportUnknown(
            name, "a push goes to '\(LabValue.shortened(name))', which is no firewall", at: position, allowed: firewalls
        )
        return nil
    }

    private func peer(of name: String) -> String? {
        nodes.first { $0.name == name }?.role.firewall?.redundancy?.peer
    }

    private func part(_ value: LabValue, to node: String) -> Push.Part? {
        guard let found = pushes.first(where: { $0.name == value.text }) else {
            reader.reportUnknown(
                value.text ?? "", "a push's change is \(value.found), which is none of the lab's 'pushes'",
                at: value.position, allowed: pushes.map(\.name))
            return nil
        }
        return Push.Part(node: node, name: found.name, change: found.change(of: node))
    }
}

/// One of the lab's `pushes`, for whichever box it goes to.
struct LabPush {
    let name: String
    private let policy: PolicyChange
    private let nat: (String) -> NATChange

    init(_ definition: PushDefinition, among all: [PushDefinition], _ resolution: Resolution) {
        name = definition.name
        var change = definition.change
        change.addedObjects = definition.objects.map(resolution.object)
        policy = change
        let pushes = all.map(\.nat)
        nat = { resolution.change(definition.nat, of: $0, among: pushes) }
    }

    func change(of node: String) -> PolicyChange {
        var change = policy
        change.nat = nat(node)
        return change
    }
}

/// In the order in which messages list them.
extension PushReading {
    static let keys = ["change", "to", "mode"]
}
