internal import CNetlink
internal import Glibc
public import Wire

/// Where the main table leads packets to a destination: of its unicast routes there, the one with the least metric.
public struct PreferredRoute: Hashable, Sendable {
    public enum NextHop: Hashable, Sendable {
        case gateway(NetworkAddress)
        /// No gateway: the index of the interface on which the destination is a neighbour.
        case interface(Int32)
    }

    public var destination: IPNetwork
    /// Of several paths each one as often as its weight, in order.
    public var nextHops: [NextHop]

    public init(to destination: IPNetwork, nextHops: [NextHop]) {
        self.destination = destination
        self.nextHops = nextHops
    }
}

extension PreferredRoute: Comparable {
    /// By destination; a list has one route to each.
    public static func < (a: Self, b: Self) -> Bool {
        (a.destination.address, a.destination.prefixLength) < (b.destination.address, b.destination.prefixLength)
    }
}

extension NetlinkSocket {
    /// The routes of both families that somebody has added, in order: those that the kernel makes for its own addresses
    /// are not among them.
    public mutating func preferredRoutes() throws(NetlinkError) -> [PreferredRoute] {
        let listed = try list(RTM_GETROUTE, rtmsg(), verb: "list routes", of: RTM_NEWROUTE) { reply -> Route? in
            reply.structure(rtmsg.self)?.rtm_protocol == UInt8(RTPROT_KERNEL) ? nil : Route(reply)
        }
        var best: [IPNetwork: (metric: UInt32, hops: [PreferredRoute.NextHop])] = [:]
        for route in listed {
            guard let destination = Self.network(route.destination, route.prefixLength) else { continue }
            let metric = route.metric ?? 0
            if let known = best[destination], known.metric <= metric { continue }
            let hops = Self.nextHops(of: route)
            if !hops.isEmpty { best[destination] = (metric, hops) }
        }
        return best.map { PreferredRoute(to: $0.key, nextHops: $0.value.hops) }
            .sorted { $0 < $1 }
    }

    private static func network(_ address: NetworkAddress, _ length: Int) -> IPNetwork? {
        switch address {
        case .ipv4(let address) where length <= 32: .ipv4(IPv4Network(address, prefixLength: length))
        case .ipv6(let address) where length <= 128: .ipv6(IPv6Network(address, prefixLength: length))
        default: nil
        }
    }

    private static func nextHops(of route: Route) -> [PreferredRoute.NextHop] {
        if let gateway = route.gateway { return [.gateway(gateway)] }
        if !route.gateways.isEmpty { return route.gateways.sorted().map { .gateway($0) } }
        if case .index(let index) = route.device { return [.interface(index)] }
        return []
    }
}
