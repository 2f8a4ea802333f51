import LabFile

/// Reads `capture:`; without it every interface is captured whole.
struct CaptureReading {
    static let wholeFrame = 262_144

    static func read(_ value: LabValue?, nodes: [Node], elements: [CableElement], _ reader: LabReader)
        -> CaptureSelection
    {
        let ofNodes = nodes.flatMap { node in
            node.capturedInterfaces.map { InterfaceReference(node: node.name, interface: $0) }
        }
        let all = ofNodes + elements.flatMap(\.ports)
        var selection = CaptureSelection(interfaces: all, snapshotLength: wholeFrame)
        guard let value, !value.isNull,
            let mapping = MappingReader(value, "capture", keys: CaptureReading.keys, reader)
        else { return selection }
        if let length = mapping.integer("snapshot-length", in: 64...wholeFrame) { selection.snapshotLength = length }
        if let on = mapping["on"], on.text != "all" {
            let interfaces = InterfaceReading(nodes: nodes, elements: elements, allowsTunnels: true, reader: reader)
            let chosen = Set(reader.list(on).compactMap { interfaces.read($0, of: "on") })
            selection.interfaces = all.filter(chosen.contains)
        }
        return selection
    }
}

/// In the order in which messages list them.
extension CaptureReading {
    static let keys = ["on", "snapshot-length"]
}
