import Foundation
import TestSupport
import Testing

extension ShippedLabs {
    /// Lookups of dnsmasq's names, and what a resolver makes of lost AAAA answers.
    @Suite struct DNS {
        private static let hasServer = Package.tool("dnsmasq") != nil

        /// `udp[38:2]` is the type of a question about www.example.test: behind UDP header, DNS header and name.
        private static let lab = """
            schema: 1
            name: lookups
            networks: { net: { subnet: [192.0.2.0/24, "2001:db8::/64"], switch: on } }
            nodes:
              client: { role: client, interfaces: { net: [192.0.2.10, "2001:db8::10"] } }
              server:
                role: backend
                interfaces: { net: [192.0.2.53, "2001:db8::53"] }
                programs: { dnsmasq: { records: { www.example.test: [192.0.2.80, "2001:db8::80"] } } }
              dead: { role: backend, interfaces: { net: 192.0.2.54 }, services: { none: 53/udp } }
            x-lookup: &lookup { from: client, kind: dns, name: www.example.test, records: [A, AAAA], every: 50ms }
            x-unknown: &unknown { from: client, to: server, kind: dns, name: nobody.example.test, every: 50ms }
            traffic:
              four: { <<: *lookup, to: "server:53" }
              six: { <<: *lookup, to: server.net.ip6, name: WWW.Example.test, records: [AAAA, A] }
              unknown: *unknown
              expected: { <<: *unknown, expect-rcode: REFUSED }
              nowhere: { <<: *lookup, to: dead, every: 60s }
              once: { <<: *lookup, to: "server:53", every: 60s, timeout: 700ms }
            faults:
              quad-a:
                on: client.net
                direction: to-client
                match: "udp src port 53 and udp[38:2] = 28"
                armed: off
                do: drop
            scenario: [{ start: once }, { wait: 1500ms }]
            variants:
              answered:
                shows: control
                change: { scenario: [{ start: [four, six, unknown, expected, nowhere] }, { wait: 400ms }] }
                expect:
                  - four: { succeeds: true, lost: 0 }
                  - six: { succeeds: true, lost: 0 }
                  - unknown: refused
                  - expected: { succeeds: true }
                  - nowhere: refused
                  - frames: { on: client.net, of: four, direction: to-client }
                    every: { ip.src: server.net.ip, udp.srcport: 53 }
                  - frames: { on: client.net, of: six, direction: to-client }
                    every: { ip6.src: server.net.ip6, udp.srcport: 53 }
              lost-once:
                shows: symptom
                change: { faults: { quad-a: { occurrence: first, armed: on } } }
                expect:
                  - once: { succeeds: true, lost: 1 }
                  - event: { name: quad-a.dropped, count: 1 }
                  - outage: { of: once, at-least: 600ms }
                  - frames: &a { on: server.net, of: once, direction: to-server, match: "udp[38:2] = 1" }
                    count: 2
                  - frames: &aaaa { on: server.net, of: once, direction: to-server, match: "udp[38:2] = 28" }
                    count: 2
              lost-always:
                shows: symptom
                change: { faults: { quad-a: { armed: on } } }
                expect:
                  - once: { survives: true, lost: 3 }
                  - event: { name: quad-a.dropped, count: 3 }
                  - { frames: *a, count: 3 }
                  - { frames: *aaaa, count: 3 }
              reopened:
                shows: control
                change: { traffic: { once: { single-request-reopen: on } } }
                expect:
                  - once: { succeeds: true, lost: 0 }
                  - { frames: *a, count: 1 }
                  - { frames: *aaaa, count: 1 }
              reopened-lost:
                shows: symptom
                change: { traffic: { once: { single-request-reopen: on } }, faults: { quad-a: { armed: on } } }
                expect:
                  - once: { survives: true, lost: 1 }
                  - { frames: *a, count: 1 }
                  - { frames: *aaaa, count: 1 }

            """

        private static func traffic(
            _ name: String, of written: String = "lookups", _ text: String = lab, in variant: String
        ) throws -> [String: Any] {
            let run = try CatalogueRun.of(written, written: text)
            let variants = try #require(try run.verdict()["variants"] as? [[String: Any]])
            let found = try #require(variants.first { $0["name"] as? String == variant })
            let programs = try #require(found["traffic"] as? [[String: Any]])
            return try #require(programs.first { $0["name"] as? String == name })
        }

        /// The flows of a program as `traffic.json` has them.
        private static func ports(in variant: String) throws -> [[Int]] {
            let run = try CatalogueRun.of("lookups", written: lab)
            let path = "\(run.path)/\(variant)/traffic.json"
            let results = try #require(
                JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [[String: Any]])
            let flows = results.flatMap { $0["flows"] as? [[String: Any]] ?? [] }
            return flows.map { flow in
                let later = flow["laterEnds"] as? [[String: Any]] ?? []
                return ([flow] + later).compactMap { $0["sourcePort"] as? Int }
            }
        }

        @Test(.enabled(if: Host.canRunLabs && hasServer, "this host cannot run labs, or lacks dnsmasq"))
        func `lookups are answered, refused, or end with half of the answers as glibc's would`() throws {
            let run = try CatalogueRun.of("lookups", written: Self.lab)
            #expect(run.result.status == 0, "\(run.result.output)\n\(run.result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs && hasServer, "this host cannot run labs, or lacks dnsmasq"))
        func `the report has the RCODE, or the error`() throws {
            #expect(try Self.traffic("unknown", in: "answered")["reason"] as? String == "REFUSED for A")
            #expect(try Self.traffic("nowhere", in: "answered")["reason"] as? String == "Connection refused")
        }

        @Test(.enabled(if: Host.canRunLabs && hasServer, "this host cannot run labs, or lacks dnsmasq"))
        func `single-request-reopen has a port for each record, and half an answer leads to it in the end`() throws {
            #expect(try Self.ports(in: "lost-once").map(\.count) == [1])
            for (variant, count) in [("reopened", 2), ("lost-always", 3)] {
                let ports = try Self.ports(in: variant)
                #expect(ports.count == 1 && Set(ports[0]).count == count, "\(variant): \(ports)")
            }
        }

        @Test(.enabled(if: Host.canRunLabs && hasServer, "this host cannot run labs, or lacks dnsmasq"))
        func `without the fault no query is repeated`() throws {
            let healthy = Self.lab.replacingOccurrences(
                of: "quad-a: { armed: on }", with: "quad-a: { armed: off }"
            ).replacingOccurrences(of: "name: lookups", with: "name: lookups-healthy")
            let run = try CatalogueRun.of("lookups-healthy", written: healthy)
            #expect(run.result.status == 1, "\(run.result.output)\n\(run.result.errors)")
            for variant in ["lost-always", "reopened-lost"] {
                #expect(try Self.traffic("once", of: "lookups-healthy", healthy, in: variant)["lost"] as? Int == 0)
            }
        }
    }
}
