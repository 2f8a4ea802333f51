import Configuration
import LabFile
import Wire

/// conntrackd, which replicates sessions of the kernel to a peer, or with a configuration of the lab's own.
struct ConntrackdDefinition: ProgramShortForm {
    static let name = "conntrackd"
    static let summary = "[conntrackd](#conntrackd), which replicates the kernel's sessions"
    static let keys = [
        "mode", "interface", "peer", "port", "protocols", "ignore", "external-cache", "resync", "window-tracking",
        "config",
    ]
    static let example = """
        conntrackd: { mode: notrack, interface: net, peer: server.net, port: 3780, protocols: [tcp, udp],
                      ignore: 192.0.2.99, external-cache: off, resync: on, window-tracking: on }
        """

    enum Mode: String, CaseIterable {
        /// Reliable: lost messages are sent again.
        case ftfw
        /// Best effort.
        case notrack
    }

    enum SessionProtocol: String, CaseIterable {
        case tcp, udp, icmp, icmpv6, sctp, dccp

        /// conntrackd's own.
        var word: String { self == .icmpv6 ? "IPv6-ICMP" : rawValue.uppercased() }
    }

    var mode = Mode.ftfw
    /// Of the dedicated link; nil where the peer says which.
    var interface: Located<String>?
    /// An address or a reference; nil: multicast.
    var peer: LabValue?
    var port = 3780
    var protocols: [SessionProtocol] = [.tcp, .udp, .icmp]
    /// Addresses whose sessions are not replicated, besides the node's own.
    var ignored: [LabValue] = []
    /// Whether the peer's sessions wait outside the kernel until they are committed.
    var hasExternalCache = true
    /// Whether it asks its peer for all sessions when it starts.
    var resyncs = true
    var tracksWindows = false
    /// The whole `conntrackd.conf`.
    var configuration: Located<String>?

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the program 'conntrackd'", keys: Self.keys, reader) else {
            return nil
        }
        if mapping["config"] != nil {
            configuration = WholeConfiguration.read(mapping, "conntrackd.conf", besides: [], Self.keys)
            return
        }
        mode = mapping.choice("mode") ?? mode
        if let value = mapping["interface"], let text = mapping.text("interface") {
            interface = Located(value: text, position: value.position)
        }
        peer = mapping["peer"]
        if interface == nil, peer == nil {
            reader.report(
                "the program 'conntrackd' does not know whom to replicate to", at: mapping.position,
                allowed: [
                    "'peer', an address or node.interface of the dedicated link", "'interface' of it, for multicast",
                ])
            return nil
        }
        port = mapping.integer("port", in: 1...65_535) ?? port
        if let value = mapping["protocols"] {
            protocols = reader.list(value).compactMap { reader.choice($0, of: "a protocol of 'conntrackd'") }
        }
        ignored = mapping["ignore"].map(reader.list) ?? []
        hasExternalCache = mapping.flag("external-cache") ?? hasExternalCache
        resyncs = mapping.flag("resync") ?? resyncs
        tracksWindows = mapping.flag("window-tracking") ?? tracksWindows
    }

    var ports: [TransportPort] { configuration == nil ? [TransportPort(UInt16(port), .udp)] : [] }
}
