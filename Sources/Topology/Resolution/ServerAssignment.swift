import Configuration
import LabFile
import Measurement
import Wire

/// Lets every host without programs serve what pools, monitors and traffic ask of it, unless its `services:` says what
/// it serves.
///
/// | node | serves | may be asked |
/// |---|---|---|
/// | host, neither `services` nor `programs` | what is asked of it | what failoverlab answers, one kind a port; by a command what others ask, too |
/// | host with `services`, no `programs` | these | what failoverlab answers, and ports of these and of `none` |
/// | host with `programs` | its `services` | ports of those and of its programs, and `none` |
/// | box with `programs` | nothing of failoverlab's own | at an address of its interfaces: ports of its programs |
///
/// Where programs run, a server of failoverlab's own must not answer in place of one that listens elsewhere, or not at
/// all: the lab would prove nothing about the program.
struct ServerAssignment {
    let resolution: Resolution
    let traffic: TrafficReading

    func assign(to nodes: inout [Node]) {
        let demands = Dictionary(grouping: demands(nodes), by: \.node)
        for index in nodes.indices {
            guard let asked = demands[nodes[index].name],
                let definition = resolution.definition(of: nodes[index].name)
            else { continue }
            guard definition.programs.isEmpty else {
                check(asked, of: nodes[index], definition)
                continue
            }
            // What a server of failoverlab's own answers for others, it answers for a command, too.
            let served = definition.host?.services == nil ? asked.filter { $0.server != nil }.map(\.port) : []
            check(
                asked.filter { $0.server == nil && ($0.needsProgram || !served.contains($0.port)) }, of: nodes[index],
                definition)
            if var host = nodes[index].role.host, definition.host?.services == nil {
                host.servers = servers(for: asked)
                nodes[index].role = Node.Role(host)
            }
        }
    }

    /// One for each port that is asked; reports where two kinds are asked of one.
    private func servers(for demands: [ServerDemand]) -> [ServerProgram] {
        var first: [TransportPort: (demand: ServerDemand, server: ServerProgram)] = [:]
        var servers: [ServerProgram] = []
        for demand in demands {
            guard let server = demand.server else { continue }
            guard let (other, known) = first[demand.port] else {
                first[demand.port] = (demand, server)
                servers.append(server)
                continue
            }
            guard known.kind != server.kind else { continue }
            let place = other.position.map { " (line \($0.line))" } ?? ""
            resolution.reader.report(
                "\(demand.what) asks port \(demand.port) of '\(demand.node)' for \(server.kind.key), and \(other.what) for \(known.kind.key)\(place): one port has one server",
                at: demand.position,
                allowed: [
                    "a port of its own for each",
                    "'services' of '\(demand.node)' with the one that it serves, where the other is to fail",
                ])
        }
        return servers
    }

    /// Reports what is asked of ports that a node does not name.
    private func check(_ demands: [ServerDemand], of node: Node, _ definition: NodeDefinition) {
        let services = definition.host?.services
        let served = services?.programs.map(\.transportPort) ?? []
        let unserved = (services?.unserved.map(\.value) ?? []) + definition.programs.flatMap(\.ports)
        for demand in demands {
            let port = demand.port
            let named = unserved + (demand.needsProgram ? [] : served)
            guard !named.contains(port), isOwn(demand, of: node), !isNamedElsewhere(demand) else { continue }
            var remedies: [String] = []
            let known = definition.programs.flatMap { program in
                program.ports.filter { $0.transport == port.transport }.map { "\($0) (\(program.name.value))" }
            }
            if !known.isEmpty { remedies.append("a port of its programs: \(known.joined(separator: ", "))") }
            if definition.programs.isEmpty {
                remedies.append("a program of '\(node.name)' that listens there")
            } else {
                remedies.append("'ready: { \(port.transport): \(port.port) }' of the program that listens there")
            }
            if !node.isBox {
                // Of what failoverlab serves itself, only HTTP is of use to others' clients.
                if let key = demand.server?.kind.key ?? (port.transport == .tcp ? "http" : nil) {
                    remedies.append(
                        "'services: { \(key): \(key == "echo" ? "\(port)" : "\(port.port)") }' of '\(node.name)' for a server of failoverlab's own"
                    )
                }
                remedies.append(
                    "'services: { none: \(port) }' where a program listens only later, or nobody is to answer")
            }
            resolution.reader.report(
                "\(demand.what) asks port \(port) of '\(node.name)', which runs \(list(definition.programs)) and does not say what listens there",
                at: demand.position, allowed: remedies)
        }
    }

