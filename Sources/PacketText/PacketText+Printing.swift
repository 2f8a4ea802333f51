public import Wire

extension PacketText {
    /// The text of a frame.
    /// - Parameter showsLink: whether it begins with the MAC addresses; the full text always does
    public func text(of frame: [UInt8], detail: Detail = .full, showsLink: Bool = true) -> String {
        var bytes = frame
        let (link, packet) = bytes.withUnsafeMutableBytes { buffer -> (String, String) in
            let packet = self.packet(buffer, detail)
            guard buffer.count >= EthernetHeader.length, let base = buffer.baseAddress else { return ("", packet) }
            // Guard: 14 bytes.
            let start = UnsafeRawPointer(base)
            return ("\(station(start.readMAC(at: 6)))>\(station(start.readMAC(at: 0))) ", packet)
        }
        let text = (showsLink || detail == .full ? link : "") + packet
        guard detail == .full, (try? self.frame(text)) != frame else { return text }
        return text + " bytes " + (frame.isEmpty ? "\"\"" : PacketFields.digits(frame))
    }

    private func packet(_ buffer: UnsafeMutableRawBufferPointer, _ detail: Detail) -> String {
        switch ParsedFrame(buffer) {
        case .ipv4(let packet):
            var text = packetText(packet, detail)
            guard detail == .full else { return text }
            if packet.identification != defaults.identification { text += " ipid \(packet.identification)" }
            if packet.hasMoreFragments { text += " more" }
            if !packet.dontFragment { text += " may-fragment" }
            return text + payloadText(packet)
        case .ipv6(let packet): return packetText(packet, detail) + (detail == .full ? payloadText(packet) : "")
        case .arp(let packet): return arpText(packet, detail)
        case .other(let type): return "ether \(type)"
        case .malformed: return "malformed"
        }
    }

    private func arpText(_ packet: ARPHeader, _ detail: Detail) -> String {
        guard packet.operation == .reply else {
            return "arp who-has \(packet.targetAddress) tell \(packet.senderAddress)"
        }
        let text = "arp \(packet.senderAddress) is-at \(station(packet.senderMAC))"
        return detail == .full ? text + " for \(packet.targetAddress)" : text
    }

    /// All but the fields of IPv4 alone, and the payload.
    private func packetText<Family>(_ packet: IPPacketView<Family>, _ detail: Detail) -> String {
        var text = Self.flowText(packet.fiveTuple, hasPorts: packet.layout.hasTransportHeader)
        let isFull = detail == .full
        switch packet.ipProtocol {
        case .tcp where packet.layout.hasTransportHeader:
            text += " \(packet.tcpFlags)"
            if isFull, let tcp = packet.tcp {
                text += " seq \(tcp.sequence) ack \(tcp.acknowledgement) win \(tcp.window)"
                if let size = tcp.maximumSegmentSize { text += " mss \(size)" }
                if let scale = tcp.windowScale { text += " wscale \(scale)" }
            }
        case Family.controlProtocol where packet.layout.hasTransportHeader: text += controlText(packet, detail)
        case .vrrp: text += Self.vrrpText(packet, detail)
        default: break
        }
        switch packet.layout.fragment {
        case .whole: break
        case .first: text += " +0"
        case .later: text += " +\(Self.fragmentOffset(packet))"
        }
        guard isFull else { return text }
        let base = packet.packet.baseAddress.unsafelyUnwrapped  // Guard: the parse found an IP header.
        let trafficClass =
            Family.version == .ipv4 ? base.readUInt8(at: 1) : UInt8(truncatingIfNeeded: base.readUInt16(at: 0) >> 4)
        if trafficClass != 0 { text += " class \(trafficClass)" }
        if packet.timeToLive != timeToLive(of: packet) { text += " ttl \(packet.timeToLive)" }
        return text
    }

    /// The time to live that is not worth a word.
    private func timeToLive<Family>(of packet: IPPacketView<Family>) -> UInt8 {
        if packet.ipProtocol == .vrrp { return VRRPHeader.timeToLive }
        let isDiscovery = Family.version == .ipv6 && (packet.controlType.map { (135...136).contains($0) } ?? false)
        return isDiscovery ? NeighborDiscovery.hopLimit : defaults.timeToLive
    }

