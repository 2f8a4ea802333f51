internal import Configuration
internal import Evidence
internal import Impairment
public import Integrity
internal import LabEvents
internal import LabTime
internal import Measurement
public import Topology
internal import Wire

extension IntegrityExamination {
    /// Of what a variant's run left behind.
    public init(of variant: Variant, _ record: RunRecord) {
        let traffic = Set(record.traffic.map(\.program.name))
        let own = variant.scenario.compactMap(\.event)
        // Boxes and impairment links report until the very end, while captures are completed already.
        let stops = record.events.filter { $0.isOf(.trafficStop) || own.contains($0.name) }.map(\.time)
        var play: ClosedRange<Timestamp>?
        if let first = record.events.map(\.time).min(), let last = stops.max(), first <= last { play = first...last }
        let flows = record.traffic.flatMap { result in
            (result.flows + [result.further?.telling].compactMap(\.self)).flatMap { flow in
                ([flow.start, flow.end] + (flow.laterEnds ?? []).map(\.start)).map {
                    (program: result.program.name, time: $0)
                }
            }
        }
        self.init(
            stations: LabStations(of: variant, record: record), captures: record.captures, span: record.span,
            play: play,
            ownEvents: own
                + traffic.sorted().flatMap {
                    [EventKind.trafficStart.name(of: $0), EventKind.trafficStop.name(of: $0)]
                },
            records: record.files, clockStep: record.clockStep, events: record.events, flowTimes: flows,
            files: FolderBytes(record.folder))
    }
}

extension LabStations {
    /// What an examination needs to know of a variant.
    public init(of variant: Variant, record: RunRecord) {
        let plan = CablePlan(variant: variant, events: record.events, eventGap: record.eventGap)
        let hosts = variant.nodes.filter { $0.role.host != nil }.flatMap { node in
            node.interfaces.compactMap { $0.address?.address }
        }
        let actions = variant.elements.flatMap { $0.rules.map(\.action) }
        self.init(
            points: plan.points, cables: plan.cables,
            boxes: variant.nodes.compactMap { Self.box($0, record) } + Self.pairs(of: variant, record),
            addresses: variant.nodes.allSatisfy(\.programs.isEmpty) ? Self.addresses(of: variant) : nil,
            hosts: Set(hosts),
            mayCorrupt: actions.contains(where: \.mayCorrupt), mayDuplicate: actions.contains(where: \.mayRepeat))
    }

    /// Every address that the lab gives an interface, and those of virtual routers.
    private static func addresses(of variant: Variant) -> Set<MACAddress> {
        var addresses: Set<MACAddress> = []
        for node in variant.nodes {
            let own = node.interfaces.map(\.mac) + [node.tunnel?.endpoint.mac].compactMap(\.self)
            for mac in own {
                addresses.formUnion([
                    mac, MACScheme.switchPort(of: mac), MACScheme.elementPort(0, of: mac),
                    MACScheme.elementPort(1, of: mac), MACScheme.internalEnd(of: mac),
                ])
            }
            addresses.formUnion(node.role.configuration.virtualAddresses)
        }
        return addresses
    }

    /// A box that forwards between its interfaces and answers for nobody.
    private static func box(_ node: Node, _ record: RunRecord) -> Box? {
        guard node.role.configuration.passesFrames else { return nil }
        return Box(
            name: node.name, points: node.interfaces.map { Point(node: node.name, interface: $0.name) },
            addresses: forwardedAddresses(of: node), forwardsAnyAddress: node.role.configuration.joinsNetworks,
            dropped: dropped(by: node, record))
    }

    /// Each pair with a conduit, which carries packets from box to box on the cross-connect.
    private static func pairs(of variant: Variant, _ record: RunRecord) -> [Box] {
        variant.nodes.enumerated().compactMap { index, node in
            guard let link = node.role.configuration.conduitPort, let link = node.interface(named: link),
                let peer = variant.nodes[(index + 1)...].first(where: { other in
                    other.role.configuration.conduitPort.flatMap { other.interface(named: $0) }?.network == link.network
                })
            else { return nil }
            let boxes = [node, peer]
            let points = boxes.flatMap { box in
                box.interfaces.filter { $0.network != link.network }
                    .map { Point(node: box.name, interface: $0.name) }
            }
            // The cross-connect itself may have lost what passed it.
            let isWhole =
                !variant.elements.contains { element in boxes.contains { $0.name == element.cable.node } }
                && !record.events.contains { event in
                    boxes.contains { $0.name == event.node } && event.isOf(.linkDown, .linkUp)
                }
            let sums = boxes.map { dropped(by: $0, record) }
            return Box(
                name: "\(node.name) and \(peer.name)", points: points,
                addresses: boxes.reduce(into: []) { $0.formUnion(forwardedAddresses(of: $1)) },
                dropped: isWhole && !sums.contains(nil) ? sums.reduce(0) { $0 &+ ($1 ?? 0) } : nil)
        }
    }

    /// Of frames that the node takes to forward them.
    private static func forwardedAddresses(of node: Node) -> Set<MACAddress> {
        Set(node.interfaces.map(\.mac) + node.role.configuration.virtualAddresses)
    }

