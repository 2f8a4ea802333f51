import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The switch as a box, between the kernels of hosts.
    @Suite struct Switches {
        /// Three hosts on one switch, of which the third sees what is flooded.
        private static let lab = """
            schema: 1
            name: flooding
            networks: { left: 10.0.0.0/24, right: , third: }
            nodes:
              client: { role: client, interfaces: { left: 10.0.0.10 } }
              server: { role: backend, interfaces: { right: 10.0.0.20 }, services: { echo: 7 } }
              other: { role: backend, interfaces: { third: 10.0.0.30 }, services: { echo: 7 } }
              sw: { role: switch, interfaces: { left: , right: , third: } }
            traffic:
              ask: { from: client, to: "server:7", kind: udp-request, every: 20ms, patience: 1s }
              also: { from: client, to: "other:7", kind: udp-request, every: 20ms, patience: 1s }
            scenario: [{ start: [ask, also] }, { wait: 600ms }]
            variants:
              full-table:
                shows: symptom
                change: { nodes: { sw: { mac-table: 1 } } }
                expect:
                  - ask: { succeeds: true }
                  - event: { name: sw.mac-table-full }
                  - counter: { of: sw, name: mac.not-learned, is: "> 10" }
                  - frames: { on: other.third, match: "udp dst port 7 and dst host 10.0.0.20", after: ask.start + 200ms }
                    some: { ip.src: client }
              learned:
                shows: remedy
                expect:
                  - ask: { succeeds: true }
                  - counter: { of: sw, name: mac.learned, is: 3 }
                  - frames: { on: other.third, match: "udp dst port 7", after: ask.start + 200ms }
                    every: { ip.dst: other }
            """

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a full table of MAC addresses floods what a larger one forwards`() throws {
            let folder = try TemporaryFolder()
            try Self.lab.write(toFile: folder.path + "/lab.yaml", atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", "lab.yaml"], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        /// A pair with a virtual MAC address: its gratuitous ARP is what moves the address to the other port.
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a failover moves the virtual MAC address to the other port`() throws {
            let folder = try TemporaryFolder()
            try """
            schema: 1
            name: moved
            networks:
              outside: 192.0.2.0/24
              inside: 10.0.0.0/24
              left: 10.0.0.0/24
              sync:
            nodes:
              client: { role: client, interfaces: { left: 10.0.0.10 }, gateway: 10.0.0.1 }
              server: { role: backend, interfaces: { outside: 192.0.2.20 }, gateway: 192.0.2.1, services: { echo: 7 } }
              sw: { role: switch, interfaces: { left: , uplink: { network: inside } } }
              fw-a:
                role: firewall
                interfaces: { outside: 192.0.2.2, inside: 10.0.0.2, sync: }
                redundancy:
                  peer: fw-b
                  priority: 200
                  virtual-mac: on
                  addresses: { outside: 192.0.2.1, inside: 10.0.0.1 }
              fw-b:
                role: firewall
                interfaces: { outside: 192.0.2.3, inside: 10.0.0.3, sync: }
                redundancy: { peer: fw-a, priority: 100, virtual-mac: on, addresses: { outside: 192.0.2.1, inside: 10.0.0.1 } }
            traffic:
              ask: { from: client, to: "server:7", kind: udp-request, every: 20ms, patience: 1s }
            scenario:
              - start: ask
              - wait: 300ms
              - switchover: fw-a
              - wait: 500ms
            expect:
              - ask: { outcome: survived }
              - event: { name: fw-b.active }
              - counter: { of: sw, name: mac.addresses, is: "> 2" }
            """.write(toFile: folder.path + "/lab.yaml", atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", "lab.yaml"], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }
    }
}
