import Configuration
import LabFile
import Wire

extension Resolution {
    /// Finds out which interfaces each network joins, and how; gives subnets to networks without one.
    mutating func resolveNetworks() {
        checkNames()
        let subnets = assignedSubnets()
        let names = networkDefinitions.map(\.name.value)
        let known = Set(names)
        let attached = attachments()
        for node in nodeDefinitions {
            for interface in node.interfaces where !known.contains(interface.network.value) {
                let (wanted, own) = (interface.network.value, interface.name.value)
                reader.reportUnknown(
                    wanted,
                    "\(node.name.value).\(own) leads to network '\(LabValue.shortened(wanted))', which does not exist",
                    at: interface.network.position, allowed: names)
            }
        }
        for definition in networkDefinitions {
            guard let own = subnets[definition.name.value] else { continue }
            let attachments = attached[definition.name.value] ?? []
            let isSwitch = definition.isSwitch?.value ?? (attachments.count > 2)
            networks.append(
                Network(
                    name: definition.name.value, subnet: own.ipv4, ipv6: own.ipv6, kind: isSwitch ? .switch : .link,
                    mtu: definition.mtu,
                    attachments: attachments.map {
                        var attachment = $0
                        if !isSwitch { attachment.port = nil }
                        return attachment
                    }))
            check(attachments, of: definition, isSwitch: isSwitch)
        }
        resolveInterfaces()
    }

    /// Node and network names are namespaces, so they share one space.
    private func checkNames() {
        for network in networkDefinitions {
            if let node = definition(of: network.name.value) {
                reader.report(
                    "'\(network.name.value)' is the name of a network and of a node (line \(node.name.position.line))",
                    at: network.name.position)
            }
        }
    }

    /// By network, in the order of the file.
    private func attachments() -> [String: [Network.Attachment]] {
        var attached: [String: [Network.Attachment]] = [:]
        for node in nodeDefinitions {
            let name = node.name.value
            let counts = Dictionary(node.interfaces.map { ($0.network.value, 1) }, uniquingKeysWith: +)
            for interface in node.interfaces {
                let network = interface.network.value
                let port = counts[network] == 1 ? name : "\(name)-\(interface.name.value)"
                attached[network, default: []].append(
                    Network.Attachment(node: name, interface: interface.name.value, port: port))
            }
        }
        return attached
    }

    private func check(_ attachments: [Network.Attachment], of network: NetworkDefinition, isSwitch: Bool) {
        let name = network.name.value
        if attachments.isEmpty {
            reader.report("no interface leads to network '\(name)'", at: network.name.position)
        } else if attachments.count == 1, !isSwitch {
            reader.report(
                "only \(attachments[0].node).\(attachments[0].interface) leads to network '\(name)': a link needs two ends",
                at: network.name.position, allowed: ["a second interface", "'switch: on' for a switch with one port"])
        } else if attachments.count > 2, !isSwitch {
            reader.report(
                "network '\(name)' joins \(attachments.count) interfaces, which needs a switch",
                at: network.isSwitch?.position ?? network.name.position, allowed: ["on"])
        }
        var ports: Set<String> = [name]
        for attachment in attachments where isSwitch {
            guard let port = attachment.port else { continue }
            let position = definition(of: attachment.node)?.interfaces
                .first { $0.name.value == attachment.interface }?.name.position
            if !ports.insert(port).inserted {
                reader.report(
                    "two ports of the switch '\(name)' would be called '\(port)'; rename an interface", at: position)
            }
            guard port.utf8.count > NameRule.interface.maximumLength else { continue }
            reader.report(
                "the switch port '\(port)' has \(port.utf8.count) characters, because '\(attachment.node)' is on network '\(name)' more than once",
                at: position, allowed: ["at most \(NameRule.interface.maximumLength)"])
        }
    }

    /// What a network has of either family.
    private struct Subnets {
        var ipv4: IPv4Network?
        var ipv6: IPv6Network?

        init(_ subnets: [IPNetwork]) {
            for subnet in subnets {
                switch subnet {
                case .ipv4(let subnet): ipv4 = ipv4 ?? subnet
                case .ipv6(let subnet): ipv6 = ipv6 ?? subnet
                }
            }
        }
    }

