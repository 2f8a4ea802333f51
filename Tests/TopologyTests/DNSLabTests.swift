import Configuration
import LabFile
import Measurement
import Testing
import Topology
import Wire

@Suite struct `DNS lookups in a lab file` {
    private static func text(
        to: String = "\"server:53\"", name: String = ", name: www.example.test", more: String = "",
        server: String = "programs: { dnsmasq: { records: { www.example.test: 192.0.2.80 } } }"
    ) -> String {
        """
        schema: 1
        name: names
        networks: { net: { subnet: [192.0.2.0/24, "2001:db8::/64"] } }
        nodes:
          client: { role: client, interfaces: { net: [192.0.2.10, "2001:db8::10"] } }
          server: { role: backend, interfaces: { net: [192.0.2.20, "2001:db8::20"] }, \(server) }
        traffic:
          app: { from: client, to: \(to), kind: dns\(name)\(more) }
        scenario: [{ start: app }, { wait: 1s }]
        expect: [{ app: { succeeds: true } }]

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

    @Test func `become a program of UDP without a server of failoverlab's own`() throws {
        let text = Self.text(
            more: ", records: [A, AAAA], timeout: 1s, attempts: 3, single-request-reopen: on, expect-rcode: NXDOMAIN")
        let variant = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
        let program = try #require(variant.traffic.first)
        #expect(program.kind == .dns && program.port == 53 && program.target == .ipv4(IPv4Address(192, 0, 2, 20)))
        #expect(program.transport == .udp && program.timeout == .seconds(4))
        #expect(
            program.options(of: DNSTraffic.self)
                == DNSTraffic(
                    DNSName(rawValue: "www.example.test")!, records: [.address, .ipv6Address],
                    tryTimeout: .seconds(1), attempts: 3, reopens: true, expected: .nameError))
        #expect(variant.node(named: "server")?.role.host?.servers == [])
        #expect(try Lab(parsing: variant.resolvedYAML, path: "resolved.yaml").variants == [variant])
    }

    @Test func `without options are those of glibc, and wait as long as it tries`() throws {
        let program = try #require(try Lab(parsing: Self.text(), path: "lab.yaml").variants.first?.traffic.first)
        #expect(program.options(of: DNSTraffic.self) == DNSTraffic(DNSName(rawValue: "www.example.test")!))
        #expect(program.timeout == .seconds(15))
        let written = Self.text(more: ", patience: 3s")
        #expect(try Lab(parsing: written, path: "lab.yaml").variants.first?.traffic.first?.timeout == .seconds(3))
    }

    @Test(arguments: [
        ("server", "192.0.2.20", 53), ("server.net.ip6", "2001:db8::20", 53), ("\"2001:db8::20\"", "2001:db8::20", 53),
        ("\"[2001:db8::20]:53\"", "2001:db8::20", 53), ("net/dns.address", "192.0.2.53", 53),
        ("\"net/dns.address:53\"", "192.0.2.53", 53), ("\"server:53/udp\"", "192.0.2.20", 53),
    ])
    func `ask port 53 where the target has none`(to: String, address: String, port: Int) throws {
        // A program of the server may have the virtual address.
        let text = Self.text(to: to).replacing(
            "\"2001:db8::/64\"] }", with: "\"2001:db8::/64\"], virtual-addresses: { dns: 192.0.2.53 } }")
        let program = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first?.traffic.first)
        #expect(program.target == IPAddress(address) && Int(program.port) == port)
    }

    @Test(arguments: [
        (text(name: ""), "8:28: kind dns needs the key 'name'; allowed: letters"),
        (text(name: ", name: a..b"), "8:58: 'a..b' is no host name; allowed: letters"),
        (text(name: ", name: [a]"), "8:58: 'name' of a traffic program is a word"),
        (text(more: ", records: []"), "8:85: 'records' of a traffic program is empty; allowed: A, AAAA"),
        (text(more: ", records: [A, AAA]"), "8:89: 'records' of a traffic program is 'AAA'; allowed: A, AAAA"),
        (text(more: ", records: [A, A]"), "8:89: 'records' of a traffic program has A twice"),
        (text(more: ", timeout: 31s"), "8:85: 'timeout' of a traffic program is '31s'"),
        (text(more: ", attempts: 6"), "8:86: 'attempts' of a traffic program is '6'"),
        (text(more: ", single-request-reopen: x"), "8:99: 'single-request-reopen' of a traffic program is 'x'"),
        (text(more: ", expect-rcode: NXDOMAN"), "8:90: 'expect-rcode' of a traffic program is 'NXDOMAN'"),
        (text(more: ", payload: 64"), "8:76: the length of a DNS query follows from its name"),
        (text(more: ", burst: 2"), "8:76: 'burst' belongs to the kinds udp and udp-request; this one is dns"),
        (text(to: "\"server:53/tcp\""), "8:28: kind dns does not speak to server:53/tcp"),
        (text(to: "\"server:54\""), "8:28: traffic program 'app' asks port 54/udp of 'server', which runs 'dnsmasq'"),
        (
            text(server: "loopback: [10.0.0.1]"),
            "8:28: traffic program 'app' asks port 53/udp of 'server', which runs no program and does not say"
        ),
        (
            text(server: "services: { http: 80 }"),
            "8:28: traffic program 'app' asks port 53/udp of 'server', which runs no program and does not say"
        ),
    ])
    func `mistakes are reported with line, column and what is allowed`(text: String, message: String) {
        let found = messages(text)
        #expect(found.count == 1 && found.allSatisfy { $0.hasPrefix(message) }, "\(found)")
    }

    @Test(arguments: [
        "services: { none: 53/udp }",
        "programs: { named: { run: [named, -f], ready: { udp: 53 } } }",
    ])
    func `ask a port that the node names`(server: String) {
        #expect(messages(Self.text(server: server)).isEmpty)
    }

    /// An echo is no answer: every lookup would time out, and nobody would know why.
    @Test func `do not ask a server of failoverlab's own`() {
        let found = messages(Self.text(server: "services: { echo: 53/udp }"))
        #expect(found.count == 1 && found[0].contains("asks port 53/udp of 'server'"), "\(found)")
    }

    @Test func `of a host without programs name what could listen there, and no server of failoverlab's own`() throws {
        let found = try #require(messages(Self.text(server: "loopback: [10.0.0.1]")).first)
        #expect(found.contains("a program of 'server' that listens there"), "\(found)")
        #expect(found.contains("services: { none: 53/udp }") && !found.contains("echo"), "\(found)")
    }

    /// A balancer whose pool member is the server.
    private static func balanced(_ profile: String, _ server: String) -> String {
        let listen = "192.0.2.100:53/\(profile == "udp-per-packet" ? "udp" : "tcp")"
        return text(to: "lb/dns", server: server).replacing(
            "traffic:\n",
            with: """
                  lb:
                    role: load-balancer
                    interfaces: { net: 192.0.2.5 }
                    virtual-services: { dns: { listen: "\(listen)", profile: \(profile), pool: ["server:53"] } }
                traffic:

                """)
    }

    @Test func `go to a balancer's service of UDP whose members run a DNS server`() {
        let server = "programs: { dnsmasq: { records: { www.example.test: 192.0.2.80 } } }"
        #expect(messages(Self.balanced("udp-per-packet", server)).isEmpty)
        let other = messages(Self.balanced("tcp-proxy", server))
        #expect(other.contains { $0.contains("kind dns speaks udp, but lb/dns has the profile tcp-proxy") }, "\(other)")
        let none = messages(Self.balanced("udp-per-packet", "loopback: [10.0.0.1]"))
        #expect(
            none.count == 1 && none[0].contains("virtual service lb/dns asks port 53/udp of 'server'"), "\(none)")
    }
}
