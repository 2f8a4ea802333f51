import Appliances
import LabFile
import Measurement
import Wire

/// Lets every host serve what pools, monitors and traffic ask of it, unless its `services:` says what it serves.
struct ServerAssignment {
    let resolution: Resolution
    let traffic: TrafficReading

    func assign(to nodes: inout [Node]) {
        let demands = demands(nodes)
        for index in nodes.indices {
            guard case .host(var host) = nodes[index].role,
                resolution.definition(of: nodes[index].name)?.services == nil
            else { continue }
            var servers: [ServerProgram] = []
            let taken = nodes[index].programs.flatMap(\.tcpPorts)
            for demand in demands where demand.node == nodes[index].name && !servers.contains(demand.server) {
                if demand.server.kind.transport == .tcp, taken.contains(demand.server.port) { continue }
                servers.append(demand.server)
            }
            host.servers = servers
            nodes[index].role = .host(host)
        }
    }

    private func demands(_ nodes: [Node]) -> [TrafficReading.Demand] {
        var demands: [TrafficReading.Demand] = []
        for node in nodes {
            guard case .loadBalancer(let balancer) = node.role else { continue }
            for service in balancer.services {
                for member in service.members {
                    guard let owner = resolution.owners[member.address]?.node else { continue }
                    let (own, monitored) = servers(of: service, member, balancer: node.name)
                    demands.append(TrafficReading.Demand(node: owner, server: own))
                    if let monitored { demands.append(TrafficReading.Demand(node: owner, server: monitored)) }
                }
            }
        }
        return demands + resolution.upstreamDemands + traffic.demands
    }

    /// The server behind a pool member, and a second one where a monitor asks another port.
    private func servers(
        of service: VirtualServiceConfiguration, _ member: PoolMemberConfiguration, balancer: String
    ) -> (ServerProgram, ServerProgram?) {
        let programs = traffic.programs.filter { $0.target == service.address && $0.port == service.port }
        let speaksHTTP = service.profile == .http || programs.contains { $0.kind == .httpRequest }
        let echo = ServerProgram(
            kind: speaksHTTP ? .http : service.profile.transport == .tcp ? .tcpEcho : .udpEcho, port: member.port)
        guard let monitor = service.monitor else { return (echo, nil) }
        let port = monitor.port ?? member.port
        let asked = ServerProgram(kind: monitor.kind == .http ? .http : .tcpEcho, port: port)
        if port != member.port || echo.kind == .udpEcho { return (echo, asked) }
        if monitor.kind == .tcp || speaksHTTP { return (echo, nil) }
        // One port cannot be both: an HTTP server for the monitor and an echo for the traffic.
        if let program = programs.first {
            let position = resolution.definition(of: balancer)?.virtualServices
                .first { $0.name.value == service.name }?.monitor?.position
            resolution.reader.report(
                "an http monitor asks port \(port), where traffic program '\(program.name)' needs an echo service",
                at: position, allowed: ["a tcp monitor", "'port' for a port of the monitor's own"])
        }
        return (asked, nil)
    }
}
