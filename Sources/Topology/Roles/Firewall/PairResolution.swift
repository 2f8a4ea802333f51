import Configuration
import LabFile
import LabTime
import Wire

/// Merges what the two boxes of a pair say about their redundancy.
struct PairResolution {
    let first: NodeDefinition
    let second: NodeDefinition

    private var names: [String] { [first.name.value, second.name.value] }
    private var definitions: [RedundancyDefinition?] { [first.redundancy, second.redundancy] }
    private var position: SourcePosition {
        first.redundancy?.position ?? second.redundancy?.position ?? first.name.position
    }

    func resolve(into resolution: inout Resolution) {
        let reader = resolution.reader
        let timers = resolution.timers
        let routers = routers(&resolution)
        let crossConnect = crossConnect(avoiding: routers.map(\.network), resolution)
        let priorities = priorities(reader)
        let named = merged("timers", \.timers, reader)
        let conduit = merged("conduit", \.conduit, reader) ?? nil
        if let conduit { makeRoom(for: conduit, on: crossConnect?[0], routers, &resolution) }
        resolution.pairs.append(
            Pair(
                members: (0..<2).map {
                    Pair.Member(
                        name: names[$0], priority: priorities[$0], crossConnect: crossConnect?[$0],
                        key: (definitions[$0]?.key ?? definitions[1 - $0]?.key)?.value, tracked: tracked($0, resolution)
                    )
                },
                preemption: merged("preempt", \.preemption, reader) ?? .on,
                usesVirtualMAC: merged("virtual-mac", \.usesVirtualMAC, reader) ?? true,
                advertisementInterval: merged("advertise-every", \.advertisementInterval, reader)
                    ?? named?.advertisementInterval ?? timers.advertisementInterval,
                heartbeatInterval: merged("heartbeat-every", \.heartbeatInterval, reader)
                    ?? named?.heartbeat?.interval ?? timers.heartbeatInterval,
                heartbeatMisses: merged("heartbeat-misses", \.heartbeatMisses, reader)
                    ?? named?.heartbeat?.misses ?? timers.heartbeatMisses,
                startupSilentPeriod: merged("startup-silent-period", \.startupSilentPeriod, reader)
                    ?? named?.startupSilentPeriod ?? timers.startupSilentPeriod,
                routers: routers, announcements: named?.announcements ?? .persistent,
                deferral: merged("defer", \.deferral, reader) ?? nil, conduit: conduit))
    }

    /// The links that a box tracks: its own words, or its peer's for the interfaces on the same networks.
    private func tracked(_ index: Int, _ resolution: Resolution) -> [TrackedLink]? {
        let (own, other) = (names[index], names[1 - index])
        if let written = definitions[index]?.tracked {
            return written.compactMap { entry in
                port(entry.interface, of: own, resolution).map {
                    TrackedLink(port: $0.name, decrement: UInt8(entry.decrement))
                }
            }
        }
        return definitions[1 - index]?.tracked?.compactMap { entry in
            guard let theirs = port(entry.interface, of: other, resolution),
                let port = resolution.interface(of: own, on: theirs.network)
            else { return nil }
            return TrackedLink(port: port.name, decrement: UInt8(entry.decrement))
        }
    }

    /// A data frame on the cross-connect is larger than it was: the cross-connect gets the MTU for it, unless the lab
    /// gives it one that is too small.
    private func makeRoom(
        for conduit: ConduitConfiguration, on port: String?, _ routers: [Pair.VirtualRouter],
        _ resolution: inout Resolution
    ) {
        let position = definitions.lazy.compactMap { $0?.conduit?.position }.first
        guard let port, let network = resolution.interfaces[names[0]]?.first(where: { $0.name == port })?.network else {
            resolution.reader.report(
                "the conduit of '\(names[0])' and '\(names[1])' needs a cross-connect", at: position,
                allowed: ["a network that joins the two boxes and has no virtual address"])
            return
        }
        let largest = routers.compactMap { resolution.network(named: $0.network)?.mtu }.max() ?? 0
        let needed = largest + ConduitKey.overhead
        let definition = resolution.networkDefinitions.first { $0.name.value == network }
        if let written = definition?.writtenMTU {
            guard written.value < needed else { return }
            resolution.reader.report(
                "the MTU of the cross-connect '\(network)' is \(written.value), and its conduit carries packets of \(largest)",
                at: written.position, allowed: ["\(needed) or more", "no MTU: it gets what it needs"])
        } else {
            resolution.raiseMTU(of: network, to: needed)
        }
    }

    /// What either box says; reported where both say something and it differs.
    private func merged<T: Equatable>(
        _ key: String, _ path: KeyPath<RedundancyDefinition, Located<T>?>, _ reader: LabReader
    ) -> T? {
        let given = definitions.map { $0?[keyPath: path] }
        if let a = given[0], let b = given[1], a.value != b.value {
            reader.report(
                "'\(key)' of '\(names[1])' differs from its peer '\(names[0])' (line \(a.position.line)); it counts for both boxes, so one of them is enough",
                at: b.position)
        }
        return (given[0] ?? given[1])?.value
    }

