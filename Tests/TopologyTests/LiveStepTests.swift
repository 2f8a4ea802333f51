import Foundation
import LabEvents
import LabFile
import Testing

@testable import Topology

/// Steps on a node of the running lab: how they are written, in a lab file and in the command.
struct LiveStepTests {
    private static let scenario = """
        - start: existing
          - fail: { switchover: fw-a }
            as: failover
          - wait: 1s
        """

    private static func text(_ steps: [String]) -> String {
        SmallLab.replacing(scenario, (["- start: existing"] + steps).joined(separator: "\n  "))
            .replacing("after: failover", with: "after: existing.start")
            .replacing(
                "    interfaces: { servers: }\n",
                with: "    interfaces: { servers: }\n    programs: { cache: { run: [cached], ready: { tcp: 8080 } } }\n"
            )
    }

    /// The labels of the steps, or what is wrong with the first one, without its place.
    private func read(_ steps: String...) -> [String] {
        do {
            let steps = try Lab(parsing: Self.text(steps), path: "lab.yaml").variants[0].scenario
            return steps.dropFirst().map {
                if case .fail(let step, let name) = $0 { "\(name): \(step)" } else { "\($0)" }
            }
        } catch {
            return error.errors.map(\.description)
        }
    }

    @Test(arguments: [
        ("{ exec: { client: ip neigh flush all }, as: flush }", "flush: exec client ip neigh flush all"),
        ("{ exec: { lb: [ping, -c1, $backend-1.servers.ip] }, exit: 1 }", "exec: exec lb ping -c1 169.254.1.2"),
        ("{ signal: { backend-1/cache: SIGHUP } }", "signal: signal backend-1/cache HUP"),
        ("{ restart: backend-1/cache, as: again }", "again: restart backend-1/cache"),
        (
            "{ sysctl: { client: { net.ipv4.ip_forward: 0, net/ipv4/conf/all/rp_filter: 1 } } }",
            "sysctl: sysctl client net/ipv4/ip_forward=0, net/ipv4/conf/all/rp_filter=1"
        ),
        ("{ sysctl: { client: net.ipv4.ip_forward=0 } }", "sysctl: sysctl client net/ipv4/ip_forward=0"),
        (
            "{ route: { client: replace default via fw-b.outside } }",
            "route: route client replace 0.0.0.0/0 via 192.0.2.3"
        ),
        (
            "{ route: { client: add lb/web.address dev outside table 7 metric 5 } }",
            "route: route client add 198.51.100.100/32 dev outside table 7 metric 5"
        ),
        (
            "{ route: { client: delete 2001:db8::/32 via fe80::1 dev outside } }",
            "route: route client delete 2001:db8::/32 via fe80::1 dev outside"
        ),
        ("{ route: { client: add default via 2001:db8::1 } }", "route: route client add ::/0 via 2001:db8::1"),
        ("{ address: { backend-1.lo: add lb/web.address } }", "address: address backend-1.lo add 198.51.100.100/32"),
        (
            "{ address: { client.outside: delete lb/web.address/24 } }",
            "address: address client.outside delete 198.51.100.100/24"
        ),
        (
            "{ rule: { client: add preference 10 from client to 10.0.0.0/8 iif lo table main } }",
            "rule: rule client 10: from 192.0.2.10/32 to 10.0.0.0/8 in lo lookup 254"
        ),
        ("{ rule: { client: delete priority 10 } }", "rule: rule client 10: none"),
        ("{ clear: fw-a }", "clear: clear fw-a sessions: all"),
        (
            "{ clear: { fw-a: tcp from client to lb/web.address port 80 } }",
            "clear: clear fw-a sessions: tcp from 192.0.2.10 to 198.51.100.100 port 80"
        ),
        ("{ clear: client }", "clear: clear client conntrack"),
    ])
    func `are read`(_ step: String, _ label: String) {
        #expect(read("- " + step) == [label])
    }

