import LabFile

/// A variant as written, with what it extends already applied.
struct VariantDefinition {
    var name: Located<String>
    var shows: Variant.Purpose
    var title: String?
    /// Runs only when it is named.
    var isOnRequest = false
    /// Patches of the lab, to be laid over it in this order.
    var changes: [LabValue]
    /// The expectations as written, nested lists flattened; one with an id stands for all before it of that id.
    var expectations: [LabValue]

    static let maximumCount = 200

    /// All variants of the file; a lab without `variants` has one, `default`.
    static func read(_ root: LabValue, _ reader: LabReader) -> [VariantDefinition] {
        let common = flattened(root["expect"], reader)
        guard let value = root["variants"], !value.isNull else {
            let name = Located(value: "default", position: root.position)
            if common.count > LabLimits.expectations {
                reader.report(
                    "the lab has \(common.count) expectations", at: common[LabLimits.expectations].position,
                    allowed: ["at most \(LabLimits.expectations)"])
                return []
            }
            return [VariantDefinition(name: name, shows: .control, title: nil, changes: [], expectations: common)]
        }
        guard let entries = value.entries, !entries.isEmpty else {
            reader.report(
                "the variants are \(value.found)", at: value.position, allowed: ["a mapping with a name for each"])
            return []
        }
        if entries.count > maximumCount {
            reader.report(
                "a lab has \(entries.count) variants", at: value.position, allowed: ["at most \(maximumCount)"])
            return []
        }
        return entries.compactMap { entry in
            guard NameRule.word.check(entry.key, "a variant", at: entry.keyPosition, reader) else { return nil }
            return read(entry, among: entries, common: common, reader)
        }
    }

    private static func read(
        _ entry: LabEntry, among entries: [LabEntry], common: [LabValue], _ reader: LabReader
    ) -> VariantDefinition? {
        // From the variant itself back to the one that extends nothing.
        var chain: [(entry: LabEntry, mapping: MappingReader)] = []
        var current = entry
        while true {
            guard let mapping = MappingReader(current.value, "a variant", keys: VariantDefinition.keys, reader) else {
                return nil
            }
            chain.append((current, mapping))
            guard let base = mapping["extends"] else { break }
            guard let next = entries.first(where: { $0.key == base.text }) else {
                reader.reportUnknown(
                    base.text ?? "", "variant '\(current.key)' extends \(base.found), which is no variant",
                    at: base.position, allowed: entries.map(\.key).filter { $0 != current.key })
                return nil
            }
            if chain.contains(where: { $0.entry.key == next.key }) {
                reader.report("variant '\(current.key)' extends '\(next.key)' in a circle", at: base.position)
                return nil
            }
            current = next
        }
        let shows = chain.lazy.compactMap { link in link.mapping["shows"].map { (link.mapping, $0) } }.first
        guard let shows else {
            reader.report(
                "variant '\(entry.key)' needs the key 'shows'", at: entry.keyPosition,
                allowed: Variant.Purpose.allCases.map(\.rawValue))
            return nil
        }
        guard let purpose: Variant.Purpose = reader.choice(shows.1, of: "'shows' of a variant") else { return nil }
        var changes: [LabValue] = []
        var expectations = common
        for link in chain.reversed() {
            if let change = link.mapping["change"] { changes += check(change, reader) ? [change] : [] }
            let own = flattened(link.mapping["expect"], reader)
            let places = Set(own.map(\.position))
            for item in own {
                // Repeated ids within one list are a mistake, which is reported later; across lists they replace.
                if let id = item["id"]?.text, let index = expectations.firstIndex(where: { $0["id"]?.text == id }),
                    !places.contains(expectations[index].position)
                {
                    expectations[index] = item
                } else {
                    expectations.append(item)
                }
                guard expectations.count > LabLimits.expectations else { continue }
                reader.report(
                    "variant '\(entry.key)' has more than \(LabLimits.expectations) expectations", at: item.position,
                    allowed: ["at most \(LabLimits.expectations), inherited ones included"])
                return nil
            }
        }
        LabLimits(reader: reader).check(
            chain[0].mapping["title"]?.text, of: "title", most: LabLimits.titleLength,
            at: chain[0].mapping["title"]?.position)
        return VariantDefinition(
            name: Located(value: entry.key, position: entry.keyPosition), shows: purpose,
            title: chain[0].mapping.text("title"), isOnRequest: chain[0].mapping.flag("on-request") ?? false,
            changes: changes, expectations: expectations)
    }

    private static let changeable = LabReading.keys.filter { !["schema", "name", "variants", "expect"].contains($0) }

    private static func check(_ change: LabValue, _ reader: LabReader) -> Bool {
        MappingReader(change, "the change of a variant", keys: changeable, reader) != nil
    }

    /// A list within the list is as if its elements stood there: so an anchor can hold several.
    static func flattened(_ value: LabValue?, _ reader: LabReader) -> [LabValue] {
        guard let value, !value.isNull else { return [] }
        guard let elements = value.elements else {
            reader.report("'expect' is \(value.found)", at: value.position, allowed: ["a list of expectations"])
            return []
        }
        return elements.flatMap { $0.elements == nil ? [$0] : flattened($0, reader) }
    }
}

/// In the order in which messages list them.
extension VariantDefinition {
    static let keys = ["shows", "title", "on-request", "extends", "change", "expect"]
}