    /// 200 and 100 where neither box says; 100 for one that does not.
    private func priorities(_ reader: LabReader) -> [UInt8] {
        let given = definitions.map { $0?.priority }
        if given[0] == nil, given[1] == nil { return [200, 100] }
        let values = given.map { UInt8($0?.value ?? 100) }
        if values[0] == values[1] {
            reader.report(
                "'\(names[0])' and '\(names[1])' both have priority \(values[0])", at: (given[1] ?? given[0])?.position,
                allowed: ["a different priority for each box; 100 is the default"])
        }
        return values
    }

    // MARK: Virtual addresses

    private func routers(_ resolution: inout Resolution) -> [Pair.VirtualRouter] {
        let reader = resolution.reader
        let written = (0..<2).map { routers(writtenBy: $0, resolution) }
        if let a = written[0], let b = written[1] {
            let differs =
                a.count != b.count
                || a.contains { router in
                    !b.contains { $0.network == router.network && $0.addresses == router.addresses }
                }
            if differs {
                reader.report(
                    "the virtual addresses of '\(names[1])' differ from its peer's; they count for both boxes, so one of them is enough",
                    at: second.redundancy?.addresses?.first?.interface.position)
            }
        }
        guard var routers = written[0] ?? written[1], !routers.isEmpty else {
            reader.report(
                "the pair '\(names[0])' and '\(names[1])' has no virtual address", at: position,
                allowed: ["addresses: { interface: virtual address }"])
            return []
        }
        for index in routers.indices {
            routers[index].id = id(of: routers[index], resolution)
            guard let network = resolution.network(named: routers[index].network) else { continue }
            for address in routers[index].addresses {
                let position =
                    definitions.compactMap { $0?.addresses }.joined().flatMap(\.addresses)
                    .first { $0.value == address }?.position ?? position
                let what = "the virtual address \(address) of '\(names[0])' and '\(names[1])'"
                let address = IPAddress.ipv4(address)
                guard resolution.isHost(address, of: network, what: what, at: position) else { continue }
                resolution.claim(
                    address,
                    for: .init(node: names[0], what: "the pair '\(names[0])' and '\(names[1])'", position: position),
                    at: position)
            }
        }
        return routers
    }

    /// nil where that box says nothing about addresses.
    private func routers(writtenBy index: Int, _ resolution: Resolution) -> [Pair.VirtualRouter]? {
        guard let written = definitions[index]?.addresses else { return nil }
        let (own, other) = (names[index], names[1 - index])
        let reader = resolution.reader
        return written.compactMap { entry in
            guard let port = port(entry.interface, of: own, resolution) else { return nil }
            guard let peerPort = resolution.interface(of: other, on: port.network) else {
                reader.report(
                    "'\(other)' has no interface on network '\(port.network)', so it cannot share an address of \(own).\(port.name)",
                    at: entry.interface.position)
                return nil
            }
            let ports = index == 0 ? [port.name, peerPort.name] : [peerPort.name, port.name]
            return Pair.VirtualRouter(
                network: port.network, id: 0, addresses: entry.addresses.map(\.value), ports: ports)
        }
    }

    private func port(_ name: Located<String>, of node: String, _ resolution: Resolution) -> Interface? {
        let interfaces = resolution.interfaces[node] ?? []
        if let found = interfaces.first(where: { $0.name == name.value }) { return found }
        resolution.reader.reportUnknown(
            name.value, "'\(node)' has no interface '\(LabValue.shortened(name.value))'", at: name.position,
            allowed: interfaces.map(\.name))
        return nil
    }

    /// The number that the lab gives; 0 where it gives none.
    private func id(of router: Pair.VirtualRouter, _ resolution: Resolution) -> UInt8 {
        for (index, definition) in definitions.enumerated() {
            for entry in definition?.virtualRouterIDs ?? [] {
                guard let port = port(entry.interface, of: names[index], resolution), port.network == router.network
                else {
                    continue
                }
                let taken = resolution.pairs.contains { pair in
                    pair.routers.contains { $0.network == router.network && Int($0.id) == entry.id }
                }
                if taken {
                    resolution.reader.report(
                        "network '\(router.network)' has a virtual router \(entry.id) already",
                        at: entry.interface.position)
                }
                return UInt8(entry.id)
            }
        }
        return 0
    }

    // MARK: Cross-connect

    /// The ports of the cross-connect in the members' order; nil where the pair has none.
    private func crossConnect(avoiding served: [String], _ resolution: Resolution) -> [String]? {
        let reader = resolution.reader
        for (index, definition) in definitions.enumerated() {
            guard let named = definition?.crossConnect else { continue }
            if named.value == "none" { return nil }
            guard let port = port(named, of: names[index], resolution) else { return nil }
            guard let peerPort = resolution.interface(of: names[1 - index], on: port.network) else {
                reader.report(
                    "the cross-connect \(names[index]).\(port.name) does not lead to '\(names[1 - index])'",
                    at: named.position)
                return nil
            }
            if served.contains(port.network) {
                reader.report(
                    "\(names[index]).\(port.name) has a virtual address, so it cannot be the cross-connect",
                    at: named.position)
            }
            return index == 0 ? [port.name, peerPort.name] : [peerPort.name, port.name]
        }
        for port in resolution.interfaces[names[0]] ?? [] where !served.contains(port.network) {
            if let peerPort = resolution.interface(of: names[1], on: port.network) {
                return [port.name, peerPort.name]
            }
        }
        return nil
    }
}
