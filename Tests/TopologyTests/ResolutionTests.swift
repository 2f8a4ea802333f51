import Configuration
import Expectation
import LabFile
import LabTime
import Measurement
import Testing
import Wire

@testable import Topology

/// The first variant of a lab.
private func variant(_ text: String) throws -> Variant {
    try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
}

private func balancer(_ variant: Variant) throws -> LoadBalancerConfiguration {
    guard let balancer = variant.node(named: "lb")?.role.loadBalancer else { throw CancellationError() }
    return balancer
}

private func servers(_ variant: Variant) throws -> [ServerProgram] {
    guard let host = variant.node(named: "backend-1")?.role.host else { throw CancellationError() }
    return host.servers
}

@Suite struct `Resolving a lab` {
    @Test func `without variants has one control, named default`() throws {
        let variant = try variant(SmallLab.text)
        #expect(variant.name == "default" && variant.shows == .control && variant.title == "small")
        #expect(variant.expectations.map(\.id) == ["existing-timed-out", "lb-inside-every-eth-dst"])
    }

    @Test func `assigns the lowest free addresses, and link-local subnets`() throws {
        let text = SmallLab.replacing("outside: 192.0.2.10 }", "outside: }")
        let variant = try variant(text)
        // .1 is the pair's, .2 and .3 are the firewalls'.
        #expect(variant.node(named: "client")?.interfaces[0].address == IPv4InterfaceAddress("192.0.2.4/24"))
        #expect(variant.network(named: "servers")?.subnet == IPv4Network("169.254.1.0/24"))
        #expect(variant.node(named: "lb")?.interfaces[1].address == IPv4InterfaceAddress("169.254.1.1/24"))
        #expect(variant.node(named: "backend-1")?.interfaces[0].address == IPv4InterfaceAddress("169.254.1.2/24"))
    }

    @Test func `numbers MAC addresses by lab, node and interface`() throws {
        let macs = try variant(SmallLab.text).nodes.flatMap(\.interfaces).map { $0.mac.packed }
        #expect(Set(macs).count == macs.count)
        #expect(macs.allSatisfy { $0 >> 40 == 0x02 })
        #expect(macs.map { $0 & 0xff_ffff } == [0x101, 0x201, 0x202, 0x301, 0x302, 0x401, 0x402, 0x501])
        let other = try variant(SmallLab.replacing("name: small", "name: other")).nodes[0].interfaces[0].mac
        #expect(other.packed != macs[0] && other.packed & 0xff_ffff == macs[0] & 0xff_ffff)
    }

    @Test func `keeps a node's MAC addresses when a variant leaves another node out`() throws {
        let text =
            SmallLab.text
            + "\nvariants:\n  one:\n    shows: control\n    change: { nodes: { fw-b: null, fw-a: { redundancy: null, interfaces: { outside: 192.0.2.1 } } }, scenario: [{ start: existing }] }\n"
        let changed = text.replacing(
            "  - frames: { on: lb.inside, match: \"tcp and src host lb/web.address\", after: failover }\n    every: { eth.dst: fw-a.inside.mac }",
            with: "")
        let variant = try variant(changed)
        #expect(variant.node(named: "fw-b") == nil)
        #expect(variant.network(named: "outside")?.kind == .link)
        #expect((variant.node(named: "lb")?.interfaces[0].mac.packed ?? 0) & 0xff_ffff == 0x401)
    }

