import Configuration
import LabEvents
import LabFile
import Wire

extension FRRDefinition {
    func program(
        _ name: Located<String>, of node: String, in resolution: Resolution
    ) -> ProgramConfiguration? {
        let text: String
        var readiness = [ProgramConfiguration.Readiness.output(pattern: "^\(FRRStart.loaded)$")]
        if let own = configuration {
            text = resolution.references.resolve(text: own.value, at: own.position, resolution.reader)
        } else {
            guard let routerID = bgp.routerID(of: node, at: name.position, in: resolution) else { return nil }
            let sessions = bgp.sessions(of: node, in: resolution)
            text = self.text(
                of: node, routerID: routerID, sessions: sessions, announced: bgp.announcements(in: resolution))
            if bgp.detection != nil, !bgp.awaited.isEmpty {
                readiness += sessions.map { Self.detects($0) }
            }
        }
        let daemons = Self.daemons(for: text)
        var program = ProgramConfiguration(
            name: Self.name, command: ["bash", ProgramConfiguration.folderWord + "/" + FRRStart.file],
            files: [
                .init(name: "frr.conf", text: text), .init(name: FRRStart.file, text: FRRStart(daemons: daemons).text),
                // vtysh and the daemons miss files of these names.
                .init(name: "vtysh.conf", text: ""), .init(name: "empty.conf", text: ""),
                .init(name: "events.conf", text: daemons.contains(.bfdd) ? "debug bfd peer\n" : ""),
            ],
            readiness: readiness + bgp.readiness(in: resolution), package: "frr", scratch: ["/etc/frr"],
            events: Self.events)
        program.executables = daemons.map(\.path)
        program.keepsUser = true
        return program
    }

    /// What bgpd logs with `bgp log-neighbor-changes`, and bfdd with `debug bfd peer`.
    private static let events: [ProgramConfiguration.OutputEvent] = [
        .init(name: "established", pattern: "%ADJCHANGE: neighbor (?<neighbor>[^( ]+)\\S* in vrf \\S+ Up"),
        .init(name: "lost", pattern: "%ADJCHANGE: neighbor (?<neighbor>[^( ]+)\\S* in vrf \\S+ Down (?<reason>.*)"),
        .init(name: "bfd-up", pattern: "state-change: \\[.*peer:(?<neighbor>\\S+) .*\\] \\S+ -> up"),
        .init(
            name: "bfd-down",
            pattern: "state-change: \\[.*peer:(?<neighbor>\\S+) .*\\] up -> \\S+( reason:(?<reason>\\S+))?"),
        .init(name: "master", pattern: "\\[VRID (?<instance>\\d+)\\] .*-> Master"),
        .init(name: EventKind.backup.word, pattern: "\\[VRID (?<instance>\\d+)\\] .*-> Backup"),
    ]

    /// bgpd asks for a BFD session without a local address, and for another one when the BGP session is established:
    /// the neighbour sees the first one go down, and closes the BGP session. Only the second one stays.
    private static func detects(_ session: BGPDefinition.Session) -> ProgramConfiguration.Readiness {
        func quoted(_ address: String) -> String { address.replacing(".", with: "\\.") }
        return .output(
            pattern: "peer:\(quoted(session.address)) local:\(quoted(session.own)) .*\\] \\S+ -> up")
    }

    private func text(
        of node: String, routerID: String, sessions: [BGPDefinition.Session], announced: [String]
    ) -> String {
        let preferences = Set(sessions.compactMap(\.preference)).sorted()
        var lines = [
            "! Made from the lab file's short form.", "frr defaults datacenter", "hostname \(node)",
        ]
        for preference in preferences {
            lines += ["route-map prefer-\(preference) permit 10", " set local-preference \(preference)", "exit"]
        }
        // What this node announces itself has an empty path.
        lines += ["bgp as-path access-list learned seq 5 deny ^$", "bgp as-path access-list learned seq 10 permit .*"]
        lines += [
            "router bgp \(bgp.autonomousSystem)", " bgp router-id \(routerID)", " bgp log-neighbor-changes",
            " no bgp ebgp-requires-policy", " no bgp network import-check", " bgp bestpath as-path multipath-relax",
        ]
        for session in sessions {
            let keepalive = max(1, bgp.holdTime / 3)
            var settings = [
                "remote-as \(session.autonomousSystem)", "update-source \(session.own)",
                "timers \(keepalive) \(bgp.holdTime)", "timers connect 1", "advertisement-interval 0",
            ]
            if let interval = bgp.detectionInterval { settings.append("bfd 3 \(interval) \(interval)") }
            lines += settings.map { " neighbor \(session.address) \($0)" }
        }
        lines += [" address-family ipv4 unicast"] + announced.map { "  network \($0)" }
        lines += ["  maximum-paths 64", "  maximum-paths ibgp 64"]
        for session in sessions {
            var settings: [String] = []
            // A neighbour of the same AS gets what others sent, by this node; what this node announces, it announces
            // itself.
            if session.autonomousSystem == bgp.autonomousSystem {
                settings += ["next-hop-self", "filter-list learned out"]
            }
            if let preference = session.preference { settings.append("route-map prefer-\(preference) in") }
            lines += settings.map { "  neighbor \(session.address) \($0)" }
        }
        lines += [" exit-address-family", "exit"]
        return lines.joined(separator: "\n") + "\n"
    }
}

/// The script that runs FRR's daemons in the foreground: it starts them, has vtysh load `frr.conf`, and ends with the
/// first of them that ends.
struct FRRStart {
    static let file = "start"
    static let loaded = "FRR has its configuration"

    var daemons: [FRRDaemon]

    var text: String {
        """
        # Starts FRR's daemons, loads frr.conf, and ends when one of them ends.
        set -u
        folder="\(ProgramConfiguration.folderWord)"
        run=/run/frr
        mkdir -p "$run"
        declare -A pids

        # listens PATH: whether a Unix socket accepts connections there.
        listens() {
            local flags path
            while read -r _ _ _ flags _ _ _ path; do
                [ "$flags" = 00010000 ] && [ "$path" = "$1" ] && return
            done < /proc/self/net/unix
            return 1
        }

        # await PATH DAEMON
        await() {
            until listens "$1"; do
                kill -0 "${pids[$2]}" 2> /dev/null || { echo "$2 did not start"; exit 1; }
                sleep 0.02
            done
        }

        for daemon in \(daemons.map(\.rawValue).joined(separator: " ")); do
            "/usr/lib/frr/$daemon" -u frr -g frr -F datacenter -f "$folder/empty.conf" --log stdout --log-level debug \\
                -i "$run/$daemon.pid" -z "$run/zserv.api" --vty_socket "$run" &
            pids[$daemon]=$!
            # One that does not find it tries again after ten seconds.
            [ "$daemon" != zebra ] || await "$run/zserv.api" zebra
        done
        for daemon in "${!pids[@]}"; do await "$run/$daemon.vty" "$daemon"; done
        for file in events.conf frr.conf; do
            [ -s "$folder/$file" ] || continue
            vtysh --config_dir "$folder" --vty_socket "$run" -f "$folder/$file" || { echo "$file was refused"; exit 1; }
        done
        echo "\(Self.loaded)"
        wait -n
        status=$?
        for daemon in "${!pids[@]}"; do
            kill -0 "${pids[$daemon]}" 2> /dev/null || echo "$daemon ended with status $status"
        done
        exit 1

        """
    }
}
