import Expectation
import LabFile
import Testing

@testable import Topology

/// Expectations over details of events, access logs and statuses, as a lab writes them.
@Suite struct `Expectations over records` {
    private static func text(_ expectations: String, kind: String = "http-request", variant: String = "") -> String {
        """
        schema: 1
        name: records
        networks: { clients: 192.0.2.0/24, servers: 10.0.0.0/24 }
        nodes:
          client: { role: client, interfaces: { clients: 192.0.2.10 } }
          lb:
            role: load-balancer
            interfaces: { clients: 192.0.2.5, servers: 10.0.0.5 }
            virtual-services: { web: { listen: 192.0.2.100:80, profile: http, pool: [member:80] } }
          member: { role: backend, interfaces: { servers: 10.0.0.11 } }
        traffic:
          requests: { from: client, to: \(kind == "http-request" ? "lb/web" : "\"member:7\""), kind: \(kind) }
        faults:
          late-fin: { on: lb.servers, class: fin, do: hold }
        scenario: [{ start: requests }]
        variants:
          v:
            shows: symptom
        \(variant)    expect:
              - \(expectations)
        """
    }

    private func variant(_ expectations: String, more: String = "") throws -> Variant {
        let lab = try Lab(parsing: Self.text(expectations, variant: more), path: "lab.yaml")
        let variant = try #require(lab.variants.first)
        // What a run keeps of it reads back to the same.
        #expect(try Lab(parsing: variant.resolvedYAML, path: "resolved.yaml").variants == [variant])
        return variant
    }

    private func messages(_ expectations: String, kind: String = "http-request") -> [String] {
        do {
            _ = try Lab(parsing: Self.text(expectations, kind: kind), path: "lab.yaml")
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }

    @Test func `details of an event`() throws {
        let read = try variant(
            """
            event:
                        name: lb.http-502
                        with: { snat-port: { of: late-fin.held, detail: destination-port }, member: [a, b], reason: { not: x }, server-time: "> 1.4" }
                        count: 1
                        before: requests.stop
            """
        ).expectations
        #expect(
            read.map(\.subject) == [
                .event(
                    EventExpectation(
                        event: "lb.http-502",
                        with: [
                            RecordCheck(
                                field: "snat-port",
                                condition: .isThatOf(event: "late-fin.held", detail: "destination-port")),
                            RecordCheck(field: "member", condition: .isOneOf(["a", "b"])),
                            RecordCheck(field: "reason", condition: .isNoneOf(["x"])),
                            RecordCheck(field: "server-time", condition: .compares(.init(.greater, 1.4))),
                        ], count: .init(.equal, 1), before: Anchor(event: "requests.stop"),
                        reporter: "lb"))
            ])
    }