    @Test func `lets a backend serve what its pool and monitors ask`() throws {
        #expect(try servers(variant(SmallLab.text)) == [ServerProgram(kind: .tcpEcho, port: 8080)])
        let monitored = SmallLab.replacing(
            "pool: [backend-1:8080]",
            "pool: [{ member: backend-1, weight: 3 }]\n        monitor: { kind: http, port: 81, path: /up, every: 1s }")
        let resolved = try variant(monitored)
        #expect(
            try servers(resolved) == [ServerProgram(kind: .tcpEcho, port: 80), ServerProgram(kind: .http, port: 81)])
        let service = try balancer(resolved).services[0]
        #expect(
            service.members == [
                PoolMemberConfiguration(name: "backend-1", address: IPv4Address(169, 254, 1, 2), port: 80, weight: 3)
            ])
        #expect(
            service.monitor
                == MonitorConfiguration(
                    kind: .http, port: 81, path: "/up", interval: .seconds(1), timeout: .milliseconds(500), fall: 3,
                    rise: 2))
        let own = SmallLab.replacing(
            "interfaces: { servers: }", "interfaces: { servers: }\n    services: { echo: [53/udp, 7/tcp], http: 80 }")
        #expect(
            try servers(variant(own)) == [
                ServerProgram(kind: .udpEcho, port: 53), ServerProgram(kind: .tcpEcho, port: 7),
                ServerProgram(kind: .http, port: 80),
            ])
    }

    @Test func `takes the vendor's timers by one word, except where the lab sets its own`() throws {
        let text = SmallLab.replacing("name: small", "name: small\ntimers: vendor")
            .replacing("peer: fw-b", with: "peer: fw-b\n      heartbeat-every: 5ms")
        guard let box = try variant(text).node(named: "fw-b")?.role.firewall else { throw CancellationError() }
        #expect(box.redundancy?.advertisementInterval == .seconds(1))
        #expect(box.redundancy?.heartbeatInterval == .milliseconds(5))
        #expect(box.redundancy?.priority == 100 && box.redundancy?.peer == "fw-a")
    }

    @Test(arguments: [
        ("", "", Duration.seconds(2)), ("timers: vendor", "", .seconds(4)), ("", "timers: keepalived", .zero),
        ("", "timers: juniper", .seconds(4)), ("timers: vendor", "startup-silent-period: 0s", .zero),
    ])
    func `takes the startup silent period of both boxes from lab, vendor or file`(
        top: String, pair: String, period: Duration
    ) throws {
        let text = SmallLab.replacing("name: small", "name: small\n\(top)")
            .replacing("peer: fw-b", with: "peer: fw-b\n      \(pair)")
        for name in ["fw-a", "fw-b"] {
            guard let box = try variant(text).node(named: name)?.role.firewall else { throw CancellationError() }
            #expect(box.redundancy?.startupSilentPeriod == period, "\(name)")
        }
    }

    @Test func `finds the cross-connect, or is told that there is none`() throws {
        let wired = SmallLab.replacing("servers:\nnodes", "servers:\n  sync:\nnodes")
            .replacing("inside: 198.51.100.2 }", with: "inside: 198.51.100.2, sync: }")
            .replacing("inside: 198.51.100.3 }", with: "inside: 198.51.100.3, ha: { network: sync } }")
        guard let a = try variant(wired).node(named: "fw-a")?.role.firewall,
            let b = try variant(wired).node(named: "fw-b")?.role.firewall,
            let none = try variant(
                wired.replacing("peer: fw-b", with: "peer: fw-b\n      cross-connect: none")
            )
            .node(named: "fw-a")?.role.firewall
        else { throw CancellationError() }
        #expect(a.redundancy?.crossConnect?.port == "sync" && b.redundancy?.crossConnect?.port == "ha")
        #expect(a.redundancy?.crossConnect?.peerAddress == IPv4Address(169, 254, 2, 2))
        #expect(none.redundancy?.crossConnect == nil)
    }

    @Test func `reads every kind of expectation`() throws {
        let expectations = """
            expect:
              - existing: { survives: false, lost: "> 3", after: failover - 10ms }
              - event: fw-b.active
              - { id: twice, event: { name: fw-a.backup, count: 2, after: failover, within: 1s } }
              - - frames: { on: lb.inside, match: "(host client.outside.ip) and port lb/web.port", after: failover + 1.5ms, within: 1s }
                  count: { is: ">= 3", tcp.flags: [SYN, SYN-ACK], ip.ttl: "< 64", eth.src: { not: [fw-a.inside.mac, fw-b.inside.mac] } }
                - frames: { on: client.outside, of: existing, direction: to-client }
                  sequence: [{ tcp.flags: SYN }, { tcp.flags: SYN-ACK }]
                - frames: { on: client.outside }
                  none:
            """
        let text = SmallLab.text.components(before: "expect:") + expectations
        let resolved = try variant(text)
        let mac = { (node: String) in "\(resolved.node(named: node)!.interface(named: "inside")!.mac)" }
        let expected: [ExpectationSpecification] = [
            ExpectationSpecification(
                id: "existing-fails-lost",
                subject: .traffic(
                    TrafficExpectation(
                        traffic: "existing", fails: true, lost: Comparison(.greater, 3),
                        after: Anchor(event: "failover", offset: .milliseconds(-10))))),
            ExpectationSpecification(
                id: "fw-b-active",
                subject: .event(
                    EventExpectation(
                        event: "fw-b.active", count: Comparison(.greaterOrEqual, 1), reporter: "fw-b"))),
            ExpectationSpecification(
                id: "twice",
                subject: .event(
                    EventExpectation(
                        event: "fw-a.backup", count: Comparison(.equal, 2), after: Anchor(event: "failover"),
                        within: .seconds(1), reporter: "fw-a"))),
            ExpectationSpecification(
                id: "lb-inside-count-tcp-flags-ip-ttl",
                subject: .frames(
                    FrameExpectation(
                        node: "lb", interface: "inside", match: "(host 192.0.2.10) and port 80",
                        after: Anchor(event: "failover", offset: .microseconds(1500)), within: .seconds(1),
                        requirement: .count(
                            Comparison(.greaterOrEqual, 3),
                            [
                                FieldCheck(field: "tcp.flags", condition: .isOneOf(["SYN", "SYN-ACK"])),
                                FieldCheck(field: "ip.ttl", condition: .compares(Comparison(.less, 64))),
                                FieldCheck(field: "eth.src", condition: .isNot(mac("fw-a"))),
                                FieldCheck(field: "eth.src", condition: .isNot(mac("fw-b"))),
                            ])))),
            ExpectationSpecification(
                id: "client-outside-sequence",
                subject: .frames(
                    FrameExpectation(
                        node: "client", interface: "outside", flowsOf: "existing", direction: .toClient,
                        requirement: .sequence([
                            [FieldCheck(field: "tcp.flags", condition: .equals("SYN"))],
                            [FieldCheck(field: "tcp.flags", condition: .equals("SYN-ACK"))],
                        ])))),
            ExpectationSpecification(
                id: "client-outside-none",
                subject: .frames(FrameExpectation(node: "client", interface: "outside", requirement: .none([])))),
        ]
        for (seen, wanted) in zip(resolved.expectations, expected) { #expect(seen == wanted) }
        #expect(resolved.expectations.count == expected.count)
        let again = try variant(resolved.resolvedYAML)
        #expect(again == resolved)
    }

    @Test func `lets a variant extend another and replace its expectations by id`() throws {
        let text =
            SmallLab.text.replacing("- existing: timed-out", with: "- { id: outcome, existing: timed-out }") + """

                variants:
                  first: { shows: symptom, change: { timers: vendor }, expect: [{ id: more, existing: { lost: 0 } }] }
                  second: { shows: remedy, extends: first, expect: [{ id: outcome, existing: survives }] }
                """
        let lab = try Lab(parsing: text, path: "lab.yaml")
        #expect(lab.variants.map(\.shows) == [.symptom, .remedy])
        #expect(lab.variants[1].expectations.map(\.id) == ["outcome", "lb-inside-every-eth-dst", "more"])
        #expect(
            lab.variants[1].expectations[0].subject
                == .traffic(TrafficExpectation(traffic: "existing", outcome: .survived)))
        #expect(
            lab.variants[0].expectations[0].subject
                == .traffic(TrafficExpectation(traffic: "existing", outcome: .timedOut)))
    }

    @Test func `hands out every filter with its place`() throws {
        let lab = try Lab(parsing: SmallLab.text, path: "lab.yaml")
        #expect(
            lab.filters == [
                CaptureFilterDefinition(
                    text: "tcp and src host 198.51.100.100", position: SourcePosition(line: 42, column: 37))
            ])
        let error = lab.error("is no filter", at: lab.filters[0].position)
        #expect("\(error)".hasPrefix("lab.yaml:42:37: is no filter\n  "))
    }

    @Test func `captures what the lab chooses`() throws {
        let resolved = try variant(
            SmallLab.text + "\ncapture: { on: [client.outside, lb.inside], snapshot-length: 128 }\n")
        #expect(resolved.capture.interfaces.map(\.description) == ["client.outside", "lb.inside"])
        #expect(resolved.capture.snapshotLength == 128)
        #expect(try variant(SmallLab.text).capture.interfaces.count == 8)
    }
}

