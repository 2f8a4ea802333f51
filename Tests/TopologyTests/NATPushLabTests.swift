import Configuration
import Dataplane
import Foundation
import LabFile
import Testing
import Wire

@testable import Topology

@Suite struct `Pools in pushes of a lab file` {
    static let text = """
        schema: 1
        name: pools
        networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: }
        nodes:
          client: { role: client, interfaces: { outside: 192.0.2.10 }, gateway: 192.0.2.1 }
          server: { role: backend, interfaces: { inside: 198.51.100.10 }, gateway: 198.51.100.1 }
          fw-a:
            role: firewall
            interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: }
            nat:
              pools: { internet: { addresses: outside.virtual-ip } }
              rules: [{ source: inside, pool: internet }, { name: rest, source: any, pool: none }]
            redundancy: { peer: fw-b, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
          fw-b: { role: firewall, interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: } }
        traffic:
          app: { from: client, to: "server:7", kind: tcp-stream, every: 10ms }
        pushes:
          guests: { add: { nat: { pools: { guests: { addresses: [192.0.2.50, 192.0.2.51], ports: 2000-2999, pooling: arbitrary } },
                    rules: { guests: { source: [inside, 10.0.0.0/8], protocol: tcp, ports: 80, pool: guests, before: 1 } } } } }
          own: { change: { nat: { pools: { internet: { addresses: outside.ip, filtering: address-dependent } } } } }
          no-guests: { delete: { rules: late, nat: { pools: guests, rules: [guests, rest] } } }
        scenario:
          - start: app
          - { push: { change: guests, to: fw-a, mode: unit }, as: added }
          - { push: { change: own, to: fw-b, mode: unit }, as: changed }
          - { push: { change: no-guests, to: fw-a, mode: agreement }, as: deleted }
          - wait-for: fw-a.nat-address-released

        """

    private func messages(_ old: String, _ new: String) -> [String] {
        precondition(Self.text.contains(old), "the lab has no '\(old)'")
        do {
            _ = try Lab(parsing: Self.text.replacingOccurrences(of: old, with: new), path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "lab.yaml:" + "\($0)".split(separator: "\n")[0] }
        }
    }

    @Test func `that contradict themselves are refused, and what cannot be read is told alone`() {
        let own =
            "own: { change: { nat: { pools: { internet: { addresses: outside.ip, filtering: address-dependent } } } } }"
        for (what, push) in [
            (
                "NAT pool 'internet'",
                "own: { change: { nat: { pools: { internet: { addresses: outside.ip } } } }, delete: { nat: { pools: internet } } }"
            ),
            (
                "NAT pool 'extra'",
                "own: { add: { nat: { pools: { extra: { addresses: 192.0.2.60 } } } }, delete: { nat: { pools: extra } } }"
            ),
            ("rule 'late'", "own: { add: { rules: { late: { action: allow } } }, delete: { rules: late } }"),
        ] {
            let told = messages(own, push)
            #expect(told.count == 1 && told[0].contains("\(what) and deletes it"), "\(told)")
        }
        let told = messages(own, "own: { change: { nat: { pools: { internet: { adresses: outside.ip } } } } }")
        #expect(!told.isEmpty && !told.contains { $0.contains("changes nothing") }, "\(told)")
        #expect(messages(own, "own: {}").contains { $0.contains("changes nothing") })
    }

    @Test func `become changes, for each box with its own addresses`() throws {
        let variant = try Lab(parsing: Self.text, path: "lab.yaml").variants[0]
        let pushes = variant.scenario.compactMap { step -> Push? in
            if case .push(let push, _) = step { push } else { nil }
        }
        let guests = NATPool(
            name: "guests", addresses: [IPv4Address(192, 0, 2, 50), IPv4Address(192, 0, 2, 51)], ports: 2000...2999,
            pooling: .arbitrary)
        let rules = ["198.51.100.0/24", "10.0.0.0/8"].map {
            NATRule(
                name: "guests", source: IPv4Network($0)!, protocol: .tcp, destinationPorts: 80...80, pool: "guests")
        }
        let added = NATChange(addedPools: [guests], addedRules: [.init("guests", rules, before: "1")])
        #expect(pushes[0].parts.map(\.change) == [PolicyChange(nat: added), PolicyChange(nat: added)])
        func own(_ last: UInt8) -> PolicyChange {
            let pool = NATPool(
                name: "internet", addresses: [IPv4Address(192, 0, 2, last)], ports: NATPool.besideHost,
                filtering: .addressDependent)
            return PolicyChange(nat: NATChange(changedPools: [pool]))
        }
        #expect(pushes[1].parts.map(\.node) == ["fw-b", "fw-a"] && pushes[1].parts.map(\.change) == [own(3), own(2)])
        let deleted = NATChange(deletedPools: ["guests"], deletedRules: ["guests", "rest"])
        #expect(pushes[2].parts.map(\.change.nat) == [deleted, deleted])
        #expect(pushes[2].parts[0].change.deletedRules == ["late"])
    }

