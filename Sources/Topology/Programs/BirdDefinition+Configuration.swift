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
            let own = resolution.interfaces[node] ?? []
            guard let first = own.lazy.compactMap(\.address).first else {
                resolution.reader.report("'\(node)' has no address for BIRD", at: name.position)
                return nil
            }
            let neighbors = self.neighbors.compactMap { neighbor -> Session? in
                guard let address = Self.address(neighbor.address, of: node, in: resolution),
                    let interface = own.first(where: { $0.address?.network.contains(address) == true })?.address
                else { return nil }
                return Session(
                    own: "\(interface.address)", address: "\(address)", autonomousSystem: neighbor.autonomousSystem,
                    preference: neighbor.preference)
            }
            text = self.text(
                routerID: "\(first.address)", neighbors: neighbors,
                announced: announced.compactMap { Self.network($0, "what BIRD announces", resolution).map { "\($0)" } })
        }
        let awaited = self.awaited.compactMap { awaited in
            Self.network(awaited.network, "what BIRD awaits", resolution).map {
                ProgramConfiguration.Readiness.route($0, ways: awaited.ways)
            }
        }
        return ProgramConfiguration(
            name: Self.name,
            command: [
                "bird", "-f", "-c", ProgramConfiguration.folderWord + "/bird.conf", "-s", "/run/bird/bird.ctl", "-P",
                "/run/bird/bird.pid",
            ],
            files: [.init(name: "bird.conf", text: text)], readiness: [.socket(path: "/run/bird/bird.ctl")] + awaited)
    }

    private static func address(_ value: LabValue, of node: String, in resolution: Resolution) -> IPv4Address? {
        resolution.nextHops(value, of: node, what: "a neighbor of BIRD", .ipv4).first?.ipv4
    }

    /// `10.9.0.0/24`, or an address or a reference to one as a network of its own.
    private static func network(_ value: LabValue, _ what: String, _ resolution: Resolution) -> IPv4Network? {
        let (references, reader) = (resolution.references, resolution.reader)
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
