import LabEvents
import LabTime
import Netlink
import Testing
import Wire

@testable import LabRuntime

struct RouteChangesTests {
    private func route(_ destination: String, via gateways: String...) throws -> PreferredRoute {
        PreferredRoute(
            to: try #require(IPNetwork(destination)),
            nextHops: try gateways.map { .gateway(try #require(IPAddress($0))) })
    }

    private func texts(_ changes: RouteChanges) -> [String] {
        changes.changes.map { "\($0.kind.rawValue) \($0.destination) \($0.nextHops.count)" }
    }

    @Test func `lists are compared by destination`() throws {
        let old = try [
            route("10.1.0.0/16", via: "192.0.2.1"), route("10.2.0.0/16", via: "192.0.2.1"),
            route("10.4.0.0/16", via: "192.0.2.1"), route("2001:db8:1::/48", via: "fe80::1"),
        ]
        let new = try [
            route("10.1.0.0/16", via: "192.0.2.1"), route("10.2.0.0/16", via: "192.0.2.1", "192.0.2.2"),
            route("10.3.0.0/16", via: "192.0.2.1"), route("2001:db8:1::/48", via: "fe80::1"),
            route("2001:db8:2::/48", via: "fe80::1"),
        ]
        #expect(
            texts(RouteChanges(from: old, to: new)) == [
                "route-changed 10.2.0.0/16 2", "route-added 10.3.0.0/16 1", "route-removed 10.4.0.0/16 1",
                "route-added 2001:db8:2::/48 1",
            ])
        #expect(RouteChanges(from: new, to: new).isEmpty && RouteChanges(from: [], to: []).isEmpty)
    }

    @Test func `of a flood so many are kept as a second may have, and the others are counted`() {
        let routes = (0..<100_000).map { number in
            PreferredRoute(
                to: .ipv4(IPv4Network(IPv4Address(rawValue: 0x0a00_0000 + UInt32(number) << 4), prefixLength: 28)),
                nextHops: [.gateway(.ipv4(IPv4Address(192, 0, 2, 1)))])
        }
        let changes = RouteChanges(from: [], to: routes)
        #expect(changes.changes.count == KernelEventLimit.most)
        #expect(changes.leftOut == [.routeAdded: 100_000 - KernelEventLimit.most])
    }
}

struct KernelEventLimitTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test func `what is too much in a second is announced once, with the second's end`() {
        var limit = KernelEventLimit()
        for _ in 0..<KernelEventLimit.most { #expect(limit.admit(.routeAdded, at: at(5)) == .report) }
        #expect(limit.admit(.routeAdded, at: at(300)) == .leaveOut(until: at(1005)))
        #expect(limit.admit(.routeAdded, at: at(301)) == .leaveOutSilently)
        // Another kind has its own.
        #expect(limit.admit(.addressAdded, at: at(301)) == .report)
        #expect(limit.admit(.routeAdded, at: at(1005)) == .report)
    }

    @Test func `events that happened together are left out together`() {
        var limit = KernelEventLimit()
        #expect(limit.admit(.routeRemoved, at: at(0), number: 5000) == .leaveOut(until: at(1000)))
        #expect(limit.admit(.routeRemoved, at: at(1)) == .leaveOutSilently)
    }
}
