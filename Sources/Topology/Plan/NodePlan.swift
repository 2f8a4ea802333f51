import Configuration
import Wire

/// A node's namespaces and what is in them.
struct NodePlan {
    let node: Node
    let timers: Timers

    /// The namespace with the kernel's stack: a host's only one, a box's host side.
    var stack: Plan.Namespace {
        let id = NamespaceID.host(node.name)
        var preparation = [
            PlanStep(
                namespace: id, action: .createNamespace,
                reason: node.hasWireSide ? "the box's host side" : "the node's stack"
            )
        ]
        preparation += IPv6Plan.off(in: id)
        preparation += settings.map { PlanStep(namespace: id, action: .set($0.sysctl), reason: $0.reason) }
        preparation += own(sysctlsOfInterfaces: false, in: id)

        var configuration = kernelTunnel(in: id) + own(sysctlsOfInterfaces: true, in: id)
        configuration += ipv6Interfaces.map {
            PlanStep(
                namespace: id, action: .set(Sysctl("net/ipv6/conf/\($0)/disable_ipv6", "0")),
                reason: "the lab gives it IPv6")
        }
        let addresses = addresses(in: id)
        configuration += addresses.filter(\.isIPv4).map(\.step)
        configuration += tunnel(in: id)
        configuration += (["lo"] + node.interfaces.map(\.name)).map {
            PlanStep(namespace: id, action: .bringUp(interface: $0), reason: "every interface is up")
        }
        // An interface that is down takes no IPv6 route, that to the address's own network included.
        configuration += addresses.filter { !$0.isIPv4 }.map(\.step)
        configuration += Self.routes(node.routes).map {
            PlanStep(namespace: id, action: $0.action, reason: $0.reason)
        }
        for table in node.tables {
            configuration += table.routes.map {
                PlanStep(
                    namespace: id, action: .addTableRoute($0, table: table.number), reason: "a route of the lab file")
            }
        }
        // What is taken away comes last: the rule for own addresses must have its successor by then.
        configuration += (node.rules.filter { $0.table != nil } + node.rules.filter { $0.table == nil }).map {
            PlanStep(namespace: id, action: .rule($0), reason: "a rule of the lab file")
        }
        return Plan.Namespace(id: id, preparation: preparation, configuration: configuration)
    }

    /// The namespace of a box's wire side, in which the kernel answers nothing.
    var wire: Plan.Namespace? {
        guard node.hasWireSide else { return nil }
        let id = NamespaceID.wire(node.name)
        let preparation =
            [PlanStep(namespace: id, action: .createNamespace, reason: "the box's wire side, without addresses")]
            + IPv6Plan.off(in: id)
        let names =
            node.interfaces.map(\.name) + node.interfaces.indices.map(Self.internalName)
            + (node.tunnel == nil ? [] : [MemberTunnel.interface])
        let configuration = names.map {
            PlanStep(
                namespace: id, action: .bringUp(interface: $0), reason: "the dataplane reads and writes its frames")
        }
        return Plan.Namespace(id: id, preparation: preparation, configuration: configuration)
    }

    /// The links between a box's two sides: `host0`, `host1`, … on the wire side, the lab's names on the host side.
    var internalLinks: [PlanStep] {
        guard node.hasWireSide else { return [] }
        return tunnelLink
            + node.interfaces.enumerated().map { index, interface in
                let link = PlannedLink(
                    a: PlannedLink.End(namespace: .host(node.name), name: interface.name, mac: interface.mac),
                    b: PlannedLink.End(
                        namespace: .wire(node.name), name: Self.internalName(index),
                        mac: MACScheme.internalEnd(of: interface.mac)),
                    mtu: interface.mtu)
                return PlanStep(
                    namespace: .host(node.name), action: .createLink(link),
                    reason: "hands the box's own packets of \(interface.name) to its host side")
            }
    }

    /// The wire side's end of the link to the host side of port number `index`.
    static func internalName(_ index: Int) -> String { "host\(index)" }

    // MARK: Settings

    /// A new namespace inherits these from the host that the lab runs on; a lab must not depend on that.
    private var settings: [(sysctl: Sysctl, reason: String)] {
        let isRouter = node.role.configuration.forwardsInKernel
        // First, because the kernel resets other settings when this one changes.
        var settings = [
            (
                Sysctl("net/ipv4/ip_forward", isRouter ? "1" : "0"),
                isRouter ? "a router forwards" : "only a router forwards"
            )
        ]
        if isRouter {
            settings.append(
                (
                    Sysctl("net/ipv4/fib_multipath_hash_policy", "1"),
                    "of equal ways each flow takes one, by its five-tuple"
                ))
        }
        for (name, reason) in [
            ("rp_filter", "no reverse path filter unless the lab asks for it"),
            ("arp_ignore", "ARP as the kernel does it by default"),
            ("arp_announce", "ARP as the kernel does it by default"),
        ] {
            for scope in ["all", "default"] { settings.append((Sysctl("net/ipv4/conf/\(scope)/\(name)", "0"), reason)) }
        }
        if node.hasIPv6 { settings += IPv6Plan.settings(isRouter: isRouter) }
        settings.append(
            (
                Sysctl("net/ipv4/tcp_orphan_retries", "1"),
                "connections of ended programs do not keep the namespace alive for minutes"
            ))
        if timers == .vendor {
            // Linux 6.5 and later repeat the first four SYNs every second. Source: ip-sysctl, tcp_syn_linear_timeouts
            settings.append(
                (
                    Sysctl("net/ipv4/tcp_syn_linear_timeouts", "0", isOptional: true),
                    "SYNs are repeated at 1, 3, 7, 15 and 31 s, as the vendor's documents show them"
                ))
        }
        return settings
    }

