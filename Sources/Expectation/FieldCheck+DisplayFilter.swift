extension FieldCheck {
    /// The check in Wireshark's display filter language. `#2` (Wireshark 4.0 and later) names a field's second layer.
    var displayFilter: String {
        guard let field = FrameField(field) else { return "frame" }
        return switch condition {
        case .equals(let value): field.displayFilter(value)
        case .isNot(let value): "!(\(field.displayFilter(value)))"
        case .isOneOf(let values):
            values.count == 1
                ? field.displayFilter(values[0])
                : "(" + values.map(field.displayFilter).joined(separator: " || ") + ")"
        case .compares(let comparison):
            field.displayFilter(comparison.relation.displayOperator, UInt64(max(0, comparison.value)))
        }
    }
}

extension Comparison.Relation {
    fileprivate var displayOperator: String { self == .equal ? "==" : rawValue }
}

extension FrameField {
    fileprivate func displayFilter(_ value: String) -> String {
        guard let pattern = FieldPattern(value, for: name) else { return "frame" }
        switch pattern {
        case .exactly(.number(let number)): return displayFilter("==", number)
        case .exactly(.boolean(let isSet)): return "\(displayName) == \(isSet ? 1 : 0)"
        case .exactly(.word(let word)):
            return "\(displayName) == \"\(word.filter { $0 != "\\" && $0 != "\"" })\""
        case .exactly(.mac(let mac)): return "\(displayName) == \(mac)"
        case .exactly(.address(let address)) where name == .discoveryTarget:
            return "(icmpv6.nd.ns.target_address == \(address) || icmpv6.nd.na.target_address == \(address))"
        case .network(let network) where name == .discoveryTarget:
            return "(icmpv6.nd.ns.target_address == \(network) || icmpv6.nd.na.target_address == \(network))"
        case .exactly(.address(let address)): return "\(displayName) == \(address)"
        case .network(let network): return "\(displayName) == \(network)"
        case .exactly(.flags(let flags)): return displayFilter(flags: flags, mask: 0xff)
        case .flags(let flags, let mask): return displayFilter(flags: flags, mask: mask)
        }
    }

    private func displayFilter(flags: UInt8, mask: UInt8) -> String {
        TCPFlagText.displayFields.filter { mask & $0.bit != 0 }
            .map { "\($0.field) == \(flags & $0.bit == 0 ? 0 : 1)" }
            .joined(separator: " && ")
    }

    fileprivate func displayFilter(_ relation: String, _ number: UInt64) -> String {
        switch name {
        case .udpLength: "\(displayName) \(relation) \(number + 8)"
        // Version 3 counts hundredths of a second, version 2 whole seconds.
        case .vrrpInterval:
            "(vrrp.short_adver_int \(relation) \(number / 10)"
                + " || vrrp.adver_int \(relation) \(number / 1000))"
        case .probeProgram: Self.payload(8, relation, number, bytes: 4)
        case .probeFlow: Self.payload(12, relation, number, bytes: 4)
        case .probeSequence: Self.payload(16, relation, number, bytes: 8)
        default: "\(displayName) \(relation) \(number)"
        }
    }

    /// `udp.payload[12:4] == 00:00:00:05`: of a probe's record, which Wireshark does not know.
    private static func payload(_ offset: Int, _ relation: String, _ number: UInt64, bytes: Int) -> String {
        let digits = FieldValue.hexadecimal(number, digits: bytes * 2)
        let octets = stride(from: 0, to: bytes * 2, by: 2).map { digits.dropFirst($0).prefix(2) }.joined(separator: ":")
        let parts = ["udp", "tcp"].map { "\($0).payload[\(offset):\(bytes)] \(relation) \(octets)" }
        return "(\(parts.joined(separator: " || ")))"
    }

    private var layer: String { isInner ? "#2" : "" }

    private var displayName: String {
        let wireshark =
            switch name {
            case .arpOperation: "arp.opcode"
            case .arpSenderMAC: "arp.src.hw_mac"
            case .arpSenderAddress: "arp.src.proto_ipv4"
            case .arpTargetMAC: "arp.dst.hw_mac"
            case .arpTargetAddress: "arp.dst.proto_ipv4"
            case .ipDontFragment: "ip.flags.df"
            case .ip6Source: "ipv6.src"
            case .ip6Destination: "ipv6.dst"
            case .ip6HopLimit: "ipv6.hlim"
            case .ip6NextHeader: "ipv6.nxt"
            case .ip6Length: "ipv6.plen"
            case .icmp6Type: "icmpv6.type"
            case .icmp6Code: "icmpv6.code"
            case .icmp6MTU: "icmpv6.mtu"
            case .tcpSequence: "tcp.seq_raw"
            case .tcpAcknowledgment: "tcp.ack_raw"
            case .tcpSegmentSize: "tcp.options.mss_val"
            case .icmpMTU: "icmp.mtu"
            case .udpLength: "udp.length"
            case .httpStatus: "http.response.code"
            case .httpMethod: "http.request.method"
            case .httpURI: "http.request.uri"
            case .vrrpIdentifier: "vrrp.virt_rtr_id"
            case .vrrpPriority: "vrrp.prio"
            case .vrrpInterval: "vrrp.short_adver_int"
            default: name.rawValue
            }
        // TCP and UDP behind an inner IP header are the first of their kind, unless the outer packet has one too:
        // ICMP, IP-in-IP and GRE have none.
        return wireshark + (wireshark.hasPrefix("ip.") || wireshark.hasPrefix("ipv6.") ? layer : "")
    }
}
