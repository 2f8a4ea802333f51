import Configuration
import Dataplane
import Foundation
import LabFile
import Testing
import Wire

@testable import Topology

@Suite struct `Rules and pushes in a lab file` {
    static let text = """
        schema: 1
        name: rules
        networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: }
        nodes:
          client: { role: client, interfaces: { outside: 192.0.2.10 }, gateway: 192.0.2.1 }
          server: { role: backend, interfaces: { inside: 198.51.100.10 }, gateway: 198.51.100.1 }
          fw-a:
            role: firewall
            interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: }
            objects: { clients: 192.0.2.0/24, servers: [198.51.100.10, 198.51.100.11] }
            rules:
              echo: { action: allow, on: outside, from: clients, to: servers, protocol: tcp, ports: 7-8 }
            otherwise: deny
            redundancy: { peer: fw-b, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
          fw-b: { role: firewall, interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: } }
        traffic:
          app: { from: client, to: "server:7", kind: tcp-stream, every: 10ms }
        pushes:
          ping: { add: { rules: { ping: { action: allow, protocol: icmp, before: echo } } } }
          no-echo: { delete: { rules: [echo], objects: clients } }
        scenario:
          - start: app
          - push: { change: ping, to: [fw-b, fw-a] }
          - { push: { change: no-echo, to: fw-b, mode: unit }, as: cleaned }
          - { push: { change: { fw-a: ping, fw-b: no-echo }, mode: agreement }, as: disagreed }
          - wait-for: fw-a.push-blocked

        """

    private func messages(_ old: String, _ new: String) -> [String] {
        do {
            _ = try Lab(parsing: Self.text.replacingOccurrences(of: old, with: new), path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "lab.yaml:" + "\($0)".split(separator: "\n")[0] }
        }
    }

