internal import Configuration
internal import CLinux
internal import Glibc
internal import Netlink
internal import SystemPackage
public import Topology
internal import Wire

/// The network of a lab, built: its namespaces exist as long as this value, or a process or a socket within them.
public final class BuiltNetwork {
    /// A namespace and a netlink socket inside it, which serves it from any other.
    final class Place {
        let namespace: NetworkNamespace
        /// nil when the network has retired.
        var socket: NetlinkSocket?

        init(_ namespace: consuming NetworkNamespace, _ socket: consuming NetlinkSocket) {
            self.namespace = namespace
            self.socket = consume socket
        }
    }

    private let variant: Variant
    private let plan: Plan
    private var places: [NamespaceID: Place] = [:]
    /// Why ports of impairment links are down.
    private var reasonsDown: [InterfaceReferenceText: Set<String>] = [:]
    /// `/dev/null`, for the standard input of the lab's processes.
    let null: Int32
    /// The programs' user namespace, which owns the network namespaces.
    let users: Int32

    /// Builds it in the calling thread, which is back in its own namespace afterwards.
    /// - Throws: `LabFailure` with the step that the kernel refused, and the reason; what was built until then is gone
    public init(building variant: Variant) throws(LabFailure) {
        self.variant = variant
        plan = Plan(for: variant)
        null = try NullDevice.open(O_RDWR)
        let maker = try NamespaceMaker(count: plan.namespaces.count)
        users = maker.users
        do {
            let home = try NetworkNamespace.current()
            defer { try? home.enter() }
            for namespace in plan.namespaces { try prepare(namespace, made: maker.next()) }
            try makeLinks()
            for namespace in plan.namespaces { try configure(namespace) }
            noticeCarriers()
        } catch let error as NetlinkError {
            throw Self.failure(error)
        } catch {
            throw error as? LabFailure ?? LabFailure(.lab, "the network could not be built: \(error)")
        }
    }

    deinit {
        close(null)
        close(users)
    }

    /// Closes what the kernel needs longest to reclaim, when all nodes are gone and no frame needs a bridge any
    /// more. The links stay, and are captured; nothing can be changed from now on.
    ///
    /// For each bridge the kernel waits twice some 15 ms (`rcu_barrier`), and a namespace outlives its netlink socket
    /// by a grace period. Here that passes while the captures are completed.
    func retire() {
        for place in places.values { place.socket = nil }
        let bridges = plan.namespaces.flatMap(\.configuration).compactMap { step -> (namespace: Int32, name: String)? in
            guard case .createBridge(let name) = step.action else { return nil }
            return (descriptor(of: step.namespace), name)
        }
        guard !bridges.isEmpty else { return }
        NamespaceThread.start {
            for bridge in bridges {
                try NetworkNamespace.enter(bridge.namespace)
                var socket = try NetlinkSocket()
                try socket.perform(.deleteLink(.name(bridge.name)))
            }
        }
    }

    /// Closes the host side of a box that has ended: it is not captured.
    func letGoOfHostSide(of node: Node) {
        if node.hasWireSide { places[.host(node.name)] = nil }
    }

    private func prepare(_ planned: Plan.Namespace, made namespace: consuming NetworkNamespace) throws {
        try namespace.enter()
        for step in planned.preparation {
            if case .set(let sysctl) = step.action { try set(sysctl) }
        }
        places[planned.id] = Place(namespace, try NetlinkSocket())
    }

    /// After the interfaces that the kernel may have created by itself in a new namespace: `lo`, and the fallback
    /// devices of its tunnels.
    private static let firstLinkIndex: Int32 = 1000

    private func makeLinks() throws(NetlinkError) {
        // One socket serves all: each end is made in place, in its own namespace.
        guard let first = plan.links.first, let builder = places[first.namespace] else { return }
        // The kernel reports a lost carrier at once where the two ends have different numbers, and else up to a second
        // later, as of a link that is no pair. Source: linkwatch_urgent_event in net/core/link_watch.c
        var index = Self.firstLinkIndex
        func end(_ end: PlannedLink.End, _ mtu: Int) -> VethEnd {
            defer { index += 1 }
            return VethEnd(
                end.name, mac: end.mac, mtu: mtu, index: index, namespace: places[end.namespace]?.namespace.descriptor)
        }
        let links = plan.links.compactMap { if case .createLink(let link) = $0.action { link } else { nil } }
        try builder.socket?.perform(links.map { .createVethPair(end($0.a, $0.mtu), end($0.b, $0.mtu)) })
        for link in links {
            for end in [link.a, link.b] { try places[end.namespace]?.socket?.turnOff(on: end.name) }
        }
    }

    /// Both ends of every link are up only now.
    private func noticeCarriers() {
        for case .createLink(let link) in plan.links.map(\.action) {
            for end in [link.a, link.b] { places[end.namespace]?.socket?.noticeCarrier(of: end.name) }
        }
    }

