import Foundation
import TestSupport
import Testing

extension ShippedLabs {
    /// ICMP echo as traffic, over IPv4 and IPv6, and the outages that its frames show.
    @Suite struct Ping {
        private static let lab = """
            schema: 1
            name: ping
            networks: { net: { subnet: [192.0.2.0/24, "2001:db8::/64"], switch: on } }
            nodes:
              client: { role: client, interfaces: { net: [192.0.2.10, "2001:db8::10"] } }
              server: { role: backend, interfaces: { net: [192.0.2.20, "2001:db8::20"] } }
              gone: { role: backend, interfaces: { net: [192.0.2.30, "2001:db8::30"] } }
            traffic:
              four: { from: client, to: server, kind: ping, flows: 2, every: 20ms, patience: 300ms }
              six: { from: client, to: server.net.ip6, kind: ping, flows: 2, every: 20ms, patience: 300ms, payload: 3000 }
              counted: { from: client, to: 192.0.2.20, kind: ping, count: 5, every: 20ms }
              lost: { from: client, to: gone, kind: ping, every: 20ms, patience: 300ms }
              new: { from: client, to: "server:7", kind: tcp-connect, every: 20ms, patience: 300ms }
            scenario:
              - start: [four, six, counted, lost, new]
              - wait: 300ms
              - { fail: { power-off: gone } }
              - { fail: { link-down: server.net }, as: cut }
              - wait: 500ms
              - { fail: { link-up: server.net }, as: mended }
              - wait: 800ms
            expect:
              - four: { survives: true, lost: "> 10", after: scenario.begin }
              - six: { survives: true, lost: "> 10" }
              - counted: { survives: true, lost: 0 }
              - lost: timed-out
              - outage: { of: four, at-least: 450ms, at-most: 10s, after: cut, before: mended }
              - outage: { of: six, at-least: 450ms, at-most: 10s, after: cut }
              - outage: { of: lost, at-least: 450ms, after: cut }
              - outage: { of: new, at-least: 450ms, at-most: 10s, after: cut, before: mended }
              - frames: { on: client.net, of: four, direction: to-client }
                every: { ip.src: server.net.ip, ip.proto: icmp, eth.src: server.net.mac }
              - frames: { on: client.net, match: icmp6, of: six, direction: to-server }
                some: { icmp6.type: 128, probe.flow: 1 }
              - frames: { on: client.net, match: "icmp[icmptype] == icmp-echo", of: counted }
                count: 5
            """

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `outages end no ping, and show in the frames of every kind of traffic`() throws {
            let run = try CatalogueRun.of("ping", written: Self.lab)
            #expect(run.result.status == 0, "\(run.result.output)\n\(run.result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `an outage that is longer than its bound fails`() throws {
            let short = Self.lab.replacingOccurrences(
                of: "outage: { of: four, at-least: 450ms, at-most: 10s", with: "outage: { of: four, at-most: 50ms"
            ).replacingOccurrences(of: "name: ping", with: "name: ping-short")
            let run = try CatalogueRun.of("ping-short", written: short)
            #expect(run.result.status == 1, "\(run.result.output)\n\(run.result.errors)")
        }
    }
}