    private static func fragmentOffset<Family>(_ packet: IPPacketView<Family>) -> Int {
        let base = packet.packet.baseAddress.unsafelyUnwrapped  // Guard: the parse found an IP header.
        if Family.version == .ipv4 { return Int(base.readUInt16(at: 6) & 0x1fff) * 8 }
        // The fragment header precedes what follows the extension headers.
        return Int(base.readUInt16(at: packet.packet.count - packet.segment.count - 6) & 0xfff8)
    }

    /// `tcp 10.0.0.1:1024 > 10.0.0.2:80`, `gre 10.0.0.1 > 10.0.0.2`
    private static func flowText<Family: AddressFamily>(_ flow: FlowKey<Family>, hasPorts: Bool) -> String {
        let name = UInt8(flow.protocol.description) == nil ? "\(flow.protocol)" : "ip\(flow.protocol)"
        let (source, destination) = (flow.source.erased, flow.destination.erased)
        guard hasPorts, flow.protocol == .tcp || flow.protocol == .udp else {
            return "\(name) \(source) > \(destination)"
        }
        return "\(name) \(source.endpoint(port: flow.sourcePort)) > \(destination.endpoint(port: flow.destinationPort))"
    }

    private func controlText<Family>(_ packet: IPPacketView<Family>, _ detail: Detail) -> String {
        // Guard: a transport header of ICMP is eight bytes.
        let base = packet.segment.baseAddress.unsafelyUnwrapped
        let (type, rest) = (base.readUInt8(at: 0), base.readUInt32(at: 4))
        if let text = discoveryText(packet) { return text }
        var text = " \(type)/\(base.readUInt8(at: 1))"
        if Family.isControlQuery(type: type) {
            text += " id \(rest >> 16)"
            if detail == .full { text += " seq \(rest & 0xffff)" }
        } else if detail == .full, rest != 0 {
            text += Family.reportedMTU(in: packet) == Int(rest) ? " mtu \(rest)" : " rest \(rest)"
        }
        if packet.layout.fragment == .whole, Self.isError(packet), let quoted = Family.quoted(packet.payload) {
            text += " about " + Self.flowText(quoted.fiveTuple, hasPorts: quoted.hasPorts)
            if quoted.hasPorts, quoted.fiveTuple.protocol == Family.controlProtocol {
                text += " id \(quoted.fiveTuple.sourcePort)"
            }
        }
        return text
    }

    private static func isError<Family>(_ packet: IPPacketView<Family>) -> Bool {
        guard let type = packet.controlType else { return false }
        return Family.version == .ipv4 ? ICMPv4Type(rawValue: type).isError : ICMPv6Type(rawValue: type).isError
    }

    private func discoveryText<Family>(_ packet: IPPacketView<Family>) -> String? {
        guard let packet = packet as? IPv6PacketView, packet.layout.fragment == .whole,
            let view = try? ICMPv6View(packet.segment, source: packet.source, destination: packet.destination)
        else { return nil }
        switch try? NeighborDiscovery(view) {
        case .neighborSolicitation(let target, let mac):
            return " solicit \(target)" + (mac.map { " at \(station($0))" } ?? "")
        case .neighborAdvertisement(let target, let flags, let mac):
            return " advertise \(target)" + (mac.map { " at \(station($0))" } ?? "") + " flags \(flags.rawValue)"
        default: return nil
        }
    }

    private static func vrrpText<Family>(_ packet: IPPacketView<Family>, _ detail: Detail) -> String {
        func text(_ view: borrowing VRRPView, _ address: (Int) -> IPAddress) -> String {
            var text = " vrid \(view.id) prio \(view.priority)"
            if detail == .full {
                text += " interval \(view.centiseconds) version \(view.version.rawValue) addresses "
                text += (0..<view.addressCount).map { address($0).description }.joined(separator: ",")
            }
            return text
        }
        if let packet = packet as? PacketView,
            let view = try? VRRPView(packet.segment, source: packet.source, destination: packet.destination)
        {
            return text(view) { .ipv4(view.ipv4Address(at: $0)) }
        }
        if let packet = packet as? IPv6PacketView,
            let view = try? VRRPView(packet.segment, source: packet.source, destination: packet.destination)
        {
            return text(view) { .ipv6(view.ipv6Address(at: $0)) }
        }
        return ""
    }

    /// The payload where it is not the default, and no other field says what it is.
    private func payloadText<Family>(_ packet: IPPacketView<Family>) -> String {
        if packet.ipProtocol == .vrrp { return "" }
        if discoveryText(packet) != nil { return "" }
        let payload = Array(packet.payload)
        return payload == defaults.payload ? "" : " payload " + PacketFields.text(payload)
    }
}
