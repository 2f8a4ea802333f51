import Wire

/// What values a field takes, and how a lab writes them.
enum FieldKind: Hashable, Sendable {
    case mac
    case address(IPVersion)
    /// A number up to `maximum`; `words` are names for some of them (`ip.proto: tcp`); `unit` may follow the digits.
    case number(maximum: UInt64, words: [String: UInt64] = [:], unit: String? = nil)
    case flags
    /// A word as it stands in the message; `example` shows one.
    case word(example: String)
    case boolean

    /// Completes "… takes …".
    var allowed: String {
        switch self {
        case .mac: "a MAC address (02:00:5e:00:01:0a)"
        case .address(.ipv4): "an IPv4 address (192.0.2.1) or network (192.0.2.0/24)"
        case .address(.ipv6): "an IPv6 address (2001:db8::1) or network (2001:db8::/64)"
        case .number(let maximum, let words, let unit):
            "a number from 0 to \(maximum)" + (unit.map { " (\($0))" } ?? "")
                + (words.isEmpty ? "" : ", or one of \(words.keys.sorted().joined(separator: ", "))")
        case .flags:
            "TCP flags (SYN, SYN-ACK, ACK, FIN-ACK, RST, or +FIN for 'FIN set, whatever else')"
        case .word(let example): "a word without blanks (\(example))"
        case .boolean: "true or false"
        }
    }
}

extension FrameField.Name {
    var kind: FieldKind {
        switch self {
        case .ethernetSource, .ethernetDestination, .arpSenderMAC, .arpTargetMAC: .mac
        case .arpSenderAddress, .arpTargetAddress, .ipSource, .ipDestination: .address(.ipv4)
        case .ip6Source, .ip6Destination, .discoveryTarget: .address(.ipv6)
        case .ethernetType:
            .number(maximum: 0xffff, words: ["arp": 0x0806, "ipv4": 0x0800, "ipv6": 0x86dd, "vlan": 0x8100])
        case .arpOperation: .number(maximum: 0xffff, words: ["request": 1, "reply": 2])
        case .ipProtocol, .ip6NextHeader:
            .number(
                maximum: 255,
                words: ["icmp": 1, "ipip": 4, "tcp": 6, "udp": 17, "ipv6": 41, "gre": 47, "icmpv6": 58, "vrrp": 112])
        case .ipTimeToLive, .ip6HopLimit, .icmp6Type, .icmp6Code, .icmpType, .icmpCode, .vrrpIdentifier, .vrrpPriority:
            .number(maximum: 255)
        case .ipIdentification, .ipLength, .ip6Length, .tcpSourcePort, .tcpDestinationPort, .tcpLength, .tcpSegmentSize,
            .icmpMTU, .udpSourcePort,
            .udpDestinationPort, .udpLength:
            .number(maximum: 0xffff)
        case .probeSequence: .number(maximum: .max)
        case .probeProgram, .probeFlow, .tcpSequence, .tcpAcknowledgment, .icmp6MTU: .number(maximum: 0xffff_ffff)
        case .vrrpInterval: .number(maximum: 255_000, unit: "ms")
        case .httpStatus: .number(maximum: 599)
        case .httpMethod: .word(example: "GET")
        case .httpURI: .word(example: "/index.html")
        case .httpHost: .word(example: "www.example.com")
        case .tcpFlags: .flags
        case .ipDontFragment: .boolean
        }
    }
}