    @Test(arguments: [
        ("{ exec: { clint: ls } }", "exec names 'clint', which is no node"),
        ("{ exec: client }", "the command of 'exec' is missing"),
        ("{ exec: { client: ls }, exit: 300 }", "'exit' of an 'exec' step is '300'"),
        ("{ exec: { client: ls }, within: 2h }", "'within' of a 'exec' step is '2h'"),
        ("{ exec: { client: ls, lb: ls } }", "'exec' is a mapping"),
        ("{ signal: { backend-1/cash: HUP } }", "signal names 'backend-1/cash', which is no program of a node"),
        ("{ signal: { backend-1/cache: HOP } }", "'HOP' is no signal for a program"),
        ("{ restart: { backend-1/cache: now } }", "'restart' is 'now' of 'backend-1/cache'"),
        ("{ sysctl: { client: { kernel.panic: 1 } } }", "'kernel.panic' is no setting of a network namespace"),
        ("{ sysctl: { client: { net.ipv4.../../kernel.panic: 1 } } }", "is no setting of a network namespace"),
        ("{ sysctl: client }", "'sysctl' of 'client' sets nothing"),
        ("{ route: { client: change default via fw-b.outside } }", "'change' is no verb of 'route'"),
        ("{ route: { client: add default } }", "the route to 0.0.0.0/0 leads nowhere"),
        ("{ route: { client: add default via fw-c.outside } }", "'fw-c.outside' in 'route' is no address"),
        ("{ route: { client: add 10.0.0.0/8 via 2001:db8::1 } }", "the gateway 2001:db8::1 is not of the family of"),
        ("{ route: { client: add default dev inside } }", "'client' has no interface 'inside'"),
        (
            "{ address: { fw-a.outside: add 192.0.2.9/24 } }",
            "which is of firewall, whose addresses are its configuration"
        ),
        ("{ address: { client.inside: add 192.0.2.9/24 } }", "which is no interface of a client, backend or router"),
        ("{ address: { client.outside: add 192.0.2.300 } }", "'192.0.2.300' in 'address' is no address"),
        ("{ rule: { client: add preference 10 from client } }", "a rule that is added needs a table"),
        ("{ rule: { client: delete preference 10 table 7 } }", "a rule is deleted by its preference alone"),
        ("{ rule: { client: add from client table 7 } }", "a rule needs a preference"),
        ("{ clear: lb }", "'lb' is load-balancer, which has no sessions to clear"),
        ("{ clear: { client: tcp } }", "'client' is a host, of which all tracked connections are cleared"),
        ("{ clear: { fw-a: gre } }", "'gre' selects no sessions"),
        ("{ clear: { fw-a: tcp udp } }", "'clear' has more than one protocol"),
        ("{ clear: { fw-a: from client from lb } }", "'clear' has 'from' twice"),
        ("{ clear: { fw-a: from 2001:db8::1 } }", "2001:db8::1 matches no session: they are IPv4's"),
        ("{ route: { client: add default via fw-a.outside via fw-b.outside } }", "'route' has 'via' twice"),
        ("{ rule: { client: add preference 1 pref 2 table 7 } }", "'rule' has more than one preference"),
    ])
    func `are refused before anything is built`(_ step: String, _ problem: String) {
        let found = read("- " + step)
        #expect(found.count == 1 && found[0].contains(problem), "\(found)")
    }

    /// Names from the command line are those of a lab file.
    @Test(arguments: [
        ("failover", nil), ("a-1", nil), ("x y", "'x y' cannot be the name of an event: lower-case letters"),
        ("", "'' cannot be the name of an event"), ("Failover", "'Failover' cannot be the name of an event"),
        (String(repeating: "a", count: 64), "of an event has 64 characters: at most 63"),
    ])
    func `have events of names that a lab file may have`(_ name: String, _ problem: String?) {
        let found = Fault.problem(withEventName: name)
        #expect(problem.map { found?.contains($0) ?? false } ?? (found == nil), "\(found ?? "nothing")")
    }

    @Test func `are refused on a node that is off, and with an event that is taken`() {
        let off = read("- fail: { power-off: lb }", "- exec: { lb: ls }")
        #expect(off.count == 1 && off[0].contains("exec is not possible here: 'lb' is powered off"), "\(off)")
        let twice = read("- exec: { lb: ls }", "- exec: { lb: ls }")
        #expect(twice.count == 1 && twice[0].contains("an event 'exec' happens twice"), "\(twice)")
    }

    @Test func `make events that later steps wait for`() {
        #expect(read("- { exec: { lb: ls }, as: look }", "- wait-for: look.exited").count == 2)
        #expect(read("- { exec: { lb: ls } }", "- wait-for: exec.exited").count == 2)
        let other = read("- { clear: fw-a }", "- wait-for: clear.exited")
        #expect(other.count == 1 && other[0].contains("there is no event 'clear.exited'"), "\(other)")
    }

    @Test(arguments: LiveStepKinds.words)
    func `of each kind is in the table once, in a lab, and in messages as it was`(word: String) throws {
        let kinds = LiveStepKinds.table.filter { $0.word == word }
        #expect(kinds.count == 1)
        #expect(!FaultKinds.table.contains { $0.key == kinds[0].key })
        #expect(LabFiles.mention("\(word): {") || LabFiles.mention("\(word): "), "no lab has a step '\(word)'")
        for event in [kinds[0].event] + kinds[0].laterEvents { #expect(event.details(from: .scenario) != nil) }
    }

    @Test func `are the same in the command, and in messages`() throws {
        let variant = try Lab(parsing: Self.text([]), path: "lab.yaml").variants[0]
        for (text, form) in [
            (#"{ "exec": { "lb": "ls" }, "as": "look", "within": "1s" }"#, #"{"exec":{"command":"#),
            (#"{ "signal": { "backend-1/cache": ["TERM"] } }"#, #"{"signal":{"ends":true,"program":"#),
            (#"{ "clear": "fw-a" }"#, #"{"clear":{"node":"fw-a","sessions":{}}}"#),
        ] {
            let (step, name) = try Fault.parsing(step: text, of: variant)
            #expect(name == (text.contains("look") ? "look" : nil))
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            let line = try encoder.encode(step)
            #expect(String(decoding: line, as: UTF8.self).hasPrefix(form))
            #expect(try JSONDecoder().decode(Fault.self, from: line) == step)
        }
        #expect(throws: LabFileErrors.self) { try Fault.parsing(step: "{ reboot: lb }", of: variant) }
        #expect(throws: LabFileErrors.self) { try Fault.parsing(step: "[]", of: variant) }
    }

    @Test func `the reference has their table`() throws {
        let rows = LiveStepKinds.table.map { kind in
            "| `\(kind.word): \(kind.form)` | \(kind.options.map { "`\($0)`" }.joined(separator: ", ")) | \(kind.summary) |"
        }
        try ReferencePage("live-steps").check(
            (["| step | options | effect |", "|---|---|---|"] + rows).joined(separator: "\n"))
    }
}
