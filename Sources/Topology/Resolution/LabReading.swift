import LabFile

/// Reads the top of a lab file, and each variant with its changes applied.
struct LabReading {
    let document: LabDocument
    let reader: LabReader
    /// Of all chance, instead of the file's own; nil leaves those.
    let seed: Int?
    /// A run's own file, of one variant alone.
    let isSaved: Bool

    init(_ document: LabDocument, _ reader: LabReader, seed: Int? = nil, isSaved: Bool = false) {
        self.document = document
        self.reader = reader
        self.seed = seed
        self.isSaved = isSaved
    }

    /// nil only after something was reported.
    func read() -> Lab? {
        let root = document.root
        let anchors = LabReading.anchorPrefix
        guard let top = MappingReader(root, "a lab file", keys: LabReading.keys, anchors: anchors, reader) else {
            return nil
        }
        if let schema = top.required("schema"), schema.text != "1" {
            reader.report("'schema' is \(schema.found)", at: schema.position, allowed: ["1"])
        }
        guard let nameValue = top.required("name"), let name = top.text("name"),
            NameRule.word.check(name, "a lab", at: nameValue.position, reader)
        else { return nil }
        let (networks, nodes) = (top.required("networks"), top.required("nodes"))
        // Everything else refers to these.
        guard networks != nil, nodes != nil else { return nil }

        let limits = LabLimits(reader: reader)
        for (key, most) in [
            ("title", LabLimits.titleLength), ("reference", LabLimits.titleLength),
            ("description", LabLimits.descriptionLength),
        ] { limits.check(root[key]?.text, of: key, most: most, at: root[key]?.position) }
        let definitions = VariantDefinition.read(root, reader)
        let values = root.entries?.reduce(0) { sum, entry in
            ["variants", "expect"].contains(entry.key) || entry.key.hasPrefix(anchors) ? sum : sum + entry.value.count
        }
        if let values, values * definitions.count > LabLimits.valuesOfVariants {
            reader.report(
                "the lab has \(values) values and \(definitions.count) variants, each of which reads them all",
                at: root["variants"]?.position,
                allowed: ["at most \(LabLimits.valuesOfVariants) for values × variants", "several lab files"])
            return nil
        }

        let numbers = (root["nodes"]?.entries ?? []).map(\.key)
        var variants: [Variant] = []
        var filters: [CaptureFilterDefinition] = []
        var known = Set<CaptureFilterDefinition>()
        var certificates: [CertificateFiles] = []
        var absences: [AbsenceAlone] = []
        for definition in definitions {
            let reading = VariantReading(definition, root: root, lab: name, nodeOrder: numbers, seed: seed, reader)
            guard let (variant, moreFilters, moreCertificates, absence) = reading.read() else { continue }
            if let absence { absences.append(absence) }
            variants.append(variant)
            filters += moreFilters.filter { known.insert($0).inserted }
            certificates += moreCertificates.filter { !certificates.contains($0) }
        }
        checkTotal(of: filters)
        if !isSaved { reader.reportSuspects() }
        if variants.isEmpty, reader.errors.isEmpty {
            reader.report("the lab has no variant", at: root.position)
        }
        return Lab(
            name: name, title: top.text("title") ?? name, reference: top.text("reference"),
            summary: top.text("description"), variants: variants, filters: filters, certificates: certificates,
            absences: absences, source: document.source)
    }

    /// Each of them is compiled, which takes the longer the more they say.
    private func checkTotal(of filters: [CaptureFilterDefinition]) {
        var known = Set<String>()
        var total = 0
        for filter in filters where known.insert(filter.text).inserted {
            guard filter.text.utf8.count <= LabLimits.filter else {
                reader.report(
                    "a filter has \(filter.text.utf8.count) characters", at: filter.position,
                    allowed: [
                        "at most \(LabLimits.filter), references replaced: 'net' and 'portrange' select more at once"
                    ])
                continue
            }
            total += filter.text.utf8.count
            guard total > LabLimits.filters else { continue }
            return reader.report(
                "the lab's capture filters have more than \(LabLimits.filters) characters together",
                at: filter.position,
                allowed: ["at most \(LabLimits.filters), equal ones counted once"])
        }
    }
}

/// In the order in which messages list them.
extension LabReading {
    static let keys = [
        "schema", "name", "title", "reference", "description", "timers", "seed", "networks", "nodes", "traffic",
        "faults",
        "pushes", "scenario", "expect", "variants", "capture",
    ]
    /// Top-level keys with this prefix only hold values for anchors.
    static let anchorPrefix = "x-"
}
