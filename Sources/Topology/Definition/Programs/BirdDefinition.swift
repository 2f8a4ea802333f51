import LabFile
import LabTime

/// BIRD 2 with BGP sessions to neighbours, or with a configuration of the lab's own.
struct BirdDefinition {
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
        guard let mapping = MappingReader(value, "the program 'bird'", keys: LabKeys.bird, reader) else { return nil }
        if let value = mapping["config"] {
            guard let text = mapping.text("config") else { return nil }
            configuration = Located(value: text, position: value.position)
            for key in LabKeys.bird where key != "config" && mapping[key] != nil {
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
        guard let mapping = MappingReader(value, "the neighbor '\(name)'", keys: LabKeys.birdNeighbor, reader),
            mapping.required("as") != nil, let system = mapping.integer("as", in: systems)
        else { return nil }
        return Neighbor(
            address: address, autonomousSystem: system, preference: mapping.integer("prefer", in: 0...4_294_967_295))
    }

    /// - Parameter announced: `address/length`
    func text(routerID: String, neighbors: [Session], announced: [String]) -> String {
        let interval = detection.map { "\(max(10, $0.nanoseconds / 3_000_000)) ms" }
        let sessions = neighbors.enumerated().map { index, neighbor in
            let importing =
                neighbor.preference.map { "import filter { bgp_local_pref = \($0); accept; };" } ?? "import all;"
            // A neighbour of the same AS is told what others told, and to send it here; what this node announces, it
            // announces itself.
            let exporting =
                neighbor.autonomousSystem == autonomousSystem
                ? "next hop self;\n        export where source = RTS_BGP;"
                : "export where source ~ [ RTS_STATIC, RTS_BGP ];"
            return """
                protocol bgp neighbor\(index + 1) {
                    local \(neighbor.own) as \(autonomousSystem);
                    neighbor \(neighbor.address) as \(neighbor.autonomousSystem);
                    direct;
                    hold time \(holdTime);
                    connect delay time 0;
                    connect retry time 1;
                    error wait time 1, 2;
                \(interval == nil ? "" : "    bfd on;\n")    ipv4 {
                        \(importing)
                        \(exporting)
                    };
                }
                """
        }
        let detection = interval.map {
            """
            protocol bfd {
                interface "*" { interval \($0); multiplier 3; };
            }

            """
        }
        return """
            # Made from the lab file's short form.
            log stderr all;
            router id \(routerID);
            protocol device { scan time 1; }
            # What is announced is a route to nowhere here: the kernel gets what neighbours tell, with all equal ways.
            protocol static announced {
                ipv4;
            \(announced.map { "    route \($0) unreachable;" }.joined(separator: "\n"))
            }
            protocol kernel {
                merge paths on limit 64;
                ipv4 { import none; export where source = RTS_BGP; };
            }
            \(detection ?? "")\(sessions.joined(separator: "\n"))

            """
    }
}
