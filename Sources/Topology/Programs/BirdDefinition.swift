import Configuration
import LabFile
import LabTime
import Wire

/// BIRD 2 with BGP sessions to neighbours, or with a configuration of the lab's own.
struct BirdDefinition: ProgramShortForm {
    static let name = "bird"
    static let summary = "[BIRD 2](#bird) with BGP and BFD"
    static let keys = ["as", "neighbors", "announce", "await", "hold-time", "detect", "config"]
    static let innerKeys = neighborKeys
    static let example = """
        bird: { as: 65001, neighbors: { server.net: { as: 65000, prefer: 200 } }, announce: 10.9.0.0/24,
                await: { 10.8.0.0/24: 1 }, hold-time: 3s, detect: 150ms }
        """
    private static let neighborKeys = ["as", "prefer"]

    /// Those of BGP and BFD. Source: RFC 4271, 4.2; RFC 5881, 4
    var ports: [TransportPort] { [TransportPort(179, .tcp), TransportPort(3784, .udp)] }

    struct Neighbor {
        /// An address or a reference.
        var address: LabValue
        var autonomousSystem: Int
        /// Local preference of what it tells; the highest wins. 100 unless given.
        var preference: Int?
    }

    /// A neighbour as `bird.conf` has it.
    struct Session {
        /// The own address on the neighbour's network.
        var own: String
        var address: String
        var autonomousSystem: Int
        var preference: Int?
    }

    var autonomousSystem = 0
    var neighbors: [Neighbor] = []
    /// Addresses, networks or references to addresses, such as `lb/web.address`.
    var announced: [LabValue] = []
    /// Networks that the node waits for before it is ready, and by how many ways.
    var awaited: [(network: LabValue, ways: Int)] = []
    /// Seconds, as BGP has them; after that a silent neighbour's routes are gone.
    var holdTime = 9
    /// Bidirectional Forwarding Detection finds a silent neighbour within this time.
    var detection: Duration?
    /// The whole `bird.conf`.
    var configuration: Located<String>?

    private static let systems = 1...4_294_967_294

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the program 'bird'", keys: Self.keys, reader) else { return nil }
        if let value = mapping["config"] {
            guard let text = mapping.text("config") else { return nil }
            configuration = Located(value: text, position: value.position)
            for key in Self.keys where key != "config" && mapping[key] != nil {
                reader.report("'config' is the whole bird.conf, '\(key)' included", at: mapping.keyPosition(key))
            }
            return
        }
        guard mapping.required("as") != nil, let neighbors = mapping.required("neighbors") else { return nil }
        autonomousSystem = mapping.integer("as", in: Self.systems) ?? 0
        for entry in NodeDefinition.named(neighbors, "the neighbors of 'bird'", reader) {
            let address = LabValue(.scalar(entry.key, isQuoted: false), at: entry.keyPosition)
            if let neighbor = Self.neighbor(entry.value, address, reader) { self.neighbors.append(neighbor) }
        }
        announced = mapping["announce"].map(reader.list) ?? []
        if let value = mapping["await"] {
            if let entries = value.entries {
                awaited = entries.compactMap { entry in
                    let network = LabValue(.scalar(entry.key, isQuoted: false), at: entry.keyPosition)
                    return reader.integer(entry.value, of: "the ways to '\(entry.key)'", in: 1...64).map {
                        (network, $0)
                    }
                }
            } else {
                awaited = reader.list(value).map { ($0, 1) }
            }
        }
        if let time = mapping.duration("hold-time", in: .seconds(3)...(.seconds(65_535))) {
            if time.nanoseconds % 1_000_000_000 != 0 {
                reader.report(
                    "'hold-time' is \(mapping["hold-time"]?.found ?? "")", at: mapping.keyPosition("hold-time"),
                    allowed: ["whole seconds, from 3s"])
            }
            holdTime = Int(time.nanoseconds / 1_000_000_000)
        }
        detection = mapping.duration("detect", in: .milliseconds(30)...(.seconds(60)))
    }

    /// `fw-a.lan: 65010`, or `fw-a.lan: { as: 65010, prefer: 200 }`.
    private static func neighbor(_ value: LabValue, _ address: LabValue, _ reader: LabReader) -> Neighbor? {
        let name = address.text ?? ""
        guard value.entries != nil else {
            return reader.integer(value, of: "the AS of neighbor '\(name)'", in: systems)
                .map { Neighbor(address: address, autonomousSystem: $0) }
        }
        guard let mapping = MappingReader(value, "the neighbor '\(name)'", keys: neighborKeys, reader),
            mapping.required("as") != nil, let system = mapping.integer("as", in: systems)
        else { return nil }
        return Neighbor(
            address: address, autonomousSystem: system, preference: mapping.integer("prefer", in: 0...4_294_967_295))
    }
}
