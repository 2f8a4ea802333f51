import Configuration
import LabFile
import Wire

/// FRR with BGP sessions to neighbours, or with a configuration of the lab's own.
struct FRRDefinition: ProgramShortForm {
    static let name = "frr"
    static let executable = FRRDaemon.zebra.path
    static let summary = "[FRR](#frr) with BGP and BFD"
    static let keys = BGPDefinition.keys + ["config"]
    static let innerKeys = BGPDefinition.neighborKeys
    static let example = """
        frr: { as: 65001, neighbors: { server.net: { as: 65000, prefer: 200 } }, announce: 10.9.0.0/24,
               await: { 10.8.0.0/24: 1 }, hold-time: 3s, detect: 150ms }
        """

    var bgp: BGPDefinition
    /// The whole `frr.conf`.
    var configuration: Located<String>?

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the program 'frr'", keys: Self.keys, reader) else { return nil }
        if mapping["config"] != nil {
            bgp = BGPDefinition(daemon: "FRR")
            bgp.awaited = mapping["await"].map { BGPDefinition.awaited($0, reader) } ?? []
            configuration = WholeConfiguration.read(mapping, "frr.conf", besides: ["await"], Self.keys)
            return
        }
        guard let bgp = BGPDefinition(mapping, Self.name, daemon: "FRR", reader) else { return nil }
        self.bgp = bgp
    }

    var ports: [TransportPort] { BGPDefinition.ports }

    /// The daemons that `frr.conf` has something for, `zebra` and `staticd` always.
    static func daemons(for text: String) -> [FRRDaemon] {
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        return FRRDaemon.allCases.filter { daemon in
            daemon.beginnings.isEmpty
                || lines.contains { line in daemon.beginnings.contains { line == $0 || line.hasPrefix($0 + " ") } }
        }
    }
}

/// A daemon of FRR, in the order in which they start.
enum FRRDaemon: String, CaseIterable {
    case zebra, staticd, bgpd, bfdd, vrrpd, ospfd, ospf6d, isisd, ripd, pbrd

    /// Lines of `frr.conf` that need it, by their first words; none where it always runs.
    var beginnings: [String] {
        switch self {
        case .zebra, .staticd: []
        case .bgpd: ["router bgp"]
        // Also `neighbor … bfd`, which asks bgpd to ask it.
        case .bfdd: ["bfd", "router bgp"]
        case .vrrpd: ["vrrp"]
        case .ospfd: ["router ospf"]
        case .ospf6d: ["router ospf6"]
        case .isisd: ["router isis"]
        case .ripd: ["router rip"]
        case .pbrd: ["pbr-map"]
        }
    }

    var path: String { "/usr/lib/frr/\(rawValue)" }
}