@Suite struct `Times in a lab` {
    @Test(arguments: [
        ("10ms", Duration.milliseconds(10)), ("500us", .microseconds(500)), ("1.5s", .milliseconds(1500)),
        ("2m", .seconds(120)),
        ("0.000001s", .microseconds(1)), ("7 ns", .nanoseconds(7)), ("1h", .seconds(3600)),
    ])
    func `are exact`(text: String, duration: Duration) {
        #expect(DurationText.parse(text) == duration)
        #expect(DurationText.parse(DurationText.text(duration)) == duration)
    }

    @Test(arguments: [
        "", "10", "ms", "-1s", "1.s", ".5s", "1..5s", "1s2", "1 fortnight", "99999999999999999999s", "9999999999h",
        "1e3s",
    ])
    func `have a unit and no sign, and end somewhere`(text: String) {
        #expect(DurationText.parse(text) == nil)
    }
}

extension String {
    fileprivate func replacing(_ old: String, with new: String) -> String {
        guard let start = indices.first(where: { self[$0...].hasPrefix(old) }) else { return self }
        return self[..<start] + new + self[index(start, offsetBy: old.count)...]
    }

    fileprivate func components(before part: String) -> String {
        guard let start = indices.first(where: { self[$0...].hasPrefix("\n" + part) }) else { return self }
        return String(self[...start])
    }
}