    @Test func `lines of an access log, with references`() throws {
        let read = try variant(
            """
            { log: { on: lb, where: { status: 502 }, after: requests.start, within: 1s }, every: { memberAddress: member.servers.ip } }
                  - { log: { on: lb }, count: { is: ">= 2", status: { not: [502, 504] } } }
                  - { log: { on: lb }, none: }
            """
        ).expectations
        #expect(
            read.map(\.subject) == [
                .log(
                    LogExpectation(
                        node: "lb", selection: [RecordCheck(field: "status", condition: .isOneOf(["502"]))],
                        after: Anchor(event: "requests.start"), within: .seconds(1),
                        requirement: .every([RecordCheck(field: "memberAddress", condition: .isOneOf(["10.0.0.11"]))]))),
                .log(
                    LogExpectation(
                        node: "lb",
                        requirement: .count(
                            .init(.greaterOrEqual, 2),
                            [RecordCheck(field: "status", condition: .isNoneOf(["502", "504"]))]))),
                .log(LogExpectation(node: "lb", requirement: .none([]))),
            ])
        #expect(read.map(\.id) == ["lb-log-every-memberAddress", "lb-log-count-status", "lb-log-none"])
    }

    @Test func `statuses as counts and as shares`() throws {
        let read = try variant(#"requests: { statuses: { 200: "> 1000", 502: "< 1.5%", none: 0, other: "0%" } }"#)
        guard let traffic = read.expectations.first?.subject.value as? TrafficExpectation else {
            Issue.record("no traffic")
            return
        }
        #expect(
            traffic.statuses == [
                StatusExpectation(.status(200), .count(.init(.greater, 1000))),
                StatusExpectation(.status(502), .share(.init(.less, 1.5))),
                StatusExpectation(.none, .count(.init(.equal, 0))), StatusExpectation(.other, .share(.init(.equal, 0))),
            ])
    }

    @Test func `a variant on request, and timers that all its stacks follow`() throws {
        let read = try variant("requests: survived", more: "    on-request: on\n    change: { timers: vendor }\n")
        #expect(read.isOnRequest && read.timers == .vendor)
        let exponential = PlanStep.Action.set(
            Sysctl("net/ipv4/tcp_syn_linear_timeouts", "0", isOptional: true))
        let stacks = Plan(for: read).namespaces.filter { $0.preparation.contains { $0.action == exponential } }
        #expect(stacks.map(\.id.description) == ["client", "lb", "member"])
        let quick = try variant("requests: survived")
        #expect(!quick.isOnRequest && quick.timers == .quick)
        #expect(!Plan(for: quick).steps.contains { $0.action == exponential })
    }

    @Test(arguments: [
        (
            "event: { name: lb.http-502, with: { snat-prot: 1 } }",
            "'snat-prot' is not a detail of lb.http-502", "did you mean 'snat-port'?"
        ),
        (
            "event: { name: lb.http-502, with: { snat-port: { of: late-fin.hold, detail: from } } }",
            "there is no event 'late-fin.hold'", "did you mean 'late-fin.held'?"
        ),
        (
            "event: { name: lb.http-502, with: { snat-port: { of: late-fin.held, detail: form } } }",
            "'form' is no detail of late-fin.held", "did you mean 'from'?"
        ),
        ("event: { name: lb.http-502, with: { snat-port: { not: 1, of: late-fin.held } } }", "do not go together", ""),
        ("event: { name: lb.http-502, with: { server-time: \"> soon\" } }", "'server-time' is '> soon'", "a number"),
        ("event: { name: lb.http-502, with: [1] }", "'with' is a list", "a mapping of fields"),
        (
            "{ log: { on: lb }, every: { snatport: 1 } }", "'snatport' is not a field of the access log",
            "did you mean 'snatPort'?"
        ),
        ("{ log: { on: member }, none: }", "'member' has no access log", "allowed: lb"),
        (
            "{ log: { on: lb } }", "an expectation of log needs a requirement beside 'log'",
            "every, some, none, count, first"
        ),
        ("{ log: { on: lb }, sequence: [{ status: 1 }] }", "unknown key 'sequence'", ""),
        ("{ log: { on: lb, whence: {} }, none: }", "unknown key 'whence'", "did you mean 'where'?"),
        ("requests: { statuses: { 99: 1 } }", "'99' is no status", "a status from 100 to 599, none, other"),
        ("requests: { statuses: { othr: 1 } }", "'othr' is no status", "did you mean 'other'?"),
        ("requests: { statuses: { 200: many } }", "'200' of 'statuses' is 'many'", "a share"),
        ("requests: { statuses: { 200: 120% } }", "'200' of 'statuses' is '120%'", "a share"),
        ("requests: { statuses: {} }", "'statuses' names no status", "a mapping of"),
    ])
    func `a mistake is told with what is allowed`(expectation: String, problem: String, more: String) {
        let messages = messages(expectation)
        #expect(messages.contains { $0.contains(problem) && $0.contains(more) }, "\(messages)")
        #expect(messages.count <= 2, "\(messages)")
    }

    @Test func `answers without HTTP have no status`() {
        let messages = messages("requests: { statuses: { 200: 1 } }", kind: "tcp-connect")
        #expect(messages.count == 1 && messages[0].contains("no http-request"), "\(messages)")
    }
}
