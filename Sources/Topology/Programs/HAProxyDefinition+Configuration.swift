import Configuration
import LabFile
import LabTime
import Measurement
import Wire

extension HAProxyDefinition {
    var ports: [TransportPort] {
        portsOnAllAddresses.map { TransportPort($0, .tcp) } + listened.map { TransportPort($0, .tcp) }
    }
    var portsOnAllAddresses: [UInt16] { frontends.map(\.port) }

    func program(
        _ name: Located<String>, of node: String, in resolution: Resolution
    ) -> ProgramConfiguration? {
        let text =
            configuration.map { resolution.references.resolve(text: $0.value, at: $0.position, resolution.reader) }
            ?? self.text(of: node, in: resolution)
        return ProgramConfiguration(
            name: Self.name, command: ["haproxy", "-db", "-f", ProgramConfiguration.folderWord + "/haproxy.cfg"],
            files: [.init(name: "haproxy.cfg", text: text)], readiness: ports.map { .tcp($0.port) },
            events: [
                // What it logs is on its output a second time, without the level in brackets.
                .init(
                    name: "server-down",
                    pattern:
                        "^\\[WARNING\\].* Server (?<backend>[^/ ]+)/(?<server>[^ ]+) is DOWN, reason: (?<reason>[^,]+)"),
                .init(
                    name: "server-up",
                    pattern:
                        "^\\[WARNING\\].* Server (?<backend>[^/ ]+)/(?<server>[^ ]+) is UP, reason: (?<reason>[^,]+)"),
                .init(
                    name: "backend-down",
                    pattern: "^\\[ALERT\\].* (?:backend|proxy) '(?<backend>[^']+)' has no server available"),
            ])
    }

    private struct Server {
        var name: String
        var node: String
        var address: IPAddress
        var port: UInt16
        var position: SourcePosition
    }

    private func servers(of backend: Backend, _ node: String, in resolution: Resolution) -> [Server] {
        var servers: [Server] = []
        for server in backend.servers {
            let host = server.value.host
            guard
                let found = resolution.endpoint(
                    host, seenFrom: node, "a server of the backend '\(backend.name.value)'", at: server.position)
            else { continue }
            let port = server.value.port ?? 80
            let isTaken = servers.contains { $0.name == found.node }
            servers.append(
                Server(
                    name: isTaken ? "\(found.node)-\(servers.count + 1)" : found.node, node: found.node,
                    address: found.address, port: port, position: server.position))
        }
        return servers
    }

    func demands(of node: String, in resolution: Resolution) -> [ServerDemand] {
        backends.flatMap { backend in
            let isHTTP = mode(of: backend) == .http
            return servers(of: backend, node, in: resolution).map {
                ServerDemand(
                    node: $0.node, address: $0.address,
                    server: ServerProgram(kind: isHTTP ? .http : .tcpEcho, port: $0.port),
                    what: "HAProxy of '\(node)'", position: $0.position)
            }
        }
    }

    private func mode(of backend: Backend) -> Mode {
        frontends.first { $0.backend == backend.name.value }?.mode ?? .http
    }

    private func text(of node: String, in resolution: Resolution) -> String {
        let hasIPv6 = resolution.interfaces[node]?.contains { $0.ipv6 != nil } == true
        var lines = [
            "# Made from the lab file's short form. Time limits are those of a local network.", "global",
            "    log stdout format raw local0 info", "    stats socket /run/haproxy/admin.sock mode 600 level admin",
            "    nbthread 1", "    maxconn 4000", "defaults", "    log global", "    timeout connect 2s",
            "    timeout client 1m", "    timeout server 1m",
        ]
        for frontend in frontends {
            lines += [
                "frontend \(frontend.name)", "    mode \(frontend.mode.rawValue)",
                "    option \(frontend.mode.rawValue)log", "    bind :\(frontend.port)",
            ]
            if hasIPv6 { lines.append("    bind :::\(frontend.port) v6only") }
            lines.append("    default_backend \(frontend.backend)")
        }
        for backend in backends {
            lines += [
                "backend \(backend.name.value)", "    mode \(mode(of: backend).rawValue)",
                "    balance \(backend.balance.rawValue)",
            ]
            if let path = backend.check?.path { lines.append("    option httpchk GET \(path)") }
            let check = backend.check.map {
                " check inter \($0.interval.nanoseconds / 1_000_000)ms fall \($0.fall) rise \($0.rise)"
            }
            lines += servers(of: backend, node, in: resolution).map {
                "    server \($0.name) \($0.address.endpoint(port: $0.port))\(check ?? "")"
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
