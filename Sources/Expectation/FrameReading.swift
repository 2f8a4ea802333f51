import Wire

/// The fields of one Ethernet frame and of the packets in it.
struct FrameReading: Sendable {
    struct ARP: Hashable, Sendable {
        var operation: UInt16
        var senderMAC: MACAddress
        var senderAddress: IPv4Address
        var targetMAC: MACAddress
        var targetAddress: IPv4Address
    }

    var destination: MACAddress?
    var source: MACAddress?
    /// Behind any VLAN tags.
    var type: UInt16?
    var arp: ARP?
    var packet: PacketReading?
    var inner: PacketReading?

    init(_ bytes: [UInt8]) {
        destination = bytes.mac(0)
        source = bytes.mac(6)
        var offset = 12
        type = bytes.uint16(offset)
        while let tag = type, tag == 0x8100 || tag == 0x88a8 {
            offset += 4
            type = bytes.uint16(offset)
        }
        switch type {
        case 0x0800, 0x86dd:
            packet = PacketReading(bytes, at: offset + 2)
            inner = packet?.innerOffset.flatMap { PacketReading(bytes, at: $0) }
        case 0x0806:
            arp = Self.readARP(bytes, at: offset + 2)
        default:
            break
        }
    }

    /// ARP of IPv4 over Ethernet (RFC 826): hardware 1, protocol 0x0800, lengths 6 and 4.
    private static func readARP(_ bytes: [UInt8], at start: Int) -> ARP? {
        guard bytes.uint16(start) == 1, bytes.uint16(start + 2) == 0x0800, bytes.uint16(start + 4) == 0x0604,
            let operation = bytes.uint16(start + 6), let senderMAC = bytes.mac(start + 8),
            let senderAddress = bytes.address(start + 14), let targetMAC = bytes.mac(start + 18),
            let targetAddress = bytes.address(start + 24)
        else { return nil }
        return ARP(
            operation: operation, senderMAC: senderMAC, senderAddress: senderAddress, targetMAC: targetMAC,
            targetAddress: targetAddress)
    }

    /// nil where the frame has no such field.
    func value(of field: FrameField) -> FieldValue? {
        let any = field.isInner ? inner : packet
        // Fields of one family's header are not those of the other's.
        let packet = any.flatMap { field.name.isOfIPv4 == $0.isIPv6 ? nil : $0 }
        func number(_ value: (some BinaryInteger)?) -> FieldValue? { value.map { .number(UInt64($0)) } }
        switch field.name {
        case .ethernetSource: return source.map { .mac($0) }
        case .ethernetDestination: return destination.map { .mac($0) }
        case .ethernetType: return number(type)
        case .arpOperation: return number(arp?.operation)
        case .arpSenderMAC: return arp.map { .mac($0.senderMAC) }
        case .arpSenderAddress: return arp.map { .address(.ipv4($0.senderAddress)) }
        case .arpTargetMAC: return arp.map { .mac($0.targetMAC) }
        case .arpTargetAddress: return arp.map { .address(.ipv4($0.targetAddress)) }
        case .ipSource: return packet.map { .address($0.source) }
        case .ipDestination: return packet.map { .address($0.destination) }
        case .ipTimeToLive: return number(packet?.timeToLive)
        case .ipProtocol: return number(packet?.proto)
        case .ipIdentification: return number(packet?.identification)
        case .ipLength: return number(packet?.totalLength)
        case .ipDontFragment: return packet.map { .boolean($0.dontFragment) }
        case .ip6Source: return packet.map { .address($0.source) }
        case .ip6Destination: return packet.map { .address($0.destination) }
        case .ip6HopLimit: return number(packet?.timeToLive)
        case .ip6NextHeader: return number(packet?.proto)
        case .ip6Length: return number(packet?.totalLength)
        case .tcpSourcePort: return packet?.proto == 6 ? number(packet?.sourcePort) : nil
        case .tcpDestinationPort: return packet?.proto == 6 ? number(packet?.destinationPort) : nil
        case .tcpFlags: return packet?.tcp?.flags.map { .flags($0) }
        case .tcpSequence: return number(packet?.tcp?.sequence)
        case .tcpAcknowledgment: return number(packet?.tcp?.acknowledgment)
        case .tcpLength: return number(packet?.tcp?.payloadLength)
        case .tcpSegmentSize: return number(packet?.tcp?.segmentSize)
        case .udpSourcePort: return packet?.proto == 17 ? number(packet?.sourcePort) : nil
        case .udpDestinationPort: return packet?.proto == 17 ? number(packet?.destinationPort) : nil
        case .udpLength: return number(packet?.udpPayloadLength)
        case .icmpType: return number(packet?.icmp?.type)
        case .icmpCode: return number(packet?.icmp?.code)
        case .icmpMTU: return number(packet?.icmp?.mtu)
        case .icmp6Type: return number(packet?.icmp?.type)
        case .icmp6Code: return number(packet?.icmp?.code)
        case .icmp6MTU: return number(packet?.icmp?.mtu)
        case .discoveryTarget: return packet?.discoveryTarget.map { .address(.ipv6($0)) }
        case .httpStatus: return number(packet?.http?.status)
        case .httpMethod: return packet?.http?.method.map { .word($0) }
        case .httpURI: return packet?.http?.uri.map { .word($0) }
        case .httpHost: return packet?.http?.host.map { .word($0) }
        case .probeProgram: return number(packet?.probe?.program)
        case .probeFlow: return number(packet?.probe?.flow)
        case .probeSequence: return number(packet?.probe?.sequence)
        case .vrrpIdentifier: return number(packet?.vrrp?.identifier)
        case .vrrpPriority: return number(packet?.vrrp?.priority)
        case .vrrpInterval: return number(packet?.vrrp?.intervalMilliseconds)
        }
    }

    /// One line for people: `02:…:0a → 02:…:0b, 192.0.2.10:40000 → 198.51.100.100:80 TCP SYN`.
    var summary: String {
        let link =
            "\(source?.description ?? "?") → \(destination?.description ?? "?")"
        if let arp {
            let operation = FieldValue.number(UInt64(arp.operation)).text(for: .arpOperation)
            return
                "\(link), ARP \(operation) from \(arp.senderAddress) at \(arp.senderMAC) for \(arp.targetAddress)"
        }
        guard let packet else {
            return link + (type.map { ", type " + FieldValue.number(UInt64($0)).text(for: .ethernetType) } ?? "")
        }
        return "\(link), \(packet.summary)" + (inner.map { " (\($0.summary))" } ?? "")
    }
}

extension PacketReading {
    var summary: String {
        func end(_ address: IPAddress, _ port: UInt16?) -> String {
            port.map { address.endpoint(port: $0) } ?? address.description
        }
        let ends = "\(end(source, sourcePort)) → \(end(destination, destinationPort))"
        if let tcp { return "\(ends) TCP" + (tcp.flags.map { " " + TCPFlagText.text($0) } ?? "") }
        if let discoveryTarget, let icmp {
            return "\(ends) " + (icmp.type == 135 ? "who has \(discoveryTarget)" : "\(discoveryTarget) is here")
        }
        if let icmp { return "\(ends) ICMP\(isIPv6 ? "v6" : "") \(icmp.type)/\(icmp.code)" }
        if let vrrp { return "\(ends) VRRP \(vrrp.identifier) priority \(vrrp.priority)" }
        return "\(ends) " + FieldValue.number(UInt64(proto)).text(for: .ipProtocol).uppercased()
    }
}
