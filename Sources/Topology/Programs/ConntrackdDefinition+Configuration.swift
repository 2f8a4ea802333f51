import Configuration
import LabFile
import Wire

extension ConntrackdDefinition {
    private static let folder = "/run/\(name)"
    private static let file = "conntrackd.conf"
    /// What keepalived runs at a change of state.
    static let notify = "/bin/sh \(folder)/notify.sh"

    func program(
        _ name: Located<String>, of node: String, in resolution: Resolution
    ) -> ProgramConfiguration? {
        let text: String
        if let own = configuration {
            text = resolution.references.resolve(text: own.value, at: own.position, resolution.reader)
        } else {
            guard let lines = self.text(of: node, in: resolution) else { return nil }
            text = lines
        }
        var program = ProgramConfiguration(
            name: Self.name, command: ["conntrackd", "-C", "\(Self.folder)/\(Self.file)"],
            files: [
                .init(name: Self.file, text: text, isShared: true),
                .init(name: "notify.sh", text: Self.notifyScript, isShared: true),
            ],
            readiness: Self.socket(in: text).map { [.socket(path: $0)] } ?? [],
            events: [
                .init(name: "committed", pattern: #"Committed (?<sessions>\d+) new entries"#),
                .init(name: "commit-failed", pattern: #"(?<sessions>\d+) entries can't be committed"#),
                .init(name: "resync-requested", pattern: "resync requested by other node"),
                .init(name: "bulk-sent", pattern: "sending bulk update"),
                .init(name: "link-lost", pattern: "no dedicated links available"),
            ])
        program.counters = [
            .init(["conntrackd", "-C", "\(Self.folder)/\(Self.file)", "-s"], pattern: Self.statistics)
        ]
        return program
    }

    /// Of its statistics: sessions of the own kernel, and those of the peer. Without a cache they have other heads, and
    /// no number of sessions at the moment.
    private static let statistics =
        #"^(?:cache )?(?<name>internal|external)(?: bypass| inject)?:\s+"#
        + #"(?:current active connections:\s+(?<active>\d+)\s+)?"#
        + ["created", "updated", "destroyed"].map { #"connections \#($0):\s+(?<\#($0)>\d+)\s+failed:\s+\d+"# }
        .joined(separator: #"\s+"#)

    /// The path of its control socket.
    private static func socket(in text: String) -> String? {
        let words = text.split { $0.isWhitespace || $0 == "{" || $0 == "}" }
        return words.firstIndex(of: "Path").flatMap { words.indices.contains($0 + 1) ? String(words[$0 + 1]) : nil }
    }

    // MARK: The file

    private func text(of node: String, in resolution: Resolution) -> String? {
        let before = resolution.reader.reports
        guard let link = link(of: node, in: resolution) else { return nil }
        var modeLines = [
            "StartupResync \(Self.word(resyncs))", "DisableExternalCache \(Self.word(!hasExternalCache))",
        ]
        if mode == .notrack { modeLines.append("DisableInternalCache no") }
        let lines =
            ["# Made from the lab file's short form."]
            + Self.block(
                "Sync",
                Self.block("Mode \(mode.rawValue.uppercased())", modeLines) + link
                    + Self.block("Options", ["TCPWindowTracking \(Self.word(tracksWindows))"]))
            + Self.block(
                "General",
                // In the foreground it also prints what it logs.
                ["HashSize 8192", "HashLimit 131072", "LogFile no", "Syslog no", "LockFile \(Self.folder)/lock"]
                    + Self.block("UNIX", ["Path \(Self.folder)/ctl"])
                    + Self.block(
                        "Filter From Userspace",
                        Self.block("Protocol Accept", protocols.map(\.word))
                            + Self.block("Address Ignore", ignoredAddresses(of: node, in: resolution))))
        return resolution.reader.reports == before ? lines.joined(separator: "\n") + "\n" : nil
    }

    /// The section of the dedicated link; nil after a report.
    private func link(of node: String, in resolution: Resolution) -> [String]? {
        let interfaces = resolution.interfaces[node] ?? []
        if let interface, !interfaces.contains(where: { $0.name == interface.value }) {
            resolution.reader.reportUnknown(
                interface.value,
                "conntrackd is to use '\(LabValue.shortened(interface.value))', which '\(node)' does not have",
                at: interface.position, allowed: interfaces.map(\.name), isOnce: true)
            return nil
        }
        guard let peer else {
            guard let own = interfaces.first(where: { $0.name == interface?.value }), let address = own.address else {
                resolution.reader.report(
                    "conntrackd's multicast needs an IPv4 address on '\(interface?.value ?? "")'",
                    at: interface?.position)
                return nil
            }
            return Self.block(
                "Multicast",
                [
                    "IPv4_address 225.0.0.50", "Group \(port)", "IPv4_interface \(address.address)",
                    "Interface \(own.name)", "Checksum on",
                ])
        }
        guard let address = resolution.nextHops(peer, of: node, what: "the peer of conntrackd", nil).first else {
            return nil
        }
        let own = interfaces.filter { interface == nil || $0.name == interface?.value }.compactMap { interface in
            interface.address(address.family).map { (name: interface.name, address: $0) }
        }.first { $0.address.network.contains(address) }
        guard let own else {
            resolution.reader.report(
                "the peer of conntrackd is \(address), which is on no network of '\(interface?.value ?? node)'",
                at: peer.position, allowed: ["an address of the dedicated link, such as node.interface"])
            return nil
        }
        let family = address.isIPv4 ? "IPv4" : "IPv6"
        return Self.block(
            "UDP",
            [
                "\(family)_address \(own.address.address)", "\(family)_Destination_Address \(address)", "Port \(port)",
                "Interface \(own.name)", "Checksum on",
            ])
    }

    /// What the node itself sends and receives is no session to replicate. Virtual addresses stay: a translated session
    /// has one.
    private func ignoredAddresses(of node: String, in resolution: Resolution) -> [String] {
        let own = (resolution.interfaces[node] ?? []).flatMap(\.addresses).map(\.address)
        let further = ignored.compactMap { value -> IPAddress? in
            let text = value.text.flatMap { resolution.references.resolve($0, at: value.position, resolution.reader) }
            guard let text else { return nil }
            guard let address = IPAddress(text) else {
                resolution.reader.report(
                    "an address that conntrackd ignores is \(value.found)", at: value.position,
                    allowed: [IPAddress.textForm, "a reference to one"])
                return nil
            }
            return address
        }
        return ["IPv4_address 127.0.0.1", "IPv6_address ::1"]
            + (own + further).map { "\($0.isIPv4 ? "IPv4" : "IPv6")_address \($0)" }
    }

    private static func word(_ isOn: Bool) -> String { isOn ? "yes" : "no" }

    private static func block(_ head: String, _ lines: [String]) -> [String] {
        ["\(head) {"] + lines.map { "    \($0)" } + ["}"]
    }

    // MARK: The action of keepalived

    /// Does what `primary-backup.sh` of conntrack-tools does, at what keepalived passes to `notify`: `INSTANCE lan MASTER
    /// 200`.
    private static let notifyScript = """
        # The usual action at a change of state, as in primary-backup.sh of conntrack-tools.
        state=$3
        order() { conntrackd -C \(folder)/\(file) "$1" || echo "conntrackd $1 failed" >&2; }
        # keepalived may be faster where a node starts.
        for i in 1 2 3 4 5 6 7 8 9 10; do conntrackd -C \(folder)/\(file) -s >/dev/null 2>&1 && break; sleep 0.2; done
        case "$state" in
            # Into the kernel; the caches anew; what the kernel has; everything to the peer.
            MASTER) order -c; order -f; order -R; order -B ;;
            # Let the kernel forget its sessions; ask the peer for all.
            BACKUP) order -t; order -n ;;
            FAULT) order -t ;;
        esac

        """
}
