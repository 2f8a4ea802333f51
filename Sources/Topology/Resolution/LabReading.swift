import LabFile

/// Reads the top of a lab file, and each variant with its changes applied.
struct LabReading {
    let document: LabDocument
    let reader: LabReader
    /// Of all chance, instead of the file's own; nil leaves those.
    let seed: Int?

    init(_ document: LabDocument, _ reader: LabReader, seed: Int? = nil) {
        self.document = document
        self.reader = reader
        self.seed = seed
    }

    /// nil only after something was reported.
    func read() -> Lab? {
        let root = document.root
        let anchors = (root.entries ?? []).map(\.key).filter { $0.hasPrefix(LabKeys.anchorPrefix) }
        guard let top = MappingReader(root, "a lab file", keys: LabKeys.top, anchors: anchors, reader) else {
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

        let numbers = (root["nodes"]?.entries ?? []).map(\.key)
        var variants: [Variant] = []
        var filters: [CaptureFilter] = []
        var certificates: [CertificateFiles] = []
        var absences: [AbsenceAlone] = []
        for definition in VariantDefinition.read(root, reader) {
            let reading = VariantReading(definition, root: root, lab: name, nodeOrder: numbers, seed: seed, reader)
            guard let (variant, moreFilters, moreCertificates, absence) = reading.read() else { continue }
            if let absence { absences.append(absence) }
            variants.append(variant)
            filters += moreFilters.filter { !filters.contains($0) }
            certificates += moreCertificates.filter { !certificates.contains($0) }
        }
        reader.reportSuspects()
        if variants.isEmpty, reader.errors.isEmpty {
            reader.report("the lab has no variant", at: root.position)
        }
        return Lab(
            name: name, title: top.text("title") ?? name, reference: top.text("reference"),
            summary: top.text("description"), variants: variants, filters: filters, certificates: certificates,
            absences: absences, source: document.source)
    }
}
