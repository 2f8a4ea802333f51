import Configuration
import LabFile
import Wire

/// BIRD 2 with BGP sessions to neighbours, or with a configuration of the lab's own.
struct BirdDefinition: ProgramShortForm {
    static let name = "bird"
    static let summary = "[BIRD 2](#bird) with BGP and BFD"
    static let keys = BGPDefinition.keys + ["config"]
    static let innerKeys = BGPDefinition.neighborKeys
    static let example = """
        bird: { as: 65001, neighbors: { server.net: { as: 65000, prefer: 200 } }, announce: 10.9.0.0/24,
                await: { 10.8.0.0/24: 1 }, hold-time: 3s, detect: 150ms }
        """

    var ports: [TransportPort] { BGPDefinition.ports }
    var bgp: BGPDefinition
    /// The whole `bird.conf`.
    var configuration: Located<String>?

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the program 'bird'", keys: Self.keys, reader) else { return nil }
        if let value = mapping["config"] {
            guard let text = mapping.text("config") else { return nil }
            configuration = Located(value: text, position: value.position)
            for key in Self.keys where key != "config" && mapping[key] != nil {
                reader.report("'config' is the whole bird.conf, '\(key)' included", at: mapping.keyPosition(key))
            }
            bgp = BGPDefinition(daemon: "BIRD")
            return
        }
        guard let bgp = BGPDefinition(mapping, Self.name, daemon: "BIRD", reader) else { return nil }
        self.bgp = bgp
    }
}