    /// Subnets as written, and 169.254.1.0/24, 169.254.2.0/24, … for networks without one. Networks that a node joins
    /// at layer 2 share theirs.
    private func assignedSubnets() -> [String: Subnets] {
        var result: [String: Subnets] = [:]
        var taken: [(name: String, subnet: IPNetwork)] = []
        for (definition, subnet) in networkDefinitions.flatMap({ network in network.subnets.map { (network, $0) } }) {
            let (segment, joint) = segment(of: definition.name.value)
            if let other = taken.first(where: {
                segment.contains($0.name) && $0.subnet.family == subnet.value.family && $0.subnet != subnet.value
            }) {
                reader.report(
                    "network '\(definition.name.value)' has the subnet \(subnet.value) and '\(other.name)' has \(other.subnet), but \(joint ?? "a node") joins them",
                    at: subnet.position, allowed: ["\(other.subnet)", "no subnet: it is that of '\(other.name)' then"])
            }
            if let other = taken.first(where: { $0.subnet.overlaps(subnet.value) && !segment.contains($0.name) }) {
                reader.report(
                    "the subnet \(subnet.value) of '\(definition.name.value)' overlaps with \(other.subnet) of '\(other.name)'",
                    at: subnet.position)
            }
            taken.append((definition.name.value, subnet.value))
            result[definition.name.value] = Subnets(definition.subnets.map(\.value))
        }
        var third: UInt8 = 0
        for definition in networkDefinitions where definition.subnets.isEmpty {
            if let shared = segment(of: definition.name.value).networks.lazy.compactMap({ result[$0] }).first {
                result[definition.name.value] = shared
                continue
            }
            var subnet: IPv4Network?
            while subnet == nil, third < 254 {
                third += 1
                let candidate = IPv4Network(IPv4Address(169, 254, third, 0), prefixLength: 24)
                if !taken.contains(where: { $0.subnet.overlaps(.ipv4(candidate)) }) { subnet = candidate }
            }
            if let subnet {
                result[definition.name.value] = Subnets([.ipv4(subnet)])
            } else {
                reader.report(
                    "there is no subnet left for network '\(definition.name.value)'; give it one",
                    at: definition.name.position)
            }
        }
        return result
    }

    /// A network and those that nodes join with it at layer 2, and what one of these nodes is.
    private func segment(of network: String) -> (networks: [String], joint: String?) {
        var segment = [network]
        var what: String?
        var next = 0
        while next < segment.count {
            for joint in joints where joint.networks.contains(segment[next]) {
                segment += joint.networks.filter { !segment.contains($0) }
                what = joint.what
            }
            next += 1
        }
        return (segment, what)
    }

    /// Interfaces with their MACs, as yet without addresses.
    private mutating func resolveInterfaces() {
        var macs: [String: [MACAddress: String]] = [:]
        for node in nodeDefinitions {
            let name = node.name.value
            interfaces[name] = node.interfaces.enumerated().compactMap { index, interface in
                guard let network = network(named: interface.network.value) else { return nil }
                let mac =
                    interface.mac?.value
                    ?? MACScheme.address(lab: lab, node: numbers[name] ?? 0, interface: index + 1)
                let own = "\(name).\(interface.name.value)"
                if let other = macs[network.name]?.updateValue(own, forKey: mac) {
                    reader.report(
                        "\(own) has the MAC address \(mac) of \(other) on the same network",
                        at: (interface.mac?.position ?? interface.name.position))
                }
                macs[network.name, default: [:]][mac] = own
                return Interface(
                    name: interface.name.value, network: network.name, mac: mac, address: nil, ipv6: nil,
                    mtu: network.mtu)
            }
        }
    }

    /// Refuses an MTU that the boxes on a network do not carry; hosts alone have what the kernel allows.
    func checkMTUs() {
        for network in networks where network.mtu > PortConfiguration.largestMTU {
            let box = network.attachments.lazy.map(\.node).first { name in
                guard let node = definition(of: name) else { return false }
                return node.role.isBox || node.host?.tunnel != nil
            }
            guard let box else { continue }
            let written = networkDefinitions.first { $0.name.value == network.name }
            reader.report(
                "network '\(network.name)' has the MTU \(network.mtu), and '\(box)' carries packets of \(PortConfiguration.largestMTU) bytes at most",
                at: written?.writtenMTU?.position ?? written?.name.position,
                allowed: ["an MTU of 68 to \(PortConfiguration.largestMTU)"])
        }
    }

    /// Gives a network and the interfaces on it a larger MTU.
    mutating func raiseMTU(of name: String, to mtu: Int) {
        guard let index = networks.firstIndex(where: { $0.name == name }), networks[index].mtu < mtu else { return }
        networks[index].mtu = mtu
        for node in interfaces.keys {
            for place in interfaces[node, default: []].indices where interfaces[node]?[place].network == name {
                interfaces[node]?[place].mtu = mtu
            }
        }
    }
}
