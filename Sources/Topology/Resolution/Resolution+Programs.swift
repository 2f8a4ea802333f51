import Configuration
import LabFile
import Measurement
import Wire

extension Resolution {
    /// A program with every reference replaced; nil, with the reason reported, where something is wrong with it.
    func program(_ definition: ProgramDefinition, of node: String) -> ProgramConfiguration? {
        let name = definition.name.value
        switch definition.form {
        case .command(let command):
            func resolved(_ text: Located<String>) -> String {
                references.resolve(text: text.value, at: text.position, reader)
            }
            return ProgramConfiguration(
                name: name, command: command.words.map(resolved),
                files: command.files.map { .init(name: $0.name, text: resolved($0.text)) },
                readiness: command.readiness,
                package: command.package, scratch: command.scratch)
        case .nginx(let nginx): return program(nginx, of: node)
        case .bird(let bird): return program(bird, of: node, at: definition.name.position)
        }
    }

    // MARK: nginx

    private func program(_ nginx: NginxDefinition, of node: String) -> ProgramConfiguration {
        let text: String
        if let own = nginx.configuration {
            text = references.resolve(text: own.value, at: own.position, reader)
        } else {
            text = nginx.text(upstreams: upstreams(nginx, of: node).map { $0.address.endpoint(port: $0.port) })
        }
        return ProgramConfiguration(
            name: "nginx",
            command: [
                "nginx", "-e", "stderr", "-p", ProgramConfiguration.folderWord, "-c",
                ProgramConfiguration.folderWord + "/nginx.conf", "-g", "daemon off;",
            ],
            files: [.init(name: "nginx.conf", text: text)], readiness: nginx.ports.map { .tcp($0) })
    }

    private func upstreams(_ nginx: NginxDefinition, of node: String) -> [(
        node: String, address: IPAddress, port: UInt16, position: SourcePosition
    )] {
        nginx.upstreams.compactMap { upstream in
            endpoint(upstream.value.host, seenFrom: node, "an upstream", at: upstream.position).map {
                ($0.node, $0.address, upstream.value.port ?? 80, upstream.position)
            }
        }
    }

    /// What proxies ask of other nodes.
    var upstreamDemands: [ServerDemand] {
        nodeDefinitions.flatMap { node in
            node.programs.flatMap { program -> [ServerDemand] in
                guard case .nginx(let nginx) = program.form else { return [] }
                return upstreams(nginx, of: node.name.value).map {
                    ServerDemand(
                        node: $0.node, address: $0.address, server: ServerProgram(kind: .http, port: $0.port),
                        what: "nginx of '\(node.name.value)'", position: $0.position)
                }
            }
        }
    }

    // MARK: BIRD

    private func program(_ bird: BirdDefinition, of node: String, at position: SourcePosition) -> ProgramConfiguration?
    {
        let text: String
        if let own = bird.configuration {
            text = references.resolve(text: own.value, at: own.position, reader)
        } else {
            let own = interfaces[node] ?? []
            guard let first = own.lazy.compactMap(\.address).first else {
                reader.report("'\(node)' has no address for BIRD", at: position)
                return nil
            }
            let neighbors = bird.neighbors.compactMap { neighbor -> BirdDefinition.Session? in
                guard let address = neighborAddress(neighbor.address, of: node),
                    let interface = own.first(where: { $0.address?.network.contains(address) == true })?.address
                else { return nil }
                return BirdDefinition.Session(
                    own: "\(interface.address)", address: "\(address)", autonomousSystem: neighbor.autonomousSystem,
                    preference: neighbor.preference)
            }
            text = bird.text(
                routerID: "\(first.address)", neighbors: neighbors,
                announced: bird.announced.compactMap { network($0, "what BIRD announces").map { "\($0)" } })
        }
        let awaited = bird.awaited.compactMap { awaited in
            network(awaited.network, "what BIRD awaits").map {
                ProgramConfiguration.Readiness.route($0, ways: awaited.ways)
            }
        }
        return ProgramConfiguration(
            name: "bird",
            command: [
                "bird", "-f", "-c", ProgramConfiguration.folderWord + "/bird.conf", "-s", "/run/bird/bird.ctl", "-P",
                "/run/bird/bird.pid",
            ],
            files: [.init(name: "bird.conf", text: text)], readiness: [.socket(path: "/run/bird/bird.ctl")] + awaited)
    }

    private func neighborAddress(_ value: LabValue, of node: String) -> IPv4Address? {
        nextHops(value, of: node, what: "a neighbor of BIRD", .ipv4).first?.ipv4
    }

    /// `10.9.0.0/24`, or an address or a reference to one as a network of its own.
    private func network(_ value: LabValue, _ what: String) -> IPv4Network? {
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