    private func configure(_ planned: Plan.Namespace) throws {
        guard let place = places[planned.id] else { return }
        var requests: [NetlinkRequest] = []
        for step in planned.configuration {
            switch step.action {
            case .createBridge(let name): requests.append(.createBridge(name))
            case .attach(let port, let bridge): requests.append(.setMaster(of: .name(port), to: .name(bridge)))
            case .addAddress(.ipv4(let address), let interface):
                requests.append(.addAddress(address, to: .name(interface)))
            case .addAddress(.ipv6(let address), let interface):
                requests.append(.addAddress(address, to: .name(interface)))
            case .bringUp(let interface): requests.append(.setUp(.name(interface)))
            case .addRoute(let route): requests.append(.replaceRoute(Route(route)))
            case .addTableRoute(let route, let table): requests.append(.replaceRoute(Route(route, table: table)))
            case .rule(let rule): requests.append(.rule(rule))
            case .addEqualPaths(let routes): requests.append(.replaceEqualPaths(routes.map { Route($0) }))
            case .createTunnel(let kind, let name, let local):
                // At once, because settings of the device come next.
                try place.socket?.perform(.createTunnel(kind, name: name, local: local))
            case .set(let sysctl):
                try place.namespace.enter()
                try set(sysctl)
            case .createNamespace, .createLink: break
            }
        }
        try place.socket?.perform(requests)
    }

    /// The routes of a host that was built from a variant; several gateways of a destination are equal paths.
    private func routeRequests(of node: Node) -> [NetlinkRequest] {
        plan.namespaces.first { $0.id == .host(node.name) }?.configuration.compactMap {
            (step: PlanStep) -> NetlinkRequest? in
            switch step.action {
            case .addRoute(let route): .replaceRoute(Route(route))
            case .addTableRoute(let route, let table): .replaceRoute(Route(route, table: table))
            case .addEqualPaths(let routes): .replaceEqualPaths(routes.map { Route($0) })
            default: nil
            }
        } ?? []
    }

    private func set(_ sysctl: Topology.Sysctl) throws {
        do {
            try Netlink.Sysctl.set(sysctl.path, sysctl.value)
        } catch {
            // A kernel without IPv6 has none of its settings, and sends nothing, as planned.
            let isOptional = sysctl.isOptional || sysctl.path.hasPrefix("net/ipv6/")
            if error.errno == .noSuchFileOrDirectory, isOptional { return }
            throw error
        }
    }

    private static func failure(_ error: NetlinkError) -> LabFailure {
        switch error.errno {
        case Errno(rawValue: EOPNOTSUPP)? where error.verb.hasPrefix("create tunnel"):
            HostProblem.kernelTunnel(error.verb, "\(error)").failure
        case Errno(rawValue: EOPNOTSUPP)? where error.verb.hasPrefix("create"),
            Errno(rawValue: ENODEV)? where error.verb.hasPrefix("create"):
            HostProblem.virtualLinks("the lab's links", "\(error)").failure
        case Errno.noSpace?: HostProblem.namespaces(ENOSPC).failure
        default: LabFailure(.lab, "the network could not be built: \(error)")
        }
    }

    // MARK: Where things are

    /// Where a node's programs run; of a box, its host side.
    func place(of node: Node) -> Place? { places[node.isElement ? .element(node.name) : .host(node.name)] }

    private func descriptor(of id: NamespaceID) -> Int32 { places[id]?.namespace.descriptor ?? -1 }

    /// The namespace in which a node's programs run; of a box, its host side.
    func namespace(of node: Node) -> Int32 { descriptor(of: node.isElement ? .element(node.name) : .host(node.name)) }

    /// The namespace of a box's links; nil for other nodes.
    func wireNamespace(of node: Node) -> Int32? { node.hasWireSide ? descriptor(of: .wire(node.name)) : nil }

    /// Both ends of every link that the lab captures.
    /// - Complexity: O(interfaces)
    var capturePoints: [(node: String, interface: String, namespace: Int32)] {
        let nodes = Dictionary(variant.nodes.map { ($0.name, $0) }) { first, _ in first }
        let elements = Set(variant.elements.map(\.name))
        var ports: [InterfaceReferenceText: (network: String, name: String)] = [:]
        for network in variant.networks where network.kind == .switch {
            for end in network.attachments {
                ports[InterfaceReferenceText(node: end.node, interface: end.interface)] =
                    (network.name, end.port ?? end.node)
            }
        }
        return variant.capture.interfaces.flatMap { reference -> [(String, String, Int32)] in
            if elements.contains(reference.node) {
                return [(reference.node, reference.interface, descriptor(of: .element(reference.node)))]
            }
            guard let node = nodes[reference.node] else { return [] }
            // What comes out of a tunnel is the kernel's side of it.
            let isTunnel = node.tunnel != nil && reference.interface == MemberTunnel.interface
            let place = isTunnel ? namespace(of: node) : wireNamespace(of: node) ?? namespace(of: node)
            var points = [(reference.node, reference.interface, place)]
            if let port = ports[reference] {
                points.append((port.network, port.name, descriptor(of: .switch(port.network))))
            }
            return points
        }
    }

