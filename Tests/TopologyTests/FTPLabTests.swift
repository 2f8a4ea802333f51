import Configuration
import Dataplane
import LabFile
import Measurement
import Testing
import Wire

@testable import Topology

@Suite struct `FTP and application gateways in a lab file` {
    private func text(_ traffic: String, gateways: String = "[ftp]") -> String {
        """
        schema: 1
        name: ftp
        networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24 }
        nodes:
          client: { role: client, interfaces: { inside: 198.51.100.10 } }
          server: { role: backend, interfaces: { outside: 192.0.2.10 } }
          fw:
            role: firewall
            interfaces: { outside: 192.0.2.1, inside: 198.51.100.1 }
            application-gateways: \(gateways)
        traffic:
          files: { from: client, to: "server:21", \(traffic) }
        scenario:
          - start: files
          - wait-for: fw.pinhole-opened
        expect:
          - event: { name: fw.pinhole-refused, with: { reason: bounce }, count: 0 }

        """
    }

    private func messages(_ traffic: String, gateways: String = "[ftp]") -> [String] {
        do {
            _ = try Lab(parsing: text(traffic, gateways: gateways), path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)".split(separator: "\n").joined(separator: " ") }
        }
    }

    @Test func `become a transfer, a server and a gateway`() throws {
        let lab = try Lab(
            parsing: text("kind: ftp, mode: extended-active, data-after: 800ms, bytes: 1000, announce: 198.51.100.99"),
            path: "lab.yaml")
        let variant = try #require(lab.variants.first)
        #expect(
            variant.traffic.first?.options(of: FTPTraffic.self)?.transfer
                == FileTransfer(
                    mode: .extendedActive, dataAfter: .milliseconds(800), bytes: 1000,
                    announced: .ipv4(IPv4Address(198, 51, 100, 99))))
        guard let host = variant.nodes.first(where: { $0.name == "server" })?.role.host,
            let firewall = variant.nodes.first(where: { $0.name == "fw" })?.role.firewall
        else { return #expect(Bool(false)) }
        #expect(host.servers == [ServerProgram(kind: .ftp, port: 21)])
        #expect(firewall.applicationGateways == [.ftp])
        #expect(
            try Lab(parsing: text("kind: ftp"), path: "lab.yaml").variants.first?.traffic.first?.options(
                of: FTPTraffic.self)?.transfer
                == FileTransfer())
    }

    @Test func `a mistake is told with what is allowed`() {
        for (traffic, part) in [
            ("kind: ftp, mode: pasive", "passive, extended-passive, active, extended-active"),
            ("kind: ftp, bytes: 0", "a whole number from 1 to 1073741824"),
            ("kind: ftp, data-after: 5", "a time with its unit"),
            ("kind: ftp, announce: 198.51.100.99", "mode passive announces nothing to the server"),
            ("kind: ftp, mode: active, announce: here", "'announce' is 'here'"),
            ("kind: ftp, mode: active, announce: \"2001:db8::1\"", "an address of the same family"),
            ("kind: tcp-stream, bytes: 5", "'bytes' belongs to kind ftp; this one is tcp-stream"),
            ("kind: tcp-connect, mode: active", "'mode' belongs to kind ftp; this one is tcp-connect"),
            ("kind: ftp, path: /", "'path' belongs to kind http-request; this one is ftp"),
        ] {
            let told = messages(traffic)
            #expect(told.count == 1 && told[0].contains(part), "\(traffic): \(told)")
        }
        let gateway = messages("kind: ftp", gateways: "[fpt]")
        #expect(
            gateway.count == 1 && gateway[0].contains("an application gateway of 'fw'") && gateway[0].contains("ftp"))
    }

    @Test func `kind ftp speaks to no virtual service`() {
        let changed = SmallLab.replacing("kind: tcp-stream", "kind: ftp")
        do {
            _ = try Lab(parsing: changed, path: "lab.yaml")
            #expect(Bool(false))
        } catch {
            #expect(
                "\(error.errors.first.map { "\($0)" } ?? "")".contains(
                    "kind ftp speaks to a server itself, not to lb/web"))
        }
    }
}
