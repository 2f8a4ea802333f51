import LabTime
public import Wire

// IPv6 Neighbour Discovery: what ARP is to IPv4.

extension BoxPorts {
    /// An IPv6 packet from a link: Neighbour Discovery is dealt with here, the rest is the role's.
    mutating func receive(
        _ packet: IPv6PacketView, in frame: Frame, isGroup: Bool, at now: Instant, into output: inout FrameQueue
    ) -> Reception {
        let port = frame.port
        guard ports[Int(port)].ipv6 != nil else { return .other(.ipv6) }
        let (source, destination) = (packet.source, packet.destination)
        let isDiscovery = packet.icmp?.type.isNeighborDiscovery ?? false
        // Only somebody who looks for duplicates of its address has none. Source: RFC 4862, 5.4.2
        guard source.isNeighbor || isDiscovery && source.isUnspecified, isDiscovery || !owned.contains(source),
            destination.isMulticast || destination.isNeighbor
        else {
            counters.drop(.sourceAddressInvalid)
            return .done
        }
        if isDiscovery {
            receiveDiscovery(packet, in: frame, at: now, into: &output)
            return .done
        }
        return isGroup || destination.isMulticast ? .ipv6Group(packet) : .ipv6(packet)
    }

    /// Source: RFC 4861, 7.1 (what a valid message is), 7.2.3, 7.2.5
    private mutating func receiveDiscovery(
        _ packet: IPv6PacketView, in frame: Frame, at now: Instant, into output: inout FrameQueue
    ) {
        // A router would have lowered the hop limit: 255 comes from the link itself.
        guard packet.timeToLive == NeighborDiscovery.hopLimit, packet.layout.fragment == .whole,
            let message = try? NeighborDiscovery(
                ICMPv6View(packet.segment, source: packet.source, destination: packet.destination))
        else { return counters.drop(.malformedDiscovery) }
        switch message {
        case .neighborSolicitation(let target, let mac):
            receiveSolicitation(for: target, by: mac, packet, on: frame.port, at: now, into: &output)
        case .neighborAdvertisement(let target, let flags, let mac):
            let mac = mac ?? packet.sourceMAC
            if owned.answer(for: target, on: frame.port) != nil { return noteConflict(mac, on: frame.port) }
            learn(
                target, mac, on: frame.port, at: now, creates: false, overrides: flags.contains(.override),
                into: &output)
            if ports[Int(frame.port)].hasHostSide { deliverToHost(frame, into: &output) }
        case .routerSolicitation, .routerAdvertisement:
            // A box is configured by its lab alone.
            counters.drop(.multicast)
        }
    }

    private mutating func receiveSolicitation(
        for target: IPv6Address, by mac: MACAddress?, _ packet: IPv6PacketView, on port: PortIndex, at now: Instant,
        into output: inout FrameQueue
    ) {
        // Everybody who shares the last 24 bits of an address hears its solicitations.
        guard let answer = owned.answer(for: target, on: port) else { return }
        let asker = packet.source
        if owned.contains(asker) { return noteConflict(packet.sourceMAC, on: port) }
        if let mac, !asker.isUnspecified {
            learn(asker, mac, on: port, at: now, creates: true, overrides: true, into: &output)
        }
        guard let buffer = makeDiscovery(by: port, into: &output) else { return }
        // Whoever looks for a duplicate has no address yet: everybody is told. Source: RFC 4861, 7.2.4
        let isProbe = asker.isUnspecified
        _ = FrameBuilder.neighborDiscovery(
            .neighborAdvertisement(
                target: target, flags: isProbe ? .override : [.override, .solicited], linkLayerAddress: answer),
            from: target, mac: answer, to: isProbe ? .allNodes : asker,
            mac: isProbe ? .multicast(for: IPv6Address.allNodes) : mac ?? packet.sourceMAC, into: buffer)
        counters.count(.solicitationsAnswered)
    }

    /// Somebody speaks for an address of the box; its own words that came back over a switch are no conflict.
    private mutating func noteConflict(_ mac: MACAddress, on port: PortIndex) {
        guard mac != ports[Int(port)].mac, !acceptedMACs.contains(UInt64(port) << 48 | mac.packed) else { return }
        counters.drop(.addressConflict)
    }

    private mutating func learn(
        _ address: IPv6Address, _ mac: MACAddress, on port: PortIndex, at now: Instant, creates: Bool,
        overrides: Bool, into output: inout FrameQueue
    ) {
        guard address.isLinkLocal || ports[Int(port)].ipv6?.network.contains(address) == true else { return }
        learnNeighbor(address, mac, on: port, at: now, creates: creates, overrides: overrides, into: &output)
    }

    /// Asks for a neighbour, everybody who may be it or, as a probe, the neighbour itself.
    mutating func sendSolicitation(
        for target: IPv6Address, by port: PortIndex, to mac: MACAddress?, into output: inout FrameQueue
    ) {
        let from = self[port]
        guard let own = target.isLinkLocal ? from.linkLocal : from.ipv6?.address,
            let buffer = makeDiscovery(by: port, into: &output)
        else { return }
        _ = FrameBuilder.neighborSolicitation(for: target, from: own, mac: from.mac, to: mac, into: buffer)
        counters.count(.solicitationsSent)
    }

    /// Announces that an address is at `mac` now: a gratuitous ARP request, or an unsolicited neighbour advertisement.
    public mutating func announce(
        _ address: IPAddress, at mac: MACAddress, on port: PortIndex, into output: inout FrameQueue
    ) {
        switch address {
        case .ipv4(let address): announce(address, at: mac, on: port, into: &output)
        case .ipv6(let address):
            guard let buffer = makeDiscovery(by: port, into: &output) else { return }
            _ = FrameBuilder.unsolicitedAdvertisement(address, mac: mac, into: buffer)
        }
    }

    /// Room for a message with a link-layer address, which the caller fills: it is exactly as long.
    private mutating func makeDiscovery(
        by port: PortIndex, into output: inout FrameQueue
    ) -> UnsafeMutableRawBufferPointer? {
        make(length: FrameBuilder.neighborDiscoveryLength, by: port, into: &output)
    }
}
