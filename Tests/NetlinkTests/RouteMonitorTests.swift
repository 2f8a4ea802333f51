import Glibc
import Testing
import Wire

@testable import Netlink

@Suite struct `Watching routes` {
    private static func ip(_ arguments: String) {
        let status = NamespaceShell.run("ip " + arguments).status
        #expect(status == 0, "ip \(arguments)")
    }

    private static func isReadable(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, milliseconds) == 1
    }

    @Test func `a route by several next hops is reported, and listed with each gateway as often as its weight`() throws
    {
        let (before, isNotified, after, later, routes) = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            var socket = try NetlinkSocket()
            try socket.perform([
                .createVethPair(VethEnd("first"), VethEnd("second")), .setUp("first"), .setUp("second"),
            ])
            try socket.perform([.addAddress(IPv4InterfaceAddress("10.0.0.1/24")!, to: "first")])
            let monitor = try RouteMonitor()
            let before = Self.isReadable(monitor.fileDescriptor, within: 0)
            Self.ip("route add 10.9.0.0/24 nexthop via 10.0.0.2 nexthop via 10.0.0.3 weight 2")
            let isNotified = Self.isReadable(monitor.fileDescriptor, within: 2000)
            try monitor.drain()
            let after = Self.isReadable(monitor.fileDescriptor, within: 0)
            Self.ip("route del 10.9.0.0/24")
            let later = Self.isReadable(monitor.fileDescriptor, within: 2000)
            Self.ip("route add 10.9.0.0/24 nexthop via 10.0.0.2 nexthop via 10.0.0.3 weight 2")
            return (before, isNotified, after, later, try socket.routes())
        }
        #expect(!before && isNotified && !after && later)
        let route = try #require(routes.first { $0.description.hasPrefix("10.9.0.0/24") })
        #expect(route.gateway == nil)
        #expect(route.gateways.map(\.description) == ["10.0.0.2", "10.0.0.3", "10.0.0.3"])
    }
}
