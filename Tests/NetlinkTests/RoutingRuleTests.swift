import Foundation
import Testing
import Wire

@testable import Netlink

@Suite struct `Rules of policy routing` {
    /// As the kernel tells them to `ip`.
    private func rules(_ requests: [NetlinkRequest]) throws -> String {
        try NamespaceThread.run {
            let namespace = try NetworkNamespace.createAndEnter()
            defer { _ = namespace.descriptor }
            var socket = try NetlinkSocket()
            try socket.perform([
                .createVethPair(VethEnd("first"), VethEnd("second")), .setUp("first"), .setUp("second"),
            ])
            try socket.perform([.addAddress(IPv4InterfaceAddress("10.0.0.1/24")!, to: "first")])
            try socket.perform(requests)
            return NamespaceShell.run("ip rule; ip route show table 10; ip route show table 1000").output
        }
    }

    @Test func `are added, and the kernel's own rule for its addresses moves behind them`() throws {
        let text = try rules([
            .addRule(
                RoutingRule(
                    preference: 10, from: IPv4Network("10.0.0.1/32")!, to: IPv4Network("10.0.9.0/24")!, table: 10)),
            .addRule(RoutingRule(preference: 20, input: "second", table: 1000)),
            .addRule(RoutingRule(preference: 100, table: 255)),
            .deleteRule(preference: 0),
            .replaceRoute(
                Route(
                    to: .ipv4(IPv4Address(10, 0, 9, 0)), prefixLength: 24, gateway: .ipv4(IPv4Address(10, 0, 0, 2)),
                    table: 10)),
            .replaceRoute(
                Route(
                    to: .ipv4(IPv4Address(10, 0, 8, 0)), prefixLength: 24, gateway: .ipv4(IPv4Address(10, 0, 0, 2)),
                    table: 1000)),
        ])
        let lines = text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        #expect(
            lines == [
                "10: from 10.0.0.1 to 10.0.9.0/24 lookup 10", "20: from all iif second lookup 1000",
                "100: from all lookup local", "32766: from all lookup main", "32767: from all lookup default",
                "10.0.9.0/24 via 10.0.0.2 dev first proto static", "10.0.8.0/24 via 10.0.0.2 dev first proto static",
            ], "\(text)")
    }

    @Test func `a rule that is not there cannot be deleted`() {
        #expect(throws: NetlinkError.self) { _ = try rules([.deleteRule(preference: 7)]) }
    }
}
