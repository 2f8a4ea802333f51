import LabEvents
import LabFile
import Testing

@testable import Topology

/// A counter that a lab names is one that its node has.
@Suite struct `Counters in a lab file` {
    private static func text(_ expectation: String) -> String {
        """
        schema: 1
        name: counters
        networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: 10.9.0.0/30, servers: 10.0.0.0/24, far: 10.1.0.0/24 }
        nodes:
          client: { role: client, interfaces: { outside: 192.0.2.10 } }
          fw-a:
            role: firewall
            interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: 10.9.0.1 }
            redundancy: { peer: fw-b, cross-connect: sync, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
          fw-b:
            role: firewall
            interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: 10.9.0.2 }
          lone: { role: firewall, interfaces: { inside: 198.51.100.7, far: 10.1.0.1 } }
          gw: { role: gateway-firewall, mode: routed, profile: pf, interfaces: { inside: 198.51.100.8, far: 10.1.0.2 } }
          lb:
            role: load-balancer
            interfaces: { inside: 198.51.100.5, servers: 10.0.0.5 }
            virtual-services:
              web: { listen: 198.51.100.100:80, profile: http, pool: [member-1:80] }
              relay: { listen: 198.51.100.100:81, profile: tcp-proxy, pool: [member-1:80] }
          member-1: { role: backend, interfaces: { servers: 10.0.0.11 }, services: { http: 80 } }
        traffic:
          app: { from: client, to: lb/web, kind: http-request }
        scenario:
          - start: app
        expect:
          - app: { lost: 0 }
          - \(expectation)

        """
    }

    private func messages(of node: String, _ name: String, minus: String? = nil) -> [String] {
        let minus = minus.map { ", minus: \"\($0)\"" } ?? ""
        do {
            _ = try Lab(
                parsing: Self.text("counter: { of: \(node), name: \"\(name)\"\(minus), is: \"> 0\" }"), path: "lab.yaml"
            )
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    @Test(arguments: [
        ("fw-a", "drop.standby"), ("fw-a", "sync.discarded.wrong-version"), ("fw-a", "heartbeat.sent"),
        ("fw-a", "sessions.application.http"), ("lone", "nat.mappings"), ("lone", "io.drop.ring-full"),
        ("gw", "states.misfits"), ("gw", "fragments.held"), ("lb", "service.web.member.member-1.chosen"),
        ("lb", "service.relay.members-up"), ("lb", "proxy.relay.unserved"), ("lb", "http.web.answers-5xx"),
        ("lb", "http.web.failed.member-reset"), ("lb", "http.web.failed.transfer-encoding-in-http-1.0"),
        ("lb", "http.web.tls-failed.unsupported-protocol"), ("lb", "snat.ports-taken"),
        ("client", "TcpExt.IPReversePathFilter"), ("member-1", "Udp.InErrors"),
    ])
    func `are known`(node: String, name: String) {
        #expect(messages(of: node, name) == [])
    }

    @Test(arguments: [
        ("fw-a", "drop.stanby", "drop.standby"), ("fw-a", "sync.record-sent", "sync.records-sent"),
        ("lone", "session", "sessions"), ("gw", "states.misfit", "states.misfits"),
        ("lb", "service.web.member.member-2.chosen", "service.web.member.member-1.chosen"),
        ("lb", "proxy.reply.unserved", "proxy.relay.unserved"),
        ("lb", "http.web.failed.member-rest", "http.web.failed.member-reset"),
    ])
    func `are refused with the nearest spelling`(node: String, name: String, nearest: String) throws {
        let message = try #require(messages(of: node, name).first)
        #expect(message.contains("\(node) has no counter '\(name)'; allowed: "), "\(message)")
        #expect(message.hasSuffix("; did you mean '\(nearest)'?"), "\(message)")
    }

    @Test(arguments: [
        ("lone", "heartbeat.sent"), ("fw-a", "conduit.forwarded"), ("fw-a", "states"), ("fw-a", "Ip.InReceives"),
        ("gw", "sessions"), ("lb", "proxy.web.accepted"), ("lb", "http.relay.accepted"), ("client", "drop.no-route"),
        ("client", "Ipp.InReceives"), ("member-1", "sessions"),
    ])
    func `of another role are refused`(node: String, name: String) {
        #expect(messages(of: node, name).first?.contains("\(node) has no counter '\(name)'") == true)
    }

    @Test func `are refused where they are written`() {
        let message = messages(of: "client", "Ip.InReceives", minus: "Ipp.InDelivers").first
        #expect(message?.hasPrefix("28:") == true, "\(message ?? "")")
        #expect(message?.contains("'Ipp.InDelivers'; allowed: a counter of the kernel, such as TcpExt.") == true)
        #expect(messages(of: "client", "Ip.InReceives", minus: "Ip.InDelivers") == [])
    }

    @Test func `of a name that begins like none are refused with what there is`() throws {
        let message = try #require(messages(of: "lb", "hallo").first)
        #expect(message.contains("service.<service>.members-up") && message.contains("drop.<reason>"), "\(message)")
    }

    @Test func `of a detail that no such event has are refused`() {
        func refusals(_ expectation: String) -> String {
            do {
                _ = try Lab(parsing: Self.text(expectation), path: "lab.yaml")
                return ""
            } catch {
                return "\(error.errors)"
            }
        }
        #expect(refusals("event: { name: fw-b.active, with: { reason: x } }") == "")
        #expect(refusals("event: { name: fw-b.active, with: { reson: x } }").contains("did you mean 'reason'"))
        #expect(refusals("event: { name: lb.member-down, with: { share-moved: \"0.0 %\" } }") == "")
        #expect(refusals("event: { name: fw-b.actve }").contains("did you mean 'fw-b.active'"))
    }
}
