import Configuration
import LabFile
import LabTime
import Wire

extension BirdDefinition {
    func program(
        _ name: Located<String>, of node: String, in resolution: Resolution
    ) -> ProgramConfiguration? {
        let text: String
        if let own = configuration {
            text = resolution.references.resolve(text: own.value, at: own.position, resolution.reader)
        } else {
            guard let routerID = bgp.routerID(of: node, at: name.position, in: resolution) else { return nil }
            text = self.text(
                routerID: routerID, neighbors: bgp.sessions(of: node, in: resolution),
                announced: bgp.announcements(in: resolution))
        }
        return ProgramConfiguration(
            name: Self.name,
            command: [
                "bird", "-f", "-c", ProgramConfiguration.folderWord + "/bird.conf", "-s", "/run/bird/bird.ctl", "-P",
                "/run/bird/bird.pid",
            ],
            files: [.init(name: "bird.conf", text: text)],
            readiness: [.socket(path: "/run/bird/bird.ctl")] + bgp.readiness(in: resolution), events: Self.events)
    }

    /// What BIRD traces of its protocols; the short form turns that on.
    private static let events: [ProgramConfiguration.OutputEvent] = [
        .init(name: "established", pattern: "(?<session>\\S+): BGP session established"),
        .init(name: "lost", pattern: "(?<session>\\S+): BGP session closed"),
        .init(name: "bfd-up", pattern: "Session to (?<neighbor>\\S+) changed state from \\S+ to Up"),
        .init(name: "bfd-down", pattern: "Session to (?<neighbor>\\S+) changed state from Up to \\S+"),
    ]

    /// - Parameter announced: `address/length`
    func text(routerID: String, neighbors: [BGPDefinition.Session], announced: [String]) -> String {
        let interval = bgp.detectionInterval.map { "\($0) ms" }
        let sessions = neighbors.enumerated().map { index, neighbor in
            let importing =
                neighbor.preference.map { "import filter { bgp_local_pref = \($0); accept; };" } ?? "import all;"
            // A neighbour of the same AS is told what others told, and to send it here; what this node announces, it
            // announces itself.
            let exporting =
                neighbor.autonomousSystem == bgp.autonomousSystem
                ? "next hop self;\n        export where source = RTS_BGP;"
                : "export where source ~ [ RTS_STATIC, RTS_BGP ];"
            return """
                protocol bgp neighbor\(index + 1) {
                    local \(neighbor.own) as \(bgp.autonomousSystem);
                    neighbor \(neighbor.address) as \(neighbor.autonomousSystem);
                    direct;
                    hold time \(bgp.holdTime);
                    connect delay time 0;
                    connect retry time 1;
                    error wait time 1, 2;
                    debug { states, events };
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
                debug { events };
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
