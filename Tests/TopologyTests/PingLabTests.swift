import Configuration
import Expectation
import LabFile
import Measurement
import Testing
import Topology
import Wire

@Suite struct `Ping and outages in a lab file` {
    private static func text(
        to: String = "server", more: String = "", expect: String = "outage: { of: app, at-most: 500ms, after: cut }"
    ) -> String {
        """
        schema: 1
        name: ping
        networks: { net: [192.0.2.0/24, "2001:db8::/64"], old: 198.51.100.0/24 }
        nodes:
          client: { role: client, interfaces: { net: [192.0.2.10, "2001:db8::10"] } }
          server: { role: backend, interfaces: { net: [192.0.2.20, "2001:db8::20"], old: 198.51.100.20 } }
          other: { role: backend, interfaces: { old: 198.51.100.30 } }
        traffic:
          app: { from: client, to: \(to), kind: ping, every: 10ms\(more) }
          idle: { from: client, to: server, kind: ping }
        scenario:
          - start: app
          - { fail: { link-down: server.net }, as: cut }
        expect:
          - app: survives
          - \(expect)

        """
    }

    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)".split(separator: "\n").joined(separator: " ") }
        }
    }

    @Test func `become a program without a port and without a server, and an expectation`() throws {
        let variant = try #require(try Lab(parsing: Self.text(more: ", count: 5"), path: "lab.yaml").variants.first)
        let program = try #require(variant.traffic.first)
        #expect(program.kind == .ping && program.port == 0 && program.target == .ipv4(IPv4Address(192, 0, 2, 20)))
        #expect(program.options(of: PingTraffic.self)?.count == 5 && program.transport == .icmp)
        #expect(variant.node(named: "server")?.role.host?.servers == [])
        #expect(variant.expectations.last?.id == "app-outage")
        #expect(try Lab(parsing: variant.resolvedYAML, path: "resolved.yaml").variants == [variant])
    }

    @Test(arguments: ["server.net.ip6", "\"2001:db8::20\"", "\"[2001:db8::20]\""])
    func `takes IPv6`(to: String) throws {
        let program = try #require(try Lab(parsing: Self.text(to: to), path: "lab.yaml").variants.first?.traffic.first)
        #expect(program.target == IPAddress("2001:db8::20") && program.transport == .icmpv6)
    }

    @Test(arguments: [
        (
            text(to: "\"server:7\""),
            "9:28: 'to' of a traffic program is 'server:7', but kind ping has no port"
        ),
        (text(to: "lb/web"), "9:28: there is no virtual service 'lb/web'"),
        (text(to: "nobody"), "9:28: the target is 'nobody', but there is no node 'nobody'"),
        (text(more: ", count: 0"), "9:68: 'count' of a traffic program is '0'"),
        (
            text(more: ", retry-every: 1s"),
            "9:61: 'retry-every' belongs to the kinds udp-request and udp-crowd"
        ),
        (text(more: ", flows: 101"), "9:68: 'flows' of a traffic program is '101'"),
        (text(expect: "outage: { of: app }"), "16:13: this expectation of an outage has no bound"),
        (text(expect: "outage: { of: apt, at-most: 1s }"), "16:19: there is no traffic program 'apt'"),
        (
            text(expect: "outage: { of: idle, at-most: 1s }"),
            "16:19: traffic program 'idle' is never started by the scenario"
        ),
        (text(expect: "outage: { of: app, at-most: 10 }"), "16:33: 'at-most' of an expectation of an outage"),
        (text(expect: "outage: { of: app, most: 1s }"), "16:24: "),
        (
            text(expect: "outage: { of: app, at-most: 1s, at-least: 2s }"),
            "16:37: 'at-least' is longer than 'at-most'"
        ),
        (text(expect: "outage: { of: app, at-most: 1s, after: cat }"), "16:44: there is no event 'cat'"),
    ])
    func `mistakes are told with line, column and what is allowed`(text: String, message: String) {
        let found = messages(text)
        #expect(found.contains { $0.hasPrefix(message) }, "\(found)")
    }

    @Test func `other kinds still need a port, and have no count`() {
        let udp = Self.text().replacing("kind: ping, every", with: "kind: udp, every")
        #expect(messages(udp).contains { $0.hasPrefix("9:28: 'to' of a traffic program is 'server'") })
        let counted = Self.text(to: "\"server:7\"", more: ", count: 3").replacing(
            "kind: ping, every", with: "kind: udp, every")
        let found = messages(counted)
        #expect(found.contains { $0.contains("'count' belongs to the kinds ping and command; this one is udp") })
    }
}
