import Configuration
import Measurement
import Wire

/// What answers at a port of a node.
public struct ServedPort: Hashable, Sendable {
    public var node: String
    /// `80/tcp`; of a virtual service with its address: `192.0.2.100:80/tcp`
    public var port: String
    /// `echo of failoverlab`, `program haproxy`, `virtual service web`
    public var server: String
}

extension Variant {
    /// Servers of hosts, virtual services, and programs as far as the lab file names their ports.
    public var servedPorts: [ServedPort] {
        nodes.flatMap { node -> [ServedPort] in
            let servers = (node.role.host?.servers ?? []).map {
                ServedPort(node: node.name, port: "\($0.transportPort)", server: "\($0.kind.key) of failoverlab")
            }
            let services = node.role.configuration.virtualServices.map { service in
                let endpoint = service.address.endpoint(port: service.port)
                return ServedPort(
                    node: node.name, port: "\(endpoint)/\(service.profile.transport)",
                    server: "virtual service \(service.name)")
            }
            let programs = node.programs.flatMap { program in
                program.readiness.compactMap { readiness -> ServedPort? in
                    let port: TransportPort
                    switch readiness {
                    case .tcp(let number): port = TransportPort(number, .tcp)
                    case .udp(let number): port = TransportPort(number, .udp)
                    case .socket, .route, .output: return nil
                    }
                    return ServedPort(node: node.name, port: "\(port)", server: "program \(program.name)")
                }
            }
            return servers + services + programs
        }
    }
}