    /// Whether another node that may have the address says what listens there.
    private func isNamedElsewhere(_ demand: ServerDemand) -> Bool {
        (resolution.owners[demand.address]?.holders ?? []).contains { holder in
            guard holder != demand.node, let definition = resolution.definition(of: holder) else { return false }
            let services = definition.host?.services
            let named = services.map { $0.programs.map(\.transportPort) + $0.unserved.map(\.value) } ?? []
            return (named + definition.programs.flatMap(\.ports)).contains(demand.port)
        }
    }

    private func list(_ programs: [ProgramDefinition]) -> String {
        programs.isEmpty ? "no program" : programs.map { "'\($0.name.value)'" }.joined(separator: ", ")
    }

    /// Whether what answers is the node's own stack: a box has further addresses, of services and pools.
    private func isOwn(_ demand: ServerDemand, of node: Node) -> Bool {
        guard node.isBox else { return true }
        let services = node.role.configuration.virtualServices
        if services.contains(where: { $0.address == demand.address && $0.port == demand.port.port }) { return false }
        return node.interfaces.contains { $0.address(demand.address.family)?.address == demand.address }
    }

    private func demands(_ nodes: [Node]) -> [ServerDemand] {
        var demands: [ServerDemand] = []
        for node in nodes {
            let definitions = resolution.definition(of: node.name)?.virtualServices ?? []
            for service in node.role.configuration.virtualServices {
                guard let definition = definitions.first(where: { $0.name.value == service.name }) else { continue }
                let name = "\(node.name)/\(service.name)"
                for member in service.members {
                    guard let owner = resolution.owners[member.address]?.node else { continue }
                    let (own, monitored) = servers(of: service, member, definition)
                    let needsProgram = self.needsProgram(service)
                    var demand = ServerDemand(
                        node: owner, address: member.address, port: own.transportPort,
                        server: needsProgram ? nil : own, what: "virtual service \(name)",
                        position: position(of: member, owner, in: definition))
                    demand.needsProgram = needsProgram
                    demands.append(demand)
                    guard let monitored else { continue }
                    demands.append(
                        ServerDemand(
                            node: owner, address: member.address, server: monitored,
                            what: "the monitor of virtual service \(name)", position: definition.monitor?.position))
                }
            }
        }
        let ofPrograms = resolution.nodeDefinitions.flatMap { node in
            node.programs.flatMap { $0.form.demands(of: node.name.value, in: resolution) }
        }
        // Whoever may have a virtual address is asked.
        return (demands + ofPrograms + traffic.demands).flatMap { demand -> [ServerDemand] in
            let holders = resolution.owners[demand.address]?.holders ?? []
            return holders.isEmpty
                ? [demand]
                : holders.map {
                    var demand = demand
                    demand.node = $0
                    return demand
                }
        }
    }

    /// Where the lab file names a pool's member.
    private func position(
        of member: PoolMemberConfiguration, _ owner: String, in service: VirtualServiceDefinition
    ) -> SourcePosition? {
        service.members.first { written in
            (written.endpoint.port ?? service.port) == member.port
                && (IPAddress(written.endpoint.host) == member.address
                    || written.endpoint.host.prefix { $0 != "." } == owner)
        }?.position ?? service.name.position
    }

    private func programs(asking service: VirtualServiceConfiguration) -> [TrafficProgram] {
        traffic.programs.filter { $0.target == service.address && $0.port == service.port }
    }

    /// Whether a traffic program asks it for what no server of failoverlab's own answers.
    private func needsProgram(_ service: VirtualServiceConfiguration) -> Bool {
        programs(asking: service).contains(where: \.kind.needsProgram)
    }

    /// The server behind a pool member, and a second one where a monitor asks another port.
    private func servers(
        of service: VirtualServiceConfiguration, _ member: PoolMemberConfiguration,
        _ definition: VirtualServiceDefinition
    ) -> (ServerProgram, ServerProgram?) {
        let programs = programs(asking: service)
        let speaksHTTP = service.profile == .http || programs.contains { $0.kind.server == .http }
        let echo = ServerProgram(
            kind: speaksHTTP ? .http : service.profile.transport == .tcp ? .tcpEcho : .udpEcho, port: member.port)
        guard let monitor = service.monitor else { return (echo, nil) }
        let port = monitor.port ?? member.port
        let asked = ServerProgram(kind: monitor.kind == .http ? .http : .tcpEcho, port: port)
        if port != member.port || echo.kind == .udpEcho { return (echo, asked) }
        if monitor.kind == .tcp || speaksHTTP { return (echo, nil) }
        // One port cannot be both: an HTTP server for the monitor and an echo for the traffic.
        if let program = programs.first {
            resolution.reader.report(
                "an http monitor asks port \(port), where traffic program '\(program.name)' needs an echo service",
                at: definition.monitor?.position,
                allowed: ["a tcp monitor", "'port' for a port of the monitor's own"])
        }
        return (asked, nil)
    }
}
