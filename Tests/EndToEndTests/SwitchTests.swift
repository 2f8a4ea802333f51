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
    }
}
