extension FrameBuilder {
    /// A UDP datagram over IPv6 with a payload that is copied; `payload` must not lie in `buffer`.
    public static func udp(
        _ ports: UDPHeader, in packet: IPv6Header, from source: MACAddress, to destination: MACAddress,
        payload: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var packet = packet
        packet.nextHeader = .udp
        let offset = EthernetHeader.length + IPv6Header.length
        guard place(payload, at: offset + UDPHeader.length, in: buffer),
            let header = ports.emit(
                into: rest(of: buffer, from: offset), payloadLength: payload.count, source: packet.source,
                destination: packet.destination)
        else { return nil }
        return wrap(packet, from: source, to: destination, length: header + payload.count, into: buffer)
    }

    /// A TCP segment over IPv6 with a payload that is copied; `payload` must not lie in `buffer`.
    public static func tcp(
        _ segment: TCPHeader, in packet: IPv6Header, from source: MACAddress, to destination: MACAddress,
        payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var packet = packet
        packet.nextHeader = .tcp
        let offset = EthernetHeader.length + IPv6Header.length
        guard place(payload, at: offset + segment.length, in: buffer),
            let header = segment.emit(
                into: rest(of: buffer, from: offset), payloadLength: payload.count, source: packet.source,
                destination: packet.destination)
        else { return nil }
        return wrap(packet, from: source, to: destination, length: header + payload.count, into: buffer)
    }

    /// An ICMPv6 message with a body that is copied; `body` must not lie in `buffer`.
    public static func icmp(
        _ message: ICMPv6Header, in packet: IPv6Header, from source: MACAddress, to destination: MACAddress,
        body: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var packet = packet
        packet.nextHeader = .icmpv6
        let offset = EthernetHeader.length + IPv6Header.length
        guard place(body, at: offset + ICMPv6Header.length, in: buffer),
            let header = message.emit(
                into: rest(of: buffer, from: offset), bodyLength: body.count, source: packet.source,
                destination: packet.destination)
        else { return nil }
        return wrap(packet, from: source, to: destination, length: header + body.count, into: buffer)
    }

    /// Bytes of a neighbour solicitation or advertisement with the sender's address in it.
    public static var neighborDiscoveryLength: Int { EthernetHeader.length + IPv6Header.length + 32 }

    /// Who has `target`? To the group in which its owner listens, or to one station that is asked whether it still
    /// has it. Source: RFC 4861, 4.3, 7.2.2
    public static func neighborSolicitation(
        for target: IPv6Address, from sender: IPv6Address, mac: MACAddress, to station: MACAddress? = nil,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let group = target.solicitedNodeMulticast
        return neighborDiscovery(
            .neighborSolicitation(target: target, linkLayerAddress: mac), from: sender, mac: mac,
            to: station == nil ? group : target, mac: station ?? .multicast(for: group), into: buffer)
    }

    /// `mac` has `target`, unasked and to all nodes, so that neighbours and switches learn it: what gratuitous ARP is
    /// to IPv4. Source: RFC 4861, 7.2.6
    public static func unsolicitedAdvertisement(
        _ target: IPv6Address, mac: MACAddress, flags: NeighborDiscovery.Flags = .override,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        neighborDiscovery(
            .neighborAdvertisement(target: target, flags: flags, linkLayerAddress: mac), from: target, mac: mac,
            to: .allNodes, mac: .multicast(for: IPv6Address.allNodes), into: buffer)
    }

    /// An ICMPv6 error to the sender of a packet, back to the station that handed it over, with as much of the packet
    /// as fits into 1280 bytes.
    /// - Returns: nil also where the packet may not be answered with an error
    ///
    /// Source: RFC 4443, 2.4
    public static func icmpv6Error(
        _ error: ICMPv6Header, about packet: IPv6PacketView, from source: IPv6Address, mac: MACAddress,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard packet.mayBeAnsweredWithError(error.type) else { return nil }
        let quoted = packet.packet.prefix(1280 - IPv6Header.length - ICMPv6Header.length)
        let header = IPv6Header(source: source, destination: packet.source, nextHeader: .icmpv6)
        return icmp(
            error, in: header, from: mac, to: packet.sourceMAC, body: UnsafeRawBufferPointer(rebasing: quoted),
            into: buffer)
    }
}

extension IPPacketView where Family == IPv6 {
    /// Whether an ICMPv6 error may be sent about this packet: not about an error or a redirect, not to nobody, and
    /// about a packet to a group only that it is too big. Source: RFC 4443, 2.4 (e)
    public func mayBeAnsweredWithError(_ type: ICMPv6Type) -> Bool {
        guard source.isNeighbor else { return false }
        if (destination.isMulticast || destinationMAC.isMulticast) && type != .packetTooBig { return false }
        guard ipProtocol == .icmpv6 else { return true }
        // A later fragment of an error cannot be told from one of a query.
        return icmp.map { !$0.type.isError && $0.type.rawValue != 137 } ?? false
    }
}
