import Wire

/// The links of a network.
struct NetworkPlan {
    let network: Network
    let variant: Variant

    var links: [PlanStep] {
        let ends = network.attachments.compactMap { attachment -> (PlannedLink.End, Network.Attachment)? in
            guard let node = variant.node(named: attachment.node),
                let interface = node.interface(named: attachment.interface)
            else { return nil }
            // A box's link ends on its wire side.
            let namespace: NamespaceID = node.hasWireSide ? .wire(node.name) : .host(node.name)
            return (PlannedLink.End(namespace: namespace, name: interface.name, mac: interface.mac), attachment)
        }
        switch network.kind {
        case .link:
            guard ends.count == 2 else { return [] }
            for (near, far) in [(ends[0], ends[1]), (ends[1], ends[0])] {
                guard let element = element(on: near.1) else { continue }
                return ElementPlan(element: element).links(near: near.0, far: far.0, mtu: network.mtu, near: near.0.mac)
            }
            return [step(ends[0].0, ends[1].0, "network \(network.name) joins two interfaces")]
        case .switch:
            return ends.flatMap { end, attachment -> [PlanStep] in
                let port = PlannedLink.End(
                    namespace: .switch(network.name), name: attachment.port ?? attachment.node,
                    mac: MACScheme.switchPort(of: end.mac))
                if let element = element(on: attachment) {
                    return ElementPlan(element: element).links(near: end, far: port, mtu: network.mtu, near: end.mac)
                }
                return [step(end, port, "a port of network \(network.name)")]
            }
        }
    }

    private func element(on attachment: Network.Attachment) -> CableElement? {
        variant.elements.first { $0.cable.node == attachment.node && $0.cable.interface == attachment.interface }
    }

    private func step(_ a: PlannedLink.End, _ b: PlannedLink.End, _ reason: String) -> PlanStep {
        PlanStep(
            namespace: a.namespace, action: .createLink(PlannedLink(a: a, b: b, mtu: network.mtu)), reason: reason)
    }
}

/// The namespace of a switch.
struct SwitchPlan {
    let network: Network

    var namespace: Plan.Namespace {
        let id = NamespaceID.switch(network.name)
        let preparation =
            [PlanStep(namespace: id, action: .createNamespace, reason: "the switch of network \(network.name)")]
            + IPv6Plan.off(in: id) + Self.withoutPacketFilter(in: id)
        let ports = network.attachments.map { $0.port ?? $0.node }
        var configuration = [
            PlanStep(namespace: id, action: .createBridge(name: network.name), reason: "joins the ports")
        ]
        configuration += ports.map {
            PlanStep(namespace: id, action: .attach(port: $0, bridge: network.name), reason: "a port of the switch")
        }
        configuration += (ports + [network.name]).map {
            PlanStep(namespace: id, action: .bringUp(interface: $0), reason: "the switch forwards at once")
        }
        return Plan.Namespace(id: id, preparation: preparation, configuration: configuration)
    }

    /// Where the module br_netfilter is loaded, every bridge of the host shows its frames to the packet filter, which
    /// drops what an IP stack would: a bad header checksum, for instance. The bridge's own settings can only add to that.
    private static func withoutPacketFilter(in id: NamespaceID) -> [PlanStep] {
        ["iptables", "ip6tables", "arptables"].map {
            PlanStep(
                namespace: id, action: .set(Sysctl("net/bridge/bridge-nf-call-\($0)", "0", isOptional: true)),
                reason: "a switch does not look into packets")
        }
    }
}