    @Test func `become a firewall's policy and steps of the scenario`() throws {
        let variant = try Lab(parsing: Self.text, path: "lab.yaml").variants[0]
        guard let box = variant.node(named: "fw-a")?.role.firewall else {
            Issue.record("no firewall")
            return
        }
        #expect(
            box.policy
                == PolicyConfiguration(
                    objects: [
                        PolicyObject(name: "clients", networks: [IPv4Network("192.0.2.0/24")!]),
                        PolicyObject(
                            name: "servers",
                            networks: [IPv4Network("198.51.100.10/32")!, IPv4Network("198.51.100.11/32")!]),
                    ],
                    rules: [
                        PolicyRule(
                            name: "echo", action: .allow, ingress: "outside", sources: [.object("clients")],
                            destinations: [.object("servers")], protocol: .tcp, destinationPorts: 7...8)
                    ], otherwise: .deny))
        let ping = PolicyChange(addedRules: [
            .init(PolicyRule(name: "ping", action: .allow, protocol: .icmp), before: "echo")
        ])
        let clean = PolicyChange(deletedRules: ["echo"], deletedObjects: ["clients"])
        #expect(
            variant.scenario.compactMap { if case .push(let push, let name) = $0 { "\(name): \(push)" } else { nil } }
                == [
                    "push: push ping to fw-b, fw-a", "cleaned: push no-echo to fw-b, fw-a as unit",
                    "disagreed: push ping to fw-a, no-echo to fw-b as agreement",
                ])
        guard case .push(let first, _) = variant.scenario[1], case .push(let second, _) = variant.scenario[2] else {
            Issue.record("no push")
            return
        }
        #expect(first.parts.map(\.change) == [ping, ping] && second.parts.map(\.change) == [clean, clean])
    }

    @Test func `may name networks of the lab and references in objects, of a push too`() throws {
        let text = Self.text
            .replacingOccurrences(
                of: "clients: 192.0.2.0/24, servers: [198.51.100.10, 198.51.100.11]",
                with:
                    "clients: outside, servers: [server.inside.ip, fw-b.inside.ip, fw-b.inside.virtual-ip, 198.51.100.99]"
            )
            .replacingOccurrences(
                of: "{ add: { rules:", with: "{ add: { objects: { boss: [client.outside.ip, inside] }, rules:")
        let variant = try Lab(parsing: text, path: "lab.yaml").variants[0]
        guard let box = variant.node(named: "fw-a")?.role.firewall, case .push(let push, _) = variant.scenario[1]
        else {
            Issue.record("no firewall, or no push")
            return
        }
        func networks(_ texts: String...) -> [IPv4Network] { texts.map { IPv4Network($0)! } }
        #expect(
            box.policy.objects == [
                PolicyObject(name: "clients", networks: networks("192.0.2.0/24")),
                PolicyObject(
                    name: "servers",
                    networks: networks("198.51.100.10/32", "198.51.100.3/32", "198.51.100.1/32", "198.51.100.99/32")),
            ])
        #expect(
            push.parts[0].change.addedObjects == [
                PolicyObject(name: "boss", networks: networks("192.0.2.10/32", "198.51.100.0/24"))
            ])
    }

    private static let blockForms =
        "allowed: a network of the lab (outside, inside, sync), an IPv4 network such as 192.0.2.0/24, with no bit set behind the prefix, an address, node.interface.ip"

    @Test(arguments: [
        (
            "clients: 192.0.2.0/24", "clients: outsid",
            "lab.yaml:10:25: object 'clients' holds 'outsid', which is no network; \(blockForms); did you mean 'outside'?"
        ),
        (
            "[198.51.100.10,", "[server.insid.ip,",
            "lab.yaml:10:49: object 'servers' holds 'server.insid.ip', which is no network; \(blockForms); did you mean 'server.inside.ip'?"
        ),
        (
            "[198.51.100.10,", "[server.inside.mac,",
            "lab.yaml:10:49: object 'servers' holds 'server.inside.mac', which is no network; \(blockForms)"
        ),
        (
            "{ add: { rules:", "{ add: { objects: { boss: 192.0.2.7/24 }, rules:",
            "lab.yaml:19:35: object 'boss' holds '192.0.2.7/24', which is no network; \(blockForms); did you mean '192.0.2.0/24'?"
        ),
    ])
    func `are told which object holds what is no network`(old: String, new: String, message: String) {
        let told = messages(old, new).first ?? ""
        #expect(told.hasPrefix(message), "\(told)")
    }

    @Test(arguments: [
        ("action: allow, on: outside", "on: outside", "lab.yaml:12:13: rule 'echo' needs the key 'action'"),
        (
            "action: allow, on", "action: alow, on",
            "lab.yaml:12:23: 'action' of rule 'echo' is 'alow'; allowed: allow, deny; did you mean 'allow'?"
        ),
        (
            "on: outside", "on: outsid",
            "lab.yaml:12:34: rule 'echo' is on 'outsid', which is no interface here; allowed: outside, inside, sync; did you mean 'outside'?"
        ),
        (
            "from: clients,", "from: clint,",
            "lab.yaml:12:7: rule 'echo' names 'clint', which is none of the objects here; allowed: clients, servers, an IPv4 network such as 192.0.2.0/24, with no bit set behind the prefix, an IPv4 address such as 192.0.2.1; did you mean 'clients'?"
        ),
        (
            "ports: 7-8", "ports: 8-7",
            "lab.yaml:12:93: the ports of rule 'echo' are '8-7'; allowed: a port, or a range such as 8000-8080, beside 'protocol: tcp' or 'protocol: udp'"
        ),
        (
            "otherwise: deny", "otherwise: drop",
            "lab.yaml:13:16: 'otherwise' of a firewall is 'drop'; allowed: allow, deny"
        ),
        (
            "{ delete: { rules: [echo], objects: clients } }", "{ delete: }",
            "lab.yaml:20:12: push 'no-echo' changes nothing; allowed: 'add', 'change' and 'delete' with objects, rules, and pools and rules of nat"
        ),
        (
            "change: ping, to", "change: pong, to",
            "lab.yaml:23:21: a push's change is 'pong', which is none of the lab's 'pushes'; allowed: ping, no-echo; did you mean 'ping'?"
        ),
        (
            "to: [fw-b, fw-a]", "to: [fw-b, server]",
            "lab.yaml:23:38: a push goes to 'server', which is no firewall; allowed: fw-a, fw-b"
        ),
        ("to: [fw-b, fw-a]", "to: [fw-b, fw-b]", "lab.yaml:23:11: a push goes to one box twice"),
        (
            "{ fw-a: ping, fw-b: no-echo }, mode: agreement", "{ fw-a: ping, fw-b: no-echo }, mode: unit",
            "lab.yaml:25:13: a push with 'mode: unit' has one change for both boxes; allowed: 'mode: agreement' or 'mode: boxes' for a change of its own for each"
        ),
    ])
    func `are told with their line where they are wrong`(old: String, new: String, message: String) {
        #expect(messages(old, new).first == message)
    }
}
