import Dataplane
import LabFile
import Wire

/// The end of a member's tunnels as written.
struct TunnelDefinition {
    enum End: String, CaseIterable {
        /// The project's own, in the node's process.
        case dataplane
        /// A tunnel device of the kernel, where it has one.
        case kernel
    }

    var encapsulation: Encapsulation
    var end: Located<End>
    /// Balancers, addresses or references; those of the services that the node is a member of unless given.
    var from: [LabValue]?
    /// Of the kernel's interface `tunnel`.
    var address: LabValue?
    var clampsSegmentSize: Bool
    var position: SourcePosition

    /// `tunnel: ipip`, or a mapping with what differs from the defaults.
    init?(_ value: LabValue, _ reader: LabReader) {
        position = value.position
        end = Located(value: .dataplane, position: value.position)
        clampsSegmentSize = false
        if value.text != nil {
            guard let mode = reader.choice(value, of: "a tunnel", as: Encapsulation.self) else { return nil }
            encapsulation = mode
            return
        }
        guard let mapping = MappingReader(value, "a tunnel", keys: TunnelDefinition.keys, reader),
            mapping.required("mode") != nil, let mode: Encapsulation = mapping.choice("mode")
        else { return nil }
        encapsulation = mode
        if let written = mapping["end"], let end: End = mapping.choice("end") {
            self.end = Located(value: end, position: written.position)
        }
        from = mapping["from"].map { reader.list($0) }
        address = mapping["address"]
        clampsSegmentSize = mapping.flag("clamp-mss") ?? false
        if end.value == .kernel {
            for key in ["clamp-mss", "from"] where mapping[key] != nil {
                reader.report(
                    "'\(key)' belongs to a tunnel that ends in the dataplane; this one is the kernel's",
                    at: mapping.keyPosition(key))
            }
        }
    }
}

/// In the order in which messages list them.
extension TunnelDefinition {
    static let keys = ["mode", "end", "from", "address", "clamp-mss"]
}