    /// The lab's own settings; those of one interface have to wait until it exists.
    private func own(sysctlsOfInterfaces: Bool, in id: NamespaceID) -> [PlanStep] {
        node.sysctls.filter { sysctl in
            let names = node.interfaces.map(\.name) + (node.tunnel == nil ? [] : [MemberTunnel.interface])
            let isOfInterface = names.contains { sysctl.path.contains("/\($0)/") }
            return isOfInterface == sysctlsOfInterfaces
        }.map { PlanStep(namespace: id, action: .set($0), reason: "the lab file sets it") }
    }

    /// Interfaces on which the kernel speaks IPv6. Packets of the node to itself pass lo.
    private var ipv6Interfaces: [String] {
        guard node.hasIPv6 else { return [] }
        return ["lo"] + node.interfaces.filter { $0.ipv6 != nil }.map(\.name) + ipv6TunnelInterfaces
    }

    private func addresses(in id: NamespaceID) -> [(isIPv4: Bool, step: PlanStep)] {
        let own = node.interfaces.flatMap { interface in
            interface.addresses.map {
                PlanStep(namespace: id, action: .addAddress($0, interface: interface.name), reason: "its own address")
            }
        }
        let loopback = node.loopback.map {
            PlanStep(
                namespace: id, action: .addAddress(IPInterfaceAddress($0, prefixLength: $0.bitCount), interface: "lo"),
                reason: "the lab file wants it on the loopback")
        }
        // An address with a prefix on lo makes the whole network local. Source: fib_add_ifaddr in net/ipv4/fib_frontend.c
        let networks = node.loopbackNetworks.map {
            PlanStep(
                namespace: id,
                action: .addAddress(
                    IPInterfaceAddress(.ipv4($0.hosts.lowerBound), prefixLength: $0.prefixLength), interface: "lo"),
                reason: "the lab file wants the network's addresses on the loopback")
        }
        return (own + hostSideAddresses(in: id) + loopback + networks).map { step in
            guard case .addAddress(let address, _) = step.action else { return (true, step) }
            return (address.address.isIPv4, step)
        }
    }

    /// Each on the port whose network the address is in, else on lo.
    private func hostSideAddresses(in id: NamespaceID) -> [PlanStep] {
        var seen = Set(node.interfaces.flatMap(\.addresses).map(\.address))
        return node.role.configuration.hostSideAddresses.filter { seen.insert($0.address).inserted }.map { further in
            let address = further.address
            let port = node.interfaces.first { $0.address(address.family)?.network.contains(address) == true }
            return PlanStep(
                namespace: id,
                action: .addAddress(
                    IPInterfaceAddress(address, prefixLength: address.bitCount), interface: port?.name ?? "lo"),
                reason: further.reason)
        }
    }
}

/// IPv6 stays silent unless a lab uses it.
enum IPv6Plan {
    static func off(in id: NamespaceID) -> [PlanStep] {
        ["all", "default"].map {
            PlanStep(
                namespace: id, action: .set(Sysctl("net/ipv6/conf/\($0)/disable_ipv6", "1")),
                reason: "no frame that the lab did not ask for")
        }
    }

    /// What interfaces inherit in a namespace in which some speak IPv6: addresses are the lab's, at once and for good,
    /// and nothing is sent that an IPv4 lab has no counterpart for, as far as the kernel lets one choose.
    static func settings(isRouter: Bool) -> [(sysctl: Sysctl, reason: String)] {
        // First, because the kernel resets other settings when this one changes.
        var settings = ["all", "default"].map {
            (
                Sysctl("net/ipv6/conf/\($0)/forwarding", isRouter ? "1" : "0"),
                isRouter ? "a router forwards" : "only a router forwards"
            )
        }
        if isRouter {
            settings.append(
                (
                    Sysctl("net/ipv6/fib_multipath_hash_policy", "1"),
                    "of equal ways each flow takes one, by its five-tuple"
                ))
        }
        for (name, value, reason) in [
            ("accept_ra", "0", "addresses and routes are the lab's"),
            ("autoconf", "0", "addresses and routes are the lab's"),
            ("router_solicitations", "0", "addresses and routes are the lab's"),
            ("accept_dad", "0", "no duplicates are looked for: no address waits a second"),
            ("addr_gen_mode", "0", "the link-local address comes from the MAC address"),
            ("use_tempaddr", "0", "addresses and routes are the lab's"),
            ("keep_addr_on_down", "1", "a cable that is plugged in again finds the address, as with IPv4"),
            // The kernel reports each group that it joins, robustness times; with 1 ms between them all are sent
            // before anybody captures. Source: net/ipv6/mcast.c, unsolicited_report_interval
            ("mldv2_unsolicited_report_interval", "1", "multicast listener reports are over before captures begin"),
            ("mldv1_unsolicited_report_interval", "1", "multicast listener reports are over before captures begin"),
        ] {
            for scope in ["all", "default"] {
                settings.append((Sysctl("net/ipv6/conf/\(scope)/\(name)", value), reason))
            }
        }
        return settings
    }
}
