import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What changes in the kernels of nodes, as events: one change at a time, and a flood.
    @Suite struct KernelEventLabs {
        /// The router's program changes its kernel whenever it is started again.
        private static let lab = """
            schema: 1
            name: kernel-events
            networks: { lan: 192.0.2.0/24 }
            nodes:
              client: { role: client, interfaces: { lan: 192.0.2.10 } }
              r1:
                role: router
                interfaces: { lan: 192.0.2.1 }
                programs:
                  daemon:
                    run: [/bin/bash, $folder/run.sh]
                    ready: { output: ready }
                    files:
                      run.sh: |
                        cd "${0%/*}"
                        if [ -e flood ]; then
                          for i in {0..39} ; do for j in {0..255}; do
                            echo "route add 10.$((100 + i)).${j}.0/24 via 192.0.2.10"
                          done; done | ip -batch -
                        elif [ -e first ]; then
                          touch flood
                          ip address add 192.0.2.77/32 dev lan
                          ip neighbour replace 192.0.2.200 lladdr 02:00:00:00:00:98 dev lan nud stale
                          ip neighbour replace 192.0.2.200 lladdr 02:00:00:00:00:99 dev lan nud stale
                          ip route add 10.9.0.0/16 via 192.0.2.10
                        fi
                        touch first
                        echo ready
                        exec sleep infinity
            scenario:
              - { fail: { kill: r1/daemon }, as: killed }
              - { fail: { start: r1/daemon }, as: changes }
              - wait-for: r1.address-added
              - wait-for: r1.neighbor-changed
              - wait-for: r1.route-added
              - { fail: { link-down: r1.lan }, as: cut }
              - wait-for: r1.route-removed
              - wait-for: client.carrier-down
              - { fail: { link-up: r1.lan }, as: mended }
              - wait-for: client.carrier-up
              - { fail: { kill: r1/daemon }, as: killed-again }
              - { fail: { start: r1/daemon }, as: flood }
              - wait-for: r1.kernel-events-lost
            expect:
              - event: { name: r1.address-added, with: { interface: lan, address: 192.0.2.77 }, count: 1, after: changes }
              - event: { name: r1.neighbor-changed, with: { from: "02:00:00:00:00:98", mac: "02:00:00:00:00:99" } }
              - event: { name: r1.route-added, with: { destination: 10.9.0.0/16, gateways: client.lan.ip }, before: cut }
              # The kernel does not notify this one.
              - event: { name: r1.route-removed, with: { destination: 10.9.0.0/16 }, count: 1, after: cut, before: mended }
              - event: { name: client.carrier-down, with: { interface: lan }, count: 1, after: cut }
              - event: { name: client.carrier-up, with: { interface: lan }, count: 1, after: mended }
              - event: { name: r1.kernel-events-lost, with: { reason: limit }, after: flood }
            """

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            .enabled(if: Package.tool("ip") != nil, "iproute2 is not installed"))
        func `changes of a kernel are events, and a flood of routes stays bounded`() throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/lab.yaml"
            try Self.lab.write(toFile: path, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", path] + Lab.untilDecided, in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let run = folder.path + "/runs/kernel-events/latest/default"
            let events = try String(contentsOfFile: run + "/events.jsonl", encoding: .utf8).split(separator: "\n")
            let added = events.count { $0.contains("\"r1.route-added\"") }
            #expect(added > 50 && added < 1500, "\(added) events of 10,240 routes")
            // Nothing of the building.
            let begin = try #require(events.firstIndex { $0.contains("\"scenario.begin\"") })
            #expect(
                !events[..<begin].contains { $0.contains("-added") || $0.contains("carrier-") }, "\(events[..<begin])")
        }
    }
}
