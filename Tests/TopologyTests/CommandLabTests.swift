import Configuration
import Expectation
import LabFile
import Measurement
import Testing
import Topology
import Wire

@Suite struct `Commands in a lab file` {
    private static func text(
        to: String = "\"server:80\"", run: String = "[curl, -sS, \"http://$to/x\"]", more: String = "",
        expect: String = "app: { succeeds: true }", services: String = "services: { http: 80 }"
    ) -> String {
        """
        schema: 1
        name: commands
        networks: { net: [192.0.2.0/24, "2001:db8::/64"] }
        nodes:
          client: { role: client, interfaces: { net: [192.0.2.10, "2001:db8::10"] } }
          server: { role: backend, interfaces: { net: [192.0.2.20, "2001:db8::20"] }, \(services) }
        traffic:
          app: { from: client, kind: command, to: \(to), run: \(run)\(more) }
        scenario:
          - start: app
        expect:
          - \(expect)

        """
    }

    private static func program(_ text: String) throws -> (program: TrafficProgram, command: CommandTraffic) {
        do {
            let program = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first?.traffic.first)
            return (program, try #require(program.options(of: CommandTraffic.self)))
        } catch let errors as LabFileErrors {
            for error in errors.errors { Issue.record("\(error)") }
            throw errors
        }
    }

    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)".split(separator: "\n").joined(separator: " ") }
        }
    }

    @Test func `become a program with a port, and no server`() throws {
        let (program, command) = try Self.program(
            Self.text(
                more:
                    ", every: 500ms, flows: 3, protocol: udp, exit: [0, 9], output: ^ok, values: { t: '(?<value>1)' }",
                services: "services: { none: 80/udp }"))
        #expect(program.kind == .command && program.port == 80 && program.transport == .udp && program.flows == 3)
        #expect(program.target == .ipv4(IPv4Address(192, 0, 2, 20)))
        #expect(command.command == ["curl", "-sS", "http://192.0.2.20:80/x"])
        #expect(command.exits == [0, 9] && command.output == "^ok" && command.count == nil)
        #expect(command.values == [.init(name: "t", pattern: "(?<value>1)")])
        let variant = try #require(try Lab(parsing: Self.text(), path: "lab.yaml").variants.first)
        #expect(variant.node(named: "server")?.role.host?.servers.map(\.kind) == [.http])
        #expect(try Lab(parsing: variant.resolvedYAML, path: "resolved.yaml").variants == [variant])
    }

    @Test func `run once without an interval, and else until they are stopped`() throws {
        #expect(try Self.program(Self.text()).command.count == 1)
        #expect(try Self.program(Self.text(more: ", count: 4")).command.count == 4)
        #expect(try Self.program(Self.text(more: ", every: 1s")).command.count == nil)
        #expect(try Self.program(Self.text(more: ", every: 1s, count: 2")).command.count == 2)
    }

    @Test(arguments: [
        (
            "[x, $to, \"${to}x\", $to.address, \"-p$to.port\", $token, $to_x, $to., $x]", "\"server:80\"",
            ["x", "192.0.2.20:80", "192.0.2.20:80x", "192.0.2.20", "-p80", "$token", "$to_x", "192.0.2.20:80.", "$x"]
        ),
        (
            "[x, \"http://$to/\", \"${to.address}%$server.net.ip\"]", "server.net.ip6:80",
            ["x", "http://[2001:db8::20]:80/", "2001:db8::20%192.0.2.20"]
        ),
        ("'curl -s \"$to\" | grep $x'", "\"server:80\"", ["/bin/sh", "-c", "curl -s \"192.0.2.20:80\" | grep $x"]),
    ])
    func `take references and the target in their words`(run: String, to: String, words: [String]) throws {
        #expect(try Self.program(Self.text(to: to, run: run)).command.command == words)
    }

    @Test(arguments: [
        (text(run: "[]"), "8:61: 'run' of a traffic program is"),
        (text(run: "[\"curl -s\"]"), "8:62: 'run' of a traffic program begins with 'curl -s'"),
        (text(run: "[curl, $nobody.net.ip]"), "8:68: 'nobody.net.ip' refers to nothing"),
        (text(more: ", exit: 256"), "8:96: 'exit' of a traffic program is '256'"),
        (text(more: ", output: '('"), "8:98: the pattern of 'output' of a traffic program is '(', which is no regular"),
        (text(more: ", values: { rate: 'x' }"), "8:106: the pattern of 'rate' of 'values' has no group 'value'"),
        (text(more: ", values: { rate: '(?<value>' }"), "8:106: the pattern of 'rate' of 'values' is '(?<value>'"),
        (text(more: ", values: { a.b: '(?<value>1)' }"), "8:100: "),
        (text(more: ", protocol: sctp"), "8:100: 'protocol' of a traffic program is 'sctp'"),
        (text(more: ", flows: 17"), "8:97: 'flows' of a traffic program is '17'"),
        (text(more: ", payload: 64"), "8:90: a command makes its requests itself"),
        (text(more: ", path: /x"), "8:90: 'path' belongs to kind http-request; this one is command"),
        (text(more: ", retries: 1"), "8:90: unknown key 'retries' of a traffic program"),
        (text(to: "server"), "8:43: 'to' of a traffic program is 'server'"),
        (
            text(services: "sysctls: { net.ipv4.ip_forward: 0 }"),
            "8:43: traffic program 'app' asks port 80/tcp of 'server', which runs no program and does not say what listens there"
        ),
        (text(expect: "app: { values: { rate: 1 } }"), "12:20: 'app' has no values: its traffic program names none"),
        (
            text(more: ", values: { rate: '(?<value>1)' }", expect: "app: { values: { rat: 1 } }"),
            "12:22: 'app' has no value 'rat'"
        ),
        (
            text(more: ", values: { rate: '(?<value>1)' }", expect: "app: { values: { rate: fast } }"),
            "12:28: 'rate' of 'values' is 'fast'"
        ),
        (text(expect: "app: failing"), "12:10: the outcome of 'app' is 'failing'"),
    ])
    func `mistakes are told with line, column and what is allowed`(text: String, message: String) {
        let found = messages(text)
        #expect(found.contains { $0.hasPrefix(message) }, "\(found)")
    }

    @Test func `a command is required`() {
        let text = Self.text().replacing(", run: [curl, -sS, \"http://$to/x\"]", with: "")
        #expect(messages(text).contains { $0.hasPrefix("8:8: kind command needs the key 'run'") }, "\(messages(text))")
    }

    @Test func `its log is its own`() {
        let text = Self.text().replacing(
            "\"2001:db8::10\"] } }", with: "\"2001:db8::10\"] }, programs: { app: { run: [sleep, inf] } } }")
        #expect(
            messages(text).contains { $0.hasPrefix("8:3: 'client' has a program 'app' already") }, "\(messages(text))")
    }

    @Test func `failed is an outcome, and values are numbers`() throws {
        #expect(throws: Never.self) { try Lab(parsing: Self.text(expect: "app: failed"), path: "lab.yaml") }
        let lab = try Lab(
            parsing: Self.text(
                more: ", values: { rate: '(?<value>1)' }", expect: "app: { values: { rate: \">= 1.5\" } }"),
            path: "lab.yaml")
        let expectation = lab.variants.first?.expectations.first?.subject.value as? TrafficExpectation
        #expect(expectation?.values == [.init(name: "rate", value: .init(.greaterOrEqual, 1.5))])
        #expect(lab.variants.first?.expectations.first?.id == "app-values")
    }

    @Test func `a command may use a balancer's service of every profile`() throws {
        let text = Self.text(to: "lb/web").replacing(
            "\nnodes:",
            with: """

                nodes:
                  lb:
                    role: load-balancer
                    interfaces: { net: [192.0.2.5, "2001:db8::5"] }
                    virtual-services: { web: { listen: "192.0.2.100:80/tcp", profile: http, pool: ["server:80"] } }
                """)
        #expect(try Self.program(text).command.command.last == "http://192.0.2.100:80/x")
        #expect(
            messages(text.replacing("kind: command,", with: "kind: command, protocol: udp,")).contains {
                $0.contains("kind command speaks udp, but lb/web has the profile http")
            })
    }
}