    /// nil where the box left no counters, or did not count all the time.
    private static func dropped(by node: Node, _ record: RunRecord) -> UInt64? {
        // With events missing nobody knows whether it did.
        let hasFailed =
            record.eventGap != nil
            || record.events.contains { $0.node == node.name && $0.isOf(.powerOff, .powerOn, .hang, .resume) }
        guard !hasFailed, let counters = record.counters[node.name] else { return nil }
        // A switch counts apart what goes nowhere because its destination is behind the port that it came from.
        let filtered = counters[Counter.switchFiltered.rawValue] ?? 0
        let drops = counters.filter { name, _ in
            // Not what a program of the node has counted.
            !name.contains("/") && (name.hasPrefix("drop.") || name.contains(".drop."))
        }
        return drops.values.reduce(filtered, &+)
    }
}

/// The captured points of a variant, and the cables between them.
private struct CablePlan {
    let variant: Variant
    let events: [LabEvent]
    let eventGap: RecordGap?

    /// As `BuiltNetwork` captures them.
    var points: [LabStations.Point] {
        variant.capture.interfaces.flatMap { reference -> [LabStations.Point] in
            let own = LabStations.Point(node: reference.node, interface: reference.interface)
            guard variant.element(named: reference.node) == nil, let (network, attachment) = attachment(of: reference),
                network.kind == .switch
            else { return [own] }
            return [own, port(of: attachment, on: network)]
        }
    }

    var cables: [LabStations.Cable] {
        variant.networks.flatMap { network -> [LabStations.Cable] in
            switch network.kind {
            case .switch:
                return network.attachments.flatMap { attachment in
                    halves(of: attachment, far: port(of: attachment, on: network), farAddress: nil, farNode: nil)
                }
            case .link:
                guard network.attachments.count == 2 else { return [] }
                let (a, b) = (network.attachments[0], network.attachments[1])
                let isOfB = element(on: b) != nil
                let (near, far) = isOfB ? (b, a) : (a, b)
                return halves(
                    of: near, far: LabStations.Point(node: far.node, interface: far.interface),
                    farAddress: address(of: far), farNode: far)
            }
        }
    }

    /// One cable, or the two halves of one with an impairment link.
    private func halves(
        of near: Network.Attachment, far: LabStations.Point, farAddress: MACAddress?, farNode: Network.Attachment?
    ) -> [LabStations.Cable] {
        let own = LabStations.Point(node: near.node, interface: near.interface)
        let down = downTimes(of: [near, farNode].compactMap(\.self))
        guard let element = element(on: near) else {
            return [
                LabStations.Cable(
                    near: own, far: far, nearAddress: address(of: near), farAddress: farAddress, downTimes: down)
            ]
        }
        let ports = element.ports.map { LabStations.Point(node: $0.node, interface: $0.interface) }
        return [
            LabStations.Cable(
                near: own, far: ports[0], nearAddress: address(of: near), farAddress: nil, downTimes: down),
            LabStations.Cable(near: far, far: ports[1], nearAddress: farAddress, farAddress: nil, downTimes: down),
        ]
    }

    private func element(on attachment: Network.Attachment) -> CableElement? {
        variant.elements.first { $0.cable.node == attachment.node && $0.cable.interface == attachment.interface }
    }

    private func attachment(of reference: InterfaceReference) -> (Network, Network.Attachment)? {
        guard let interface = variant.node(named: reference.node)?.interface(named: reference.interface),
            let network = variant.network(named: interface.network),
            let attachment = network.attachments.first(where: {
                $0.node == reference.node && $0.interface == reference.interface
            })
        else { return nil }
        return (network, attachment)
    }

    private func port(of attachment: Network.Attachment, on network: Network) -> LabStations.Point {
        LabStations.Point(node: network.name, interface: attachment.port ?? attachment.node)
    }

    private func address(of attachment: Network.Attachment) -> MACAddress? {
        variant.node(named: attachment.node)?.interface(named: attachment.interface)?.mac
    }

    /// From each event that takes a link away to the one that brings it back. The event comes before the deed, and a
    /// carrier is back some time after it.
    private func downTimes(of ends: [Network.Attachment]) -> [ClosedRange<Timestamp>] {
        let last = Timestamp(nanoseconds: .max)
        // What took links away may be missing.
        let unknown = eventGap.map { [$0.from...max($0.from, last)] } ?? []
        return unknown
            + ends.flatMap { end -> [ClosedRange<Timestamp>] in
                var times: [ClosedRange<Timestamp>] = []
                var since: Timestamp?
                for event in events.sorted(by: { $0.time < $1.time }) where event.node == end.node {
                    if let interface = event[.interface], interface != end.interface { continue }
                    switch EventKind(rawValue: event.kind) {
                    case .linkDown, .powerOff: since = since ?? event.time - .milliseconds(100)
                    case .linkUp, .powerOn:
                        times.append((since ?? event.time - .milliseconds(100))...(event.time + .seconds(2)))
                        since = nil
                    default: break
                    }
                }
                return times + (since.map { [$0...max($0, last)] } ?? [])
            }
    }
}