    /// The switch's port at the other end of an interface's cable; nil where the cable goes to another node.
    private func port(of reference: InterfaceReferenceText) -> (network: String, name: String)? {
        guard let interface = variant.node(named: reference.node)?.interface(named: reference.interface),
            let network = variant.network(named: interface.network), network.kind == .switch,
            let attachment = network.attachments.first(where: {
                $0.node == reference.node && $0.interface == reference.interface
            })
        else { return nil }
        return (network.name, attachment.port ?? attachment.node)
    }

    // MARK: Faults

    /// Takes all links of a node down, or up: its own ends, so that the other ends lose their carrier.
    func setLinks(of node: Node, up isUp: Bool) throws(LabFailure) {
        for interface in node.interfaces {
            try set(interface.name, in: node.hasWireSide ? .wire(node.name) : .host(node.name), up: isUp)
            // A cable with an impairment link is down at its other end as well.
            let reference = InterfaceReferenceText(node: node.name, interface: interface.name)
            if let (element, isNear) = variant.element(onCableOf: reference) {
                try set(element.ports[isNear ? 1 : 0], up: isUp, because: reference.description)
            }
        }
        if isUp { try restoreRoutes(of: node) }
    }

    /// Unplugs an interface's cable, or plugs it in: the interface loses its carrier and stays configured.
    func setLink(_ interface: String, of name: String, up isUp: Bool) throws(LabFailure) {
        let reference = InterfaceReferenceText(node: name, interface: interface)
        guard let node = variant.node(named: name), let own = node.interface(named: interface),
            let network = variant.network(named: own.network)
        else {
            let known = variant.node(named: name)?.interfaces.map(\.name).joined(separator: ", ") ?? ""
            throw LabFailure(.lab, "'\(name)' has no interface '\(interface)'", remedy: "it has \(known)")
        }
        if let (element, _) = variant.element(onCableOf: reference) {
            for port in element.ports { try set(port, up: isUp, because: "the cable") }
            return
        }
        if let port = port(of: reference) { return try set(port.name, in: .switch(port.network), up: isUp) }
        // A cable between two nodes: the end at a box may be down, a host would lose its routes.
        let other = network.attachments.first { $0.node != name || $0.interface != interface }
        if let other, let otherNode = variant.node(named: other.node), otherNode.hasWireSide {
            return try set(other.interface, in: .wire(other.node), up: isUp)
        }
        try set(interface, in: node.hasWireSide ? .wire(name) : .host(name), up: isUp)
        if isUp { try restoreRoutes(of: node) }
    }

    /// Takes an impairment link's port down for a reason, or up when no reason is left.
    private func set(_ port: InterfaceReferenceText, up isUp: Bool, because reason: String) throws(LabFailure) {
        if isUp { reasonsDown[port]?.remove(reason) } else { reasonsDown[port, default: []].insert(reason) }
        try set(port.interface, in: .element(port.node), up: reasonsDown[port]?.isEmpty ?? true)
    }

    private func set(_ interface: String, in id: NamespaceID, up isUp: Bool) throws(LabFailure) {
        do {
            try places[id]?.socket?.perform(isUp ? .setUp(.name(interface)) : .setDown(.name(interface)))
        } catch {
            throw LabFailure(.lab, "'\(interface)' of \(id) could not be set \(isUp ? "up" : "down"): \(error)")
        }
    }

    /// The kernel forgets an interface's routes when it goes down.
    private func restoreRoutes(of node: Node) throws(LabFailure) {
        guard !node.hasWireSide else { return }
        do {
            try places[.host(node.name)]?.socket?.perform(routeRequests(of: node))
        } catch {
            throw LabFailure(.lab, "the routes of '\(node.name)' could not be restored: \(error)")
        }
    }
}

/// An interface by its node's and its own name; Netlink has a type of the same name for another thing.
typealias InterfaceReferenceText = Topology.InterfaceReference

extension Route {
    init(_ route: RouteConfiguration, table: UInt32? = nil) {
        self.init(
            to: route.destination.address, prefixLength: route.destination.prefixLength, gateway: route.gateway,
            device: route.interface.map { .name($0) })
        self.table = table
    }
}

extension NetlinkRequest {
    static func rule(_ rule: Topology.RoutingRule) -> NetlinkRequest {
        guard let table = rule.table else { return .deleteRule(preference: rule.preference) }
        return .addRule(
            Netlink.RoutingRule(
                preference: rule.preference, from: rule.from, to: rule.to, input: rule.input, table: table))
    }
}
