import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A router whose static route follows the gateway that answers.
    @Suite struct TrackedRoutes {
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a tracked route leaves a gateway that hangs or loses its link, and comes back`() throws {
            let folder = try TemporaryFolder()
            let lab = folder.path + "/lab.yaml"
            try """
            schema: 1
            name: tracked
            title: A static route follows the gateway that answers
            networks: { lan: 10.0.0.0/24, via-a: 10.1.0.0/30, via-b: 10.2.0.0/30, servers: 203.0.113.0/24 }
            nodes:
              client: { role: client, interfaces: { lan: 10.0.0.10 }, gateway: lan-router.lan }
              lan-router:
                role: router
                interfaces: { lan: 10.0.0.1, via-a: 10.1.0.1, via-b: 10.2.0.1 }
                tracked-routes: { default: { via: [gate-a.via-a, gate-b.via-b], every: 20ms, misses: 3 } }
              gate-a:
                role: router
                interfaces: { via-a: 10.1.0.2, servers: 203.0.113.2 }
                routes: { 10.0.0.0/24: 10.1.0.1 }
              gate-b:
                role: router
                interfaces: { via-b: 10.2.0.2, servers: 203.0.113.3 }
                routes: { 10.0.0.0/24: 10.2.0.1 }
              server:
                role: backend
                interfaces: { servers: 203.0.113.10 }
                gateway: gate-b.servers
            traffic:
              app: { from: client, to: "server:7", kind: udp, every: 5ms }
            scenario:
              - start: app
              - wait: 200ms
              - { fail: { link-down: gate-a.via-a }, as: cut }
              - wait-for: lan-router.route-moved
              - wait: 300ms
              - { fail: { link-up: gate-a.via-a }, as: mended }
              - wait-for: lan-router.route-moved
              - wait: 200ms
            expect:
              - app: { survives: true, longest-gap: "< 300ms" }
              - event: { name: lan-router.route-moved, count: 1, after: cut, within: 150ms }
              - frames: { on: lan-router.via-a, of: app, direction: to-server, before: cut }
                some:
              - frames: { on: lan-router.via-b, of: app, before: cut }
                none: { ip.src: client.lan.ip }
              - frames: { on: gate-b.via-b, of: app, direction: to-server, after: cut + 150ms, before: mended }
                count: "> 10"
              - frames: { on: gate-a.via-a, of: app, direction: to-server, after: mended + 150ms }
                count: "> 10"
            """.write(toFile: lab, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }
    }
}
