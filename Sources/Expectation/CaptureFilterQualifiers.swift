import Wire

/// The qualifiers before a value in libpcap's syntax: `tcp src port`.
struct CaptureFilterQualifiers: Hashable, Sendable {
    var proto: String?
    /// `src` or `dst`; nil for either.
    var direction: String?
    /// `host`, `net`, `port`, `portrange`, `proto`
    var type: String?

    private static let protocols: Set<String> = ["ether", "ip", "arp", "tcp", "udp", "icmp", "vrrp", "ip6", "icmp6"]
    private static let types: Set<String> = ["host", "net", "port", "portrange", "proto"]

    var isEmpty: Bool { proto == nil && direction == nil && type == nil }

    /// Whether the word is a qualifier that may stand here.
    mutating func take(_ word: String) -> Bool {
        if Self.protocols.contains(word), isEmpty {
            proto = word
        } else if word == "src" || word == "dst", direction == nil, type == nil {
            direction = word
        } else if Self.types.contains(word), type == nil {
            type = word
        } else {
            return false
        }
        return true
    }

    /// `tcp` alone, without a value.
    var bareProtocol: String? {
        guard direction == nil, type == nil else { return nil }
        return switch proto {
        case "ip6": "ipv6"
        case "icmp6": "icmpv6"
        case "ether": nil
        default: proto
        }
    }

    /// nil where the combination, or the value, is not known here.
    func displayFilter(_ value: String) -> String? {
        switch (proto, type) {
        case ("ether", "host"), ("ether", nil):
            return MACAddress(value).map { "eth.\(direction ?? "addr") == \($0)" }
        case ("ether", "proto"):
            let types: [String: UInt64] = ["ip": 0x0800, "arp": 0x0806, "ip6": 0x86dd]
            let bare = value.drop { $0 == "\\" }
            guard direction == nil, let type = types[String(bare)] ?? FieldValue.number(value) else { return nil }
            return "eth.type == 0x\(FieldValue.hexadecimal(type, digits: 4))"
        case ("ip", "proto"), (nil, "proto"):
            let numbers: [String: UInt64] = ["icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "vrrp": 112]
            let bare = value.drop { $0 == "\\" }
            guard direction == nil, let number = numbers[String(bare)] ?? FieldValue.number(value) else { return nil }
            return "ip.proto == \(number)"
        case (nil, "host"), ("ip", "host"), ("arp", "host"), (nil, nil), ("ip", nil), ("arp", nil):
            if let value = IPv6Address(value), proto == nil { return "ipv6.\(direction ?? "addr") == \(value)" }
            return IPv4Address(value).map { address(isOf: "\($0)") }
        case ("ip6", "host"), ("ip6", nil):
            return IPv6Address(value).map { "ipv6.\(direction ?? "addr") == \($0)" }
        case ("ip6", "proto"):
            let numbers: [String: UInt64] = ["icmp6": 58, "tcp": 6, "udp": 17, "gre": 47, "vrrp": 112]
            let bare = value.drop { $0 == "\\" }
            guard direction == nil, let number = numbers[String(bare)] ?? FieldValue.number(value) else { return nil }
            return "ipv6.nxt == \(number)"
        case (nil, "net"), ("ip", "net"), ("arp", "net"):
            if let value = IPv6Network(value), proto == nil { return "ipv6.\(direction ?? "addr") == \(value)" }
            return IPv4Network(value).map { address(isOf: "\($0)") }
        case ("ip6", "net"):
            return IPv6Network(value).map { "ipv6.\(direction ?? "addr") == \($0)" }
        case (nil, "port"), ("tcp", "port"), ("udp", "port"):
            guard let port = UInt16(value) else { return nil }
            return either(ofPorts: "== \(port)")
        case (nil, "portrange"), ("tcp", "portrange"), ("udp", "portrange"):
            let bounds = value.split(separator: "-").compactMap { UInt16($0) }
            guard bounds.count == 2 else { return nil }
            return either(ofPorts: "in {\(bounds[0])..\(bounds[1])}")
        default:
            return nil
        }
    }

    /// `host` without a protocol means the addresses of IP packets and of ARP alike.
    private func address(isOf value: String) -> String {
        let ip = "ip.\(direction ?? "addr") == \(value)"
        let arp =
            direction.map { "arp.\($0).proto_ipv4 == \(value)" }
            ?? "arp.src.proto_ipv4 == \(value) || arp.dst.proto_ipv4 == \(value)"
        return switch proto {
        case "ip": ip
        case "arp": direction == nil ? "(\(arp))" : arp
        default: "(\(ip) || \(arp))"
        }
    }

    private func either(ofPorts comparison: String) -> String {
        let field = direction.map { "\($0)port" } ?? "port"
        return proto.map { "\($0).\(field) \(comparison)" }
            ?? "(tcp.\(field) \(comparison) || udp.\(field) \(comparison))"
    }
}
