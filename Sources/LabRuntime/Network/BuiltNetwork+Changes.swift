internal import Netlink
internal import SystemPackage
internal import Topology
internal import Wire

/// Changes of a node's network stack while the lab runs.
extension BuiltNetwork {
    /// - Throws: `LabFailure` with what the kernel refused, and why
    func change(_ change: NetworkChange, of node: Node) throws(LabFailure) {
        guard let place = place(of: node) else {
            throw LabFailure(.lab, "'\(node.name)' has no network stack that can be changed")
        }
        do {
            switch change {
            case .set(let settings): try set(settings, in: place)
            case .clearConntrack: try NetlinkSocket.flushConntrack(in: place.namespace.descriptor)
            case .route, .address, .rule: try place.socket?.perform(change.request)
            }
        } catch {
            throw LabFailure(.lab, "\(node.name): \(error)")
        }
    }

    /// Either all of them are there, or nothing is changed.
    private func set(_ settings: [Topology.Sysctl], in place: Place) throws {
        let home = try NetworkNamespace.current()
        defer { try? home.enter() }
        try place.namespace.enter()
        for setting in settings { _ = try Netlink.Sysctl.get(setting.path) }
        for setting in settings { try Netlink.Sysctl.set(setting.path, setting.value) }
    }
}

extension NetworkChange {
    /// Empty of what is no request of routing.
    fileprivate var request: [NetlinkRequest] {
        switch self {
        case .set, .clearConntrack: []
        case .route(let change): [change.request]
        case .address(let address, let interface, .add):
            switch address {
            case .ipv4(let address): [.addAddress(address, to: .name(interface))]
            case .ipv6(let address): [.addAddress(address, to: .name(interface))]
            }
        case .address(let address, let interface, .delete):
            [
                .deleteAddress(
                    address.address, prefixLength: address.network.prefixLength, from: .name(interface))
            ]
        case .rule(let rule): [.rule(rule)]
        }
    }
}

extension RouteChange {
    fileprivate var request: NetlinkRequest {
        let route = Route(
            to: destination.address, prefixLength: destination.prefixLength,
            gateway: gateway, device: device.map { .name($0) }, metric: metric,
            isOnLink: isOnLink, table: table)
        return switch verb {
        case .add: .addRoute(route)
        case .replace: .replaceRoute(route)
        case .delete: .deleteRoute(route)
        }
    }
}