    @Test(arguments: [
        (
            "pools: guests, rules: [", "pools: gests, rules: [",
            "lab.yaml:21:53: 'fw-a' has no NAT pool 'gests', and no push adds one; allowed: internet, guests; did you mean 'guests'?"
        ),
        (
            "rules: [guests, rest]", "rules: [guests, rst]",
            "lab.yaml:21:77: 'fw-a' has no NAT rule 'rst', and no push adds one; allowed: 1, rest, guests; did you mean 'rest'?"
        ),
        (
            "change: { nat: { pools: { internet: {", "change: { nat: { pools: { internt: {",
            "lab.yaml:20:36: 'fw-b' has no NAT pool 'internt', and no push adds one; allowed: internet, guests; did you mean 'internet'?"
        ),
        (
            "pool: guests, before: 1", "pool: guets, before: 1",
            "lab.yaml:19:94: a rule of nat names the pool 'guets', which does not exist; allowed: internet, guests, none; did you mean 'guests'?"
        ),
        (
            "before: 1", "before: 3",
            "lab.yaml:19:110: 'fw-a' has no NAT rule '3', and no push adds one; allowed: 1, rest, guests; did you mean '1'?"
        ),
        (
            "ports: 2000-2999, pooling", "ports: 2999-2000, pooling",
            "lab.yaml:18:90: 'ports' of the pool 'guests' is '2999-2000'; allowed: a port or a range from 1 to 65535, such as 4000-4003"
        ),
        (
            "ports: 2000-2999, pooling", "ports: 2000-2001, pooling",
            "lab.yaml:18:36: the ports of the pool 'guests' leave one box of the pair none: each grants from its half, and no port here has bit 1 set; allowed: a range such as 2000-2003"
        ),
        (
            "pooling: arbitrary", "poolin: arbitrary",
            "lab.yaml:18:101: unknown key 'poolin' of the pool 'guests'; allowed: addresses, ports, filtering, pooling; did you mean 'pooling'?"
        ),
        (
            "[192.0.2.50, 192.0.2.51]", "[192.0.2.50, 192.0.2.10]",
            "lab.yaml:18:70: 192.0.2.10 of the pool 'guests' belongs to client.outside already (line 5)"
        ),
        (
            "[192.0.2.50, 192.0.2.51]", "[192.0.2.50, 192.0.2.2]",
            "lab.yaml:18:70: 192.0.2.2 of the pool 'guests' belongs to fw-a.outside already (line 9)"
        ),
        (
            "[192.0.2.50, 192.0.2.51]", "[192.0.2.50, 192.0.2.255]",
            "lab.yaml:18:70: 192.0.2.255 of the pool 'guests' is the broadcast address of 'outside'; allowed: 192.0.2.1 to 192.0.2.254"
        ),
        (
            "addresses: outside.ip", "addresses: outsid.ip",
            "lab.yaml:20:59: 'fw-b' has no interface 'outsid'; allowed: outside, inside, sync; did you mean 'outside'?"
        ),
        (
            "own: { change: { nat: { pools:", "own: { change: { nat: { rules: {}, pools:",
            "lab.yaml:20:27: unknown key 'rules' of 'nat' of 'change' of push 'own'; allowed: pools"
        ),
        (
            "name: rest, source", "name: 1, source",
            "lab.yaml:12:59: there are two rules of nat called '1'"
        ),
    ])
    func `are told with their line where they are wrong`(old: String, new: String, message: String) {
        #expect(messages(old, new).first == message)
    }

    @Test(arguments: [
        (
            "delete: { nat: { pools: internt } }",
            "lab.yaml:21:35: no firewall has a NAT pool 'internt', and no push adds one; allowed: internet, guests; did you mean 'internet'?"
        ),
        (
            "delete: { nat: { rules: rst } }",
            "lab.yaml:21:35: no firewall has a NAT rule 'rst', and no push adds one; allowed: 1, rest, guests; did you mean 'rest'?"
        ),
        (
            "add: { nat: { pools: { more: { addresses: outsid.ip } } } }",
            "lab.yaml:21:53: no firewall has an interface 'outsid'; allowed: outside, inside, sync; did you mean 'outside'?"
        ),
        (
            "add: { nat: { rules: { more: { source: inside, pool: gests } } } }",
            "lab.yaml:21:64: no firewall has a NAT pool 'gests', and no push adds one; allowed: internet, guests; did you mean 'guests'?"
        ),
    ])
    func `are looked through although no step uses them, and told of once`(change: String, message: String) {
        let unused = "  no-guests: { delete"
        let found = messages(unused, "  idle: { \(change) }\n" + unused)
        #expect(found == [message])
    }

    @Test func `may name what only some variants have, as long as the others do not use them`() {
        let unused = "  no-guests: { delete"
        let idle = "  idle: { delete: { nat: { pools: extra } } }\n" + unused
        let variants = """
            variants:
              plain: { shows: control }
              with: { shows: control, change: { nodes: { fw-a: { nat: { pools: { extra: { addresses: 192.0.2.77 } } } } } } }
            scenario:
            """
        let text = Self.text.replacingOccurrences(of: unused, with: idle)
        #expect(throws: (any Error).self) { try Lab(parsing: text, path: "lab.yaml") }
        #expect(throws: Never.self) {
            try Lab(parsing: text.replacingOccurrences(of: "scenario:", with: variants), path: "lab.yaml")
        }
    }

    @Test func `tell a typo once, although two boxes get it`() {
        #expect(messages("pools: guests, rules: [", "pools: gests, rules: [").count == 1)
        #expect(messages("change: { nat: { pools: { internet: {", "change: { nat: { pools: { internt: {").count == 1)
        #expect(messages("addresses: outside.ip", "addresses: outsid.ip").count == 1)
    }

    @Test func `an interface without an address gets none of a pushed pool's`() throws {
        let text = Self.text
            .replacingOccurrences(of: "{ outside: 192.0.2.10 }", with: "{ outside: }")
            .replacingOccurrences(of: "[192.0.2.50, 192.0.2.51]", with: "[192.0.2.4, 192.0.2.51]")
        let lab = try Lab(parsing: text, path: "lab.yaml")
        #expect(lab.variants[0].node(named: "client")?.interfaces[0].address?.address == IPv4Address(192, 0, 2, 5))
    }
}
