public import Configuration
public import Wire

/// One thing to do to build a lab's network, and why.
public struct PlanStep: Hashable, Sendable, Codable {
    public enum Action: Hashable, Sendable, Codable {
        case createNamespace
        /// A missing `net/ipv6` means that the kernel has no IPv6, which is what the plan wants.
        case set(Sysctl)
        /// A veth pair; the step's namespace is that of its first end. Offloads are switched off on both ends.
        case createLink(PlannedLink)
        /// A bridge without spanning tree, forward delay and multicast snooping, so that it forwards at once.
        case createBridge(name: String)
        case attach(port: String, bridge: String)
        case addAddress(IPInterfaceAddress, interface: String)
        case bringUp(interface: String)
        case addRoute(RouteConfiguration)
        /// In a table besides `main`.
        case addTableRoute(RouteConfiguration, table: UInt32)
        /// A rule of policy routing is added, or taken away.
        case rule(RoutingRule)
        /// Routes to one destination by several gateways, which take flows in equal shares.
        case addEqualPaths([RouteConfiguration])
        /// A tunnel device of the kernel, which not every kernel has.
        case createTunnel(kind: String, name: String, local: IPAddress)
    }

    public var namespace: NamespaceID
    public var action: Action
    public var reason: String
}

extension PlanStep: CustomStringConvertible {
    /// `fw-a: address 192.0.2.2/24 on outside (the lab gives it)`
    public var description: String {
        let what =
            switch action {
            case .createNamespace: "namespace"
            case .set(let sysctl): "sysctl \(sysctl.path) = \(sysctl.value)"
            case .createLink(let link): "link \(link)"
            case .createBridge(let name): "bridge \(name)"
            case .attach(let port, let bridge): "port \(port) of \(bridge)"
            case .addAddress(let address, let interface): "address \(address) on \(interface)"
            case .bringUp(let interface): "\(interface) up"
            case .addRoute(let route): "route \(route.destination) via \(route.way)"
            case .addTableRoute(let route, let table):
                "route \(route.destination) via \(route.way) in table \(table)"
            case .rule(let rule): "rule \(rule)"
            case .addEqualPaths(let routes):
                "route \(routes[0].destination) via \(routes.map(\.way).joined(separator: " and "))"
            case .createTunnel(let kind, let name, let local): "\(kind) tunnel \(name) at \(local)"
            }
        return "\(namespace): \(what) (\(reason))"
    }
}

/// A veth pair between two namespaces.
public struct PlannedLink: Hashable, Sendable, Codable, CustomStringConvertible {
    public struct End: Hashable, Sendable, Codable {
        public var namespace: NamespaceID
        public var name: String
        public var mac: MACAddress
    }

    public var a: End
    public var b: End
    /// Largest IP packet in bytes, of both ends.
    public var mtu: Int

    public var description: String { "\(a.namespace)/\(a.name) – \(b.namespace)/\(b.name)" }
}

extension RouteConfiguration {
    /// `192.0.2.1`, `fe80::1 dev lan`
    fileprivate var way: String { "\(gateway)" + (interface.map { " dev \($0)" } ?? "") }
}
