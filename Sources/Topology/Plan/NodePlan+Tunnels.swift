import Configuration
import Dataplane
import Wire

extension Encapsulation {
    /// What the kernel calls its devices of that kind.
    fileprivate var deviceKind: String { self == .ip6ip6 ? "ip6tnl" : rawValue }
}

/// The end of a member's tunnels, and routes with several gateways.
extension NodePlan {
    /// Both ends of the pair by which the kernel sees what came out of a tunnel of the dataplane's.
    var tunnelLink: [PlanStep] {
        guard let tunnel = node.tunnel, !tunnel.isKernels else { return [] }
        let mac = tunnel.endpoint.mac
        let link = PlannedLink(
            a: PlannedLink.End(namespace: .host(node.name), name: MemberTunnel.interface, mac: mac),
            b: PlannedLink.End(
                namespace: .wire(node.name), name: MemberTunnel.interface, mac: MACScheme.internalEnd(of: mac)),
            mtu: node.interfaces.map(\.mtu).max() ?? 1500)
        return [
            PlanStep(
                namespace: .host(node.name), action: .createLink(link),
                reason: "the kernel sees by it what came out of the tunnel")
        ]
    }

    /// The kernel's own tunnel device.
    func kernelTunnel(in id: NamespaceID) -> [PlanStep] {
        guard let tunnel = node.tunnel, tunnel.isKernels else { return [] }
        return [
            PlanStep(
                namespace: id,
                action: .createTunnel(
                    kind: tunnel.endpoint.encapsulation.deviceKind, name: MemberTunnel.interface, local: tunnel.local),
                reason: "the lab file wants the kernel's own")
        ]
    }

    /// The interface `tunnel` where what comes out of it is IPv6.
    var ipv6TunnelInterfaces: [String] {
        node.tunnel?.endpoint.encapsulation.family == .ipv6 ? [MemberTunnel.interface] : []
    }

    /// Address and carrier of the interface `tunnel`.
    func tunnel(in id: NamespaceID) -> [PlanStep] {
        guard let tunnel = node.tunnel else { return [] }
        return [
            PlanStep(
                namespace: id, action: .bringUp(interface: MemberTunnel.interface), reason: "every interface is up")
        ]
            + (tunnel.address.map { address in
                [
                    PlanStep(
                        namespace: id,
                        action: .addAddress(
                            IPInterfaceAddress(address, prefixLength: address.bitCount),
                            interface: MemberTunnel.interface),
                        reason: "the tunnel's own address")
                ]
            } ?? [])
    }

    /// One step a destination: gateways of the same destination are equal paths.
    static func routes(_ routes: [RouteConfiguration]) -> [(action: PlanStep.Action, reason: String)] {
        var seen = Set<IPNetwork>()
        return routes.compactMap { route in
            guard seen.insert(route.destination).inserted else { return nil }
            let equal = routes.filter { $0.destination == route.destination }
            let reason = route.destination.isDefault ? "the gateway of the lab file" : "a route of the lab file"
            return (equal.count > 1 ? .addEqualPaths(equal) : .addRoute(route), reason)
        }
    }
}
