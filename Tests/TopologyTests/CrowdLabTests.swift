import Dataplane
import Expectation
import LabFile
import Measurement
import Testing
import Wire

@testable import Topology

@Suite struct `Crowds, counters that are waited for, and what is carried over, in a lab file` {
    private static func text(
        traffic: String = "kind: udp-crowd, flows: 5000, sources: 10.64.0.0/25, every: 4s, spread: 3s",
        loopback: String = "[10.64.0.0/24, 192.0.2.200]",
        wait: String = "counter: { of: fw, name: sessions, is: \">= 5000\" }",
        expect: String = "carried-over: { first: { on: fw.inside, before: synced }, then: { on: fw.outside } }"
    ) -> String {
        """
        schema: 1
        name: crowd
        networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24 }
        nodes:
          client: { role: client, interfaces: { inside: 198.51.100.10 }, gateway: fw.inside, loopback: \(loopback) }
          server: { role: backend, interfaces: { outside: 192.0.2.10 }, gateway: fw.outside }
          fw:
            role: firewall
            interfaces: { outside: 192.0.2.1, inside: 198.51.100.1 }
        traffic:
          crowd: { from: client, to: "server:7", \(traffic) }
        scenario:
          - start: crowd
          - wait-for: crowd.answered
          - wait-for: { \(wait) }
            as: synced
            within: 20s
        expect:
          - \(expect)

        """
    }

    private func variant(_ text: String) throws -> Variant {
        let variant = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
        // What a run keeps of it reads back to the same.
        #expect(try Lab(parsing: variant.resolvedYAML, path: "resolved.yaml").variants == [variant])
        return variant
    }

    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)".split(separator: "\n").joined(separator: " ") }
        }
    }

    @Test func `become a program with its sources, a wait and an expectation`() throws {
        let variant = try variant(Self.text())
        let program = try #require(variant.traffic.first)
        #expect(program.kind == .udpManyFlows && program.flows == 5000)
        let own = ManyFlowTraffic(.init(sources: IPv4Network("10.64.0.0/25"), spread: .seconds(3)))
        #expect(program.options(of: ManyFlowTraffic.self) == own)
        #expect(
            variant.scenario == [
                .start(["crowd"]), .waitFor(event: "crowd.answered", within: .seconds(10)),
                .waitForCounter(
                    CounterExpectation(node: "fw", name: "sessions", value: .init(.greaterOrEqual, 5000)), as: "synced",
                    within: .seconds(20)),
            ])
        #expect(
            variant.expectations.map(\.subject) == [
                .carriedOver(
                    CarryExpectation(
                        first: .init(node: "fw", interface: "inside", before: Anchor(event: "synced")),
                        then: .init(node: "fw", interface: "outside")))
            ])
        #expect(variant.expectations.map(\.id) == ["fw-inside-carried-over"])
    }

    @Test func `a network on the loopback makes all of its addresses the node's own`() throws {
        let variant = try variant(Self.text())
        let node = try #require(variant.nodes.first { $0.name == "client" })
        #expect(node.loopback == [.ipv4(IPv4Address(192, 0, 2, 200))])
        #expect(node.loopbackNetworks == [IPv4Network("10.64.0.0/24")!])
        let plan = Plan(for: variant).steps.map(\.description)
        #expect(
            plan.contains(
                "client: address 10.64.0.1/24 on lo (the lab file wants the network's addresses on the loopback)"),
            "\(plan.filter { $0.contains(" on lo") })")
        #expect(
            messages(Self.text(loopback: "[10.64.0.0/24, 10.64.0.128/25]")).first?
                .contains("10.64.0.128/25 overlaps another network on the loopback of 'client'") == true)
    }

    @Test func `what is carried over has fields, filters and numbers`() throws {
        let expectation = """
            carried-over:
                  by: [probe.flow, udp.srcport]
                  match: udp and dst host server.outside.ip
                  first: { on: fw.inside, match: udp, before: synced }
                  then: { on: fw.outside, after: synced + 10ms }
                  count: 5000
                  missing: "<= 3"
            """
        #expect(
            try variant(Self.text(expect: expectation)).expectations.map(\.subject) == [
                .carriedOver(
                    CarryExpectation(
                        fields: ["probe.flow", "udp.srcport"],
                        first: .init(node: "fw", interface: "inside", match: "udp", before: Anchor(event: "synced")),
                        then: .init(
                            node: "fw", interface: "outside", match: "udp and dst host 192.0.2.10",
                            after: Anchor(event: "synced", offset: .milliseconds(10))), count: .init(.equal, 5000),
                        missing: .init(.lessOrEqual, 3)))
            ])
    }

    @Test func `a mistake is told with what is allowed`() {
        let mistakes: [(text: String, part: String)] = [
            (
                Self.text(traffic: "kind: udp, flows: 5, sources: 10.64.0.0/25"),
                "'sources' belongs to kind udp-crowd; this one is udp"
            ),
            (
                Self.text(traffic: "kind: tcp-stream, spread: 1s"),
                "'spread' belongs to kind udp-crowd; this one is tcp-stream"
            ),
            (Self.text(traffic: "kind: udp, flows: 1001"), "a whole number from 1 to 1000"),
            (Self.text(traffic: "kind: udp-crowd, flows: 1000001"), "a whole number from 1 to 1000000"),
            (
                Self.text(traffic: "kind: udp-crowd, flows: 1025"),
                "1025 flows from 1 address take 1025 source ports of each"
            ),
            (
                Self.text(traffic: "kind: udp-crowd, flows: 130000, sources: 10.64.0.0/25"),
                "at most 1024 source ports: 129024 flows"
            ),
            (Self.text(traffic: "kind: udp-crowd, flows: 9, sources: 10.65.0.0/25"), "which 'client' does not have"),
            (Self.text(traffic: "kind: udp-crowd, flows: 9, sources: many"), "10.64.0.0/24"),
            (Self.text(traffic: "kind: udp-crowd, flows: 9, every: 1s, spread: 2s"), "'spread'"),
            (Self.text(wait: "counter: { of: fw-x, name: sessions, is: 1 }"), "'of' is 'fw-x', which is no node"),
            (Self.text(wait: "counter: { of: server, name: sessions, is: 1 }"), "a counter of the kernel, such as"),
            (Self.text(wait: "count: { of: fw, name: sessions, is: 1 }"), "counter"),
            (Self.text(expect: "carried-over: { first: { on: fw.inside } }"), "'then'"),
            (
                Self.text(expect: "carried-over: { by: udp.port, first: { on: fw.inside }, then: { on: fw.outside } }"),
                "'by' is 'udp.port', which is no field of a frame"
            ),
            (Self.text(expect: "carried-over: { first: { on: fw.in }, then: { on: fw.outside } }"), "fw.in"),
            (
                Self.text(expect: "frames: { on: fw.inside, of: crowd }\n    some:"),
                "'crowd' is a crowd, whose frames 'of' does not tell; use 'match'"
            ),
            (Self.text(expect: "crowd: { survives: true, after: synced }"), "'after' selects flows by their starts"),
        ]
        for (text, part) in mistakes {
            let told = messages(text)
            #expect(told.contains { $0.contains(part) }, "\(part): \(told)")
        }
    }

    @Test func `a counter of a node that is off cannot be waited for`() {
        let text = Self.text().replacing(
            "  - wait-for: { counter", with: "  - { fail: { power-off: fw }, as: off }\n  - wait-for: { counter")
        #expect(messages(text).contains { $0.contains("no counter can be waited for: 'fw' is powered off") })
    }
}
