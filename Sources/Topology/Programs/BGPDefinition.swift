import Configuration
import LabFile
import LabTime
import Wire

/// BGP sessions of a routing daemon as written: the keys that the short forms of BIRD and FRR share.
struct BGPDefinition {
    static let keys = ["as", "neighbors", "announce", "await", "hold-time", "detect"]
    static let neighborKeys = ["as", "prefer"]
    /// Those of BGP and BFD. Source: RFC 4271, 4.2; RFC 5881, 4
    static let ports = [TransportPort(179, .tcp), TransportPort(3784, .udp)]

    struct Neighbor {
        /// An address or a reference.
        var address: LabValue
        var autonomousSystem: Int
        /// Local preference of its routes; the highest wins. Default 100.
        var preference: Int?
    }

    /// A neighbour as a daemon's configuration has it.
    struct Session {
        /// The own address on the neighbour's network.
        var own: String
        var address: String
        var autonomousSystem: Int
        var preference: Int?
    }

    /// The daemon as messages call it: `BIRD`.
    var daemon: String
    var autonomousSystem = 0
    var neighbors: [Neighbor] = []
    /// Addresses, networks or references to addresses, such as `lb/web.address`.
    var announced: [LabValue] = []
    /// Networks that the kernel must have before the node is ready, each with its number of next hops.
    var awaited: [(network: LabValue, nextHops: Int)] = []
    /// Seconds, as BGP has them; after that a silent neighbour's routes are gone.
    var holdTime = 9
    /// Bidirectional Forwarding Detection finds a silent neighbour within this time.
    var detection: Duration?

    private static let systems = 1...4_294_967_294

    init(daemon: String) { self.daemon = daemon }

    /// nil after a report.
    init?(_ mapping: MappingReader, _ name: String, daemon: String, _ reader: LabReader) {
        self.daemon = daemon
        guard mapping.required("as") != nil, let neighbors = mapping.required("neighbors") else { return nil }
        autonomousSystem = mapping.integer("as", in: Self.systems) ?? 0
        for entry in NodeDefinition.named(neighbors, "the neighbors of '\(name)'", reader) {
            let address = LabValue(.scalar(entry.key, isQuoted: false), at: entry.keyPosition)
            if let neighbor = Self.neighbor(entry.value, address, reader) { self.neighbors.append(neighbor) }
        }
        announced = mapping["announce"].map(reader.list) ?? []
        awaited = mapping["await"].map { Self.awaited($0, reader) } ?? []
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

    /// A list of networks, or each with its number of next hops.
    static func awaited(_ value: LabValue, _ reader: LabReader) -> [(network: LabValue, nextHops: Int)] {
        guard let entries = value.entries else { return reader.list(value).map { ($0, 1) } }
        return entries.compactMap { entry in
            let network = LabValue(.scalar(entry.key, isQuoted: false), at: entry.keyPosition)
            return reader.integer(entry.value, of: "the ways to '\(entry.key)'", in: 1...64).map { (network, $0) }
        }
    }
}

// MARK: Resolved

extension BGPDefinition {
    /// Milliseconds between BFD's packets: three that are missing end a session.
    var detectionInterval: Int? { detection.map { Int(max(10, $0.nanoseconds / 3_000_000)) } }

    /// The node's first address; nil after a report.
    func routerID(of node: String, at position: SourcePosition, in resolution: Resolution) -> String? {
        let addresses = (resolution.interfaces[node] ?? []).lazy.compactMap(\.address)
        guard let first = addresses.first else {
            resolution.reader.report("'\(node)' has no address for \(daemon)", at: position)
            return nil
        }
        return "\(first.address)"
    }

    func sessions(of node: String, in resolution: Resolution) -> [Session] {
        let own = resolution.interfaces[node] ?? []
        return neighbors.compactMap { neighbor in
            let hops = resolution.nextHops(neighbor.address, of: node, what: "a neighbor of \(daemon)", .ipv4)
            guard let address = hops.first?.ipv4,
                let interface = own.first(where: { $0.address?.network.contains(address) == true })?.address
            else { return nil }
            return Session(
                own: "\(interface.address)", address: "\(address)", autonomousSystem: neighbor.autonomousSystem,
                preference: neighbor.preference)
        }
    }

    /// `address/length`
    func announcements(in resolution: Resolution) -> [String] {
        announced.compactMap { network($0, "announces", resolution).map { "\($0)" } }
    }

    func readiness(in resolution: Resolution) -> [ProgramConfiguration.Readiness] {
        awaited.compactMap { awaited in
            network(awaited.network, "awaits", resolution).map { .route($0, ways: awaited.nextHops) }
        }
    }

    /// `10.9.0.0/24`, or an address or a reference to one as a network of its own.
    private func network(_ value: LabValue, _ verb: String, _ resolution: Resolution) -> IPv4Network? {
        let (references, reader, what) = (resolution.references, resolution.reader, "what \(daemon) \(verb)")
        guard let text = value.text, let resolved = references.resolve(text, at: value.position, reader) else {
            if value.text == nil {
                reader.report("\(what) is \(value.found)", at: value.position, allowed: [IPv4Network.textForm])
            }
            return nil
        }
        if let address = IPv4Address(resolved) { return IPv4InterfaceAddress(address, prefixLength: 32).network }
        if let network = IPv4Network(resolved) { return network }
        reader.report(
            "\(what) is \(value.found)", at: value.position,
            allowed: [IPv4Network.textForm, IPv4Address.textForm, "balancer/service.address"],
            suggestion: Spelling.nearest(to: text, among: references.values.map(\.reference)))
        return nil
    }
}
