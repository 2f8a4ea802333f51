import Configuration
import Impairment
import LabFile
import Testing
import Wire

@testable import Topology

/// The small lab with a fault on the cable between balancer and backend.
private func lab(_ fault: String, step: String = "wait: 1s") throws(LabFileErrors) -> Variant {
    let text = SmallLab.replacing(
        "scenario:\n", "faults:\n  late-fin: \(fault)\nscenario:\n  - \(step)\n")
    return try Lab(parsing: text, path: "lab.yaml").variants[0]
}

private func message(_ fault: String, step: String = "wait: 1s") -> String {
    do {
        _ = try lab(fault, step: step)
        return "nothing is wrong"
    } catch {
        return error.errors.map { $0.message }.joined(separator: "\n")
    }
}

@Suite struct `Faults of a lab file` {
    @Test func `choose frames and say what happens to them`() throws {
        let variant = try lab(
            """
            { on: lb.servers, direction: to-lb, match: "tcp port lb/web.port", class: fin, occurrence: first,
                do: { hold: { copy: on, until: { class: syn, direction: from-lb, same-flow: on, time: 5s } } } }
            """)
        let element = try #require(variant.elements.first)
        #expect(variant.elements.count == 1)
        #expect(element.name == "lb.servers")
        #expect(element.ends == ["lb", "backend-1"])
        #expect(
            element.rules == [
                FaultRule(
                    name: "late-fin",
                    selection: FrameSelection(
                        direction: .fromFar, filter: "tcp port 80", segment: .fin, occurrence: .nth(1)),
                    action: .hold(
                        Hold(
                            copy: true,
                            until: ReleaseCondition(
                                frame: PassingFrame(direction: .fromNear, segment: .syn, relation: .flow),
                                time: .seconds(5)))))
            ])
        #expect(variant.capture.interfaces.map(\.description).suffix(2) == ["lb.servers.near", "lb.servers.far"])
    }

    @Test(
        arguments: [
            ("drop", .drop), ("{ loss: 5% }", .lose(Loss(rate: 0.05))),
            ("{ loss: { rate: 2.5%, burst: 3 } }", .lose(Loss(rate: 0.025, burst: 3))),
            ("{ delay: 50ms }", .delay(Delay(.fixed(.milliseconds(50))))),
            (
                "{ delay: { uniform: { from: 1ms, to: 2ms }, keep-order: on } }",
                .delay(Delay(.uniform(from: .milliseconds(1), to: .milliseconds(2)), keepsOrder: true))
            ),
            (
                "{ delay: { normal: { mean: 5ms, deviation: 1ms } } }",
                .delay(Delay(.normal(mean: .milliseconds(5), deviation: .milliseconds(1))))
            ),
            ("{ delay: { exponential: 20ms } }", .delay(Delay(.exponential(mean: .milliseconds(20))))),
            (
                "{ delay: { pareto: { minimum: 5ms, shape: 1.5 } } }",
                .delay(Delay(.pareto(minimum: .milliseconds(5), shape: 1.5)))
            ),
            ("duplicate", .duplicate(Duplication())),
            ("{ duplicate: { copies: 2, gap: 1ms } }", .duplicate(Duplication(copies: 2, gap: .milliseconds(1)))),
            ("hold", .hold(Hold())),
            ("{ hold: { until: 2s } }", .hold(Hold(until: ReleaseCondition(time: .seconds(2))))),
            (
                "{ hold: { until: { event: failover, wait: 1ms } } }",
                .hold(Hold(until: ReleaseCondition(event: "failover", wait: .milliseconds(1))))
            ),
            ("corrupt", .corrupt(Corruption())),
            (
                "{ corrupt: { part: ip, byte: 8, bit: 0, checksums: fixed } }",
                .corrupt(Corruption(part: .network, byte: 8, bit: 0, checksums: .fixed))
            ),
            ("{ reorder: 3 }", .reorder(Reordering(behind: 3))),
            ("{ rate: 10Mbit/s }", .limit(RateLimit(bitsPerSecond: 10_000_000))),
            (
                "{ rate: { limit: 1.5kbit/s, burst: 3000, queue: 9000 } }",
                .limit(RateLimit(bitsPerSecond: 1500, burst: 3000, queue: 9000))
            ),
        ] as [(String, FaultAction)])
    func `can do everything`(text: String, action: FaultAction) throws {
        #expect(try lab("{ on: lb.servers, do: \(text) }").elements[0].rules.map(\.action) == [action])
    }

    @Test(arguments: [
        ("{ do: drop }", "a fault needs the key 'on'"),
        ("{ on: lb.server, do: drop }", "did you mean 'lb.servers'?"),
        ("{ on: lb.servers, class: fin }", "a fault needs the key 'do'"),
        (
            "{ on: lb.servers, class: fim, do: drop }",
            "'class' of a fault is 'fim'; allowed: syn, syn-ack, fin, rst, data, ack, retransmission; did you mean 'fin'?"
        ),
        ("{ on: lb.servers, direction: from-fw-a, do: drop }", "allowed: from-lb, to-lb, from-backend-1, to-backend-1"),
        (
            "{ on: lb.servers, do: dorp }",
            "'do' is 'dorp'; allowed: drop, loss, delay, duplicate, hold, corrupt, reorder, rate; did you mean 'drop'?"
        ),
        ("{ on: lb.servers, do: delay }", "'delay' needs more"),
        ("{ on: lb.servers, do: { delay: 50 } }", "'delay' is '50' without a unit"),
        (
            "{ on: lb.servers, do: { delay: { uniform: { from: 3ms, to: 2ms } } } }",
            "'to' of 'uniform' is before 'from'"
        ),
        ("{ on: lb.servers, do: { loss: 5 } }", "'loss' is '5'; allowed: a share from 0% to 100%"),
        ("{ on: lb.servers, do: { rate: 10 } }", "'rate' is '10'; allowed: a rate with its unit"),
        ("{ on: lb.servers, occurrence: second, do: drop }", "'occurrence' is 'second'"),
        ("{ on: lb.servers, occurrence: { nth: 0 }, do: drop }", "a whole number from 1"),
        ("{ on: lb.servers, flow-of: early-fin, do: drop }", "'flow-of' of fault 'late-fin' is 'early-fin'"),
        ("{ on: lb.servers, do: { hold: { until: { event: failovr } } } }", "there is no event 'failovr'"),
        (
            "{ on: lb.servers, do: { hold: { until: { same-flow: on, same-client-port: on } } } }",
            "'same-flow' says more"
        ),
        ("{ on: lb.servers, do: { hold: { until: {} } } }", "'until' needs something to wait for"),
        ("{ on: lb.servers, match: tcp port lb/wob.port, do: drop }", "'lb/wob.port' refers to nothing"),
    ])
    func `with a mistake are refused with what is allowed`(fault: String, expected: String) {
        let message = message(fault)
        #expect(message.contains(expected), "\(message)")
    }

    @Test func `cannot be called like a node or a program`() {
        let text = SmallLab.replacing("scenario:\n", "faults: { existing: { on: lb.servers, do: drop } }\nscenario:\n")
        #expect(throws: LabFileErrors.self) { try Lab(parsing: text, path: "lab.yaml") }
    }

    @Test func `are armed and released by the scenario, and their events have names`() throws {
        let fault = "{ on: backend-1.servers, armed: off, do: hold }"
        let variant = try lab(
            fault,
            step:
                "fail: { arm: late-fin }\n  - { wait-for: late-fin.held, within: 1s }\n  - { fail: { release: late-fin } }"
        )
        #expect(variant.elements.map(\.name) == ["backend-1.servers"])
        #expect(variant.elements[0].rules.map(\.isArmed) == [false])
        #expect(
            variant.scenario.prefix(3) == [
                .fail(.arm(rule: "late-fin", element: "backend-1.servers"), as: "arm"),
                .waitFor(event: "late-fin.held", within: .seconds(1)),
                .fail(.release(rule: "late-fin", element: "backend-1.servers"), as: "release"),
            ])
        #expect(message(fault, step: "fail: { arm: late-fn }").contains("did you mean 'late-fin'?"))
        #expect(message(fault, step: "wait-for: late-fin.dropped").contains("there is no event 'late-fin.dropped'"))
    }

    @Test func `on both ends of one cable share one element`() throws {
        let text = SmallLab.replacing(
            "scenario:\n",
            "faults: { one: { on: backend-1.servers, do: drop }, two: { on: lb.servers, direction: to-lb, do: drop }, three: { on: fw-a.inside } }\nscenario:\n"
        )
        let variant = try Lab(parsing: text, path: "lab.yaml").variants[0]
        #expect(variant.elements.map(\.name) == ["backend-1.servers", "fw-a.inside"])
        #expect(variant.elements[0].rules.map(\.selection.direction) == [nil, .fromNear])
        #expect(variant.elements[1].ends == ["fw-a", "switch"])
        #expect(variant.elements[1].rules.isEmpty)
        #expect(variant.element(onCableOf: InterfaceReference(node: "lb", interface: "servers"))?.isNear == false)
        #expect(variant.element(onCableOf: InterfaceReference(node: "lb", interface: "inside")) == nil)
    }

    @Test func `read back from the resolved file`() throws {
        let variant = try lab("{ on: lb.servers, class: fin, do: drop }")
        let again = try Lab(parsing: variant.resolvedYAML, path: "lab.yaml").variants[0]
        #expect(again.elements == variant.elements)
    }

    @Test func `cut a cable in two, in a namespace that says nothing`() throws {
        let text = SmallLab.replacing(
            "scenario:\n", "faults: { one: { on: lb.servers }, two: { on: fw-a.inside } }\nscenario:\n")
        let plan = Plan(for: try Lab(parsing: text, path: "lab.yaml").variants[0])
        let links = plan.links.map { if case .createLink(let link) = $0.action { "\(link)" } else { "" } }
        #expect(links.contains("lb:wire/servers – lb.servers/near"))
        #expect(links.contains("lb.servers/far – backend-1/servers"))
        #expect(links.contains("fw-a:wire/inside – fw-a.inside/near"))
        #expect(links.contains("fw-a.inside/far – inside/fw-a"))
        #expect(!links.contains { $0.contains("lb:wire/servers") && $0.contains("backend-1") })
        let namespace = try #require(plan.namespaces.first { $0.id == .element("lb.servers") })
        #expect(namespace.configuration.map(\.action) == [.bringUp(interface: "near"), .bringUp(interface: "far")])
        let ends = plan.links.flatMap { step -> [PlannedLink.End] in
            if case .createLink(let link) = step.action { [link.a, link.b] } else { [] }
        }
        #expect(Set(ends.map { "\($0.namespace)/\($0.name)" }).count == ends.count)
    }

    @Test func `are given to a running lab in the same words`() throws {
        let variant = try lab("{ on: lb.servers }")
        let (element, rule) = try FaultRule.parsing(
            "\"drop\": { on: \"backend-1.servers\", class: fin, do: drop }\n", of: variant)
        #expect(element == "lb.servers")
        #expect(rule == FaultRule(name: "drop", selection: FrameSelection(segment: .fin), action: .drop))
        let without = #expect(throws: LabFileErrors.self) {
            try FaultRule.parsing("drop: { on: client.outside, do: drop }", of: variant)
        }
        #expect("\(try #require(without))".contains("the cable of client.outside has no in-line element"))
        #expect(throws: LabFileErrors.self) {
            try FaultRule.parsing("drop: { on: lb.servers, do: explode }", of: variant)
        }
        // While a lab is up as in its file: references, and the lab's own seed.
        let (_, resolved) = try FaultRule.parsing(
            "loss: { on: lb.servers, match: host backend-1.servers.ip, do: { loss: 5% } }", of: variant)
        let address = try #require(variant.node(named: "backend-1")?.interfaces[0].address?.address)
        #expect(resolved.selection.filter == "host \(address)")
        #expect(throws: LabFileErrors.self) {
            try FaultRule.parsing("drop: { on: lb.servers, match: host backend-2.servers.ip, do: drop }", of: variant)
        }
    }
}
