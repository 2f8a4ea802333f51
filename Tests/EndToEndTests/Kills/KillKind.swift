import Foundation
import TestSupport

/// A way for a lab to live, to be ended from outside.
enum KillKind: String, CaseIterable {
    /// `run`, with root's capabilities.
    case run
    /// `run` as a user without any: the lab has a user namespace of its own.
    case unprivilegedRun = "run in a user namespace"
    /// `up`, a while, `down`.
    case up
    case unprivilegedUp = "up in a user namespace"

    /// What a lab's life consists of.
    enum Phase: String, CaseIterable {
        case building, running
        case takingDown = "taking down"
    }

    var isPersistent: Bool { self == .up || self == .unprivilegedUp }

    private var user: String { self == .run || self == .up ? "0" : "1000" }

    /// Of the lab: 8 of nodes, 2 of switches, 2 of the warden; and some to spare.
    private static let mostNamespaces = "16"

    /// One whole life of a lab, below the census.
    /// - Parameter name: the lab's, and that of everything it leaves
    func command(of name: String, in folder: String) throws -> Command {
        let lab = "\(folder)/\(name).yaml"
        try KillLab.text(name: name).write(toFile: lab, atomically: true, encoding: .utf8)
        let census = [Self.mostNamespaces, user]
        guard isPersistent else {
            return try Command(
                Package.product("census"), census + [Package.failoverlab, "run", lab, "--output", name], in: folder)
        }
        // An 'up' or 'down' that is killed may leave the lab up, as it should: the second 'down' is for that.
        let script = """
            "$0" up "$1" --output "$2" && echo up > "$2.up"; sleep 0.25; echo down > "$2.down"
            "$0" down "$2"; "$0" down "$2"; true
            """
        return try Command(
            Package.product("census"), census + ["/bin/sh", "-c", script, Package.failoverlab, lab, name], in: folder)
    }

    /// Where the life of a lab stands.
    func phase(of name: String, in folder: String) -> Phase {
        func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(path)") }
        if isPersistent {
            return exists("\(name).down") ? .takingDown : exists("\(name).up") ? .running : .building
        }
        let runs = "\(folder)/\(name)/\(name)"
        guard let run = try? FileManager.default.contentsOfDirectory(atPath: runs).first(where: { $0.hasPrefix("2") }),
            let events = try? String(contentsOfFile: "\(runs)/\(run)/only/events.jsonl", encoding: .utf8)
        else { return .building }
        if events.components(separatedBy: "traffic-stop").count > KillLab.programs { return .takingDown }
        return events.contains("traffic-start") ? .running : .building
    }
}

/// A pair, a balancer and traffic, for half a second.
enum KillLab {
    static let programs = 3

    static func text(name: String) -> String {
        """
        schema: 1
        name: \(name)
        title: A pair, a balancer and traffic, for half a second
        networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, servers: 203.0.113.0/24, cross-connect: {} }
        nodes:
          client: { role: client, interfaces: { outside: 192.0.2.10 }, gateway: 192.0.2.1 }
          fw-a:
            role: firewall
            interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: { network: cross-connect } }
            redundancy: { peer: fw-b, priority: 200, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
          fw-b:
            role: firewall
            interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: { network: cross-connect } }
            redundancy: { peer: fw-a, priority: 100 }
          lb:
            role: load-balancer
            interfaces: { inside: 198.51.100.10, servers: 203.0.113.1 }
            gateway: 198.51.100.1
            virtual-services:
              echo: { listen: "198.51.100.100:7/tcp", profile: tcp-fast-path, pool: ["backend-1:7"] }
              proxy: { listen: "198.51.100.101:7/tcp", profile: tcp-proxy, pool: ["backend-1:7"] }
          backend-1: { role: backend, interfaces: { servers: 203.0.113.11 }, gateway: 203.0.113.1 }
        traffic:
          proxied: { from: client, to: lb/proxy, kind: tcp-stream, flows: 2, every: 5ms }
          stream: { from: client, to: lb/echo, kind: tcp-stream, flows: 4, every: 5ms }
          connect: { from: client, to: lb/echo, kind: tcp-connect, every: 20ms }
        scenario:
          - start: [stream, proxied, connect]
          - wait: 200ms
          - fail: { power-off: fw-a }
            as: failover
          - wait: 200ms
        variants:
          only: { shows: control, expect: [{ event: { name: failover, count: 1 } }] }
        """
    }
}
