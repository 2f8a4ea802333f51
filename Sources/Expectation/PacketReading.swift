import Wire

/// The fields of one IPv4 or IPv6 packet, as far as its bytes reach.
///
/// Evidence is read by code of its own, not by the views of the dataplane: what evaluates the boxes must not share
/// their mistakes. It also forgives more: a quoted packet ends after eight bytes of its transport header, and a
/// capture may be cut short, so each field is there or not on its own account.
struct PacketReading: Sendable {
    struct TCP: Hashable, Sendable {
        var sequence: UInt32?
        var acknowledgment: UInt32?
        var flags: UInt8?
        var payloadLength: Int?
        var segmentSize: UInt16?
    }

    /// Whether it resets a TCP connection.
    var isReset: Bool { tcp?.flags.map { $0 & 0x04 != 0 } ?? false }

    struct VRRP: Hashable, Sendable {
        var identifier: UInt8
        var priority: UInt8
        var intervalMilliseconds: UInt64?
    }

    struct ICMP: Hashable, Sendable {
        var type: UInt8
        var code: UInt8
        /// Of "fragmentation needed". Source: RFC 1191, 4
        var mtu: UInt32?
        var echo: Echo?
    }

    /// Of an echo request or reply. Source: RFC 792, RFC 4443, 4.1 and 4.2
    struct Echo: Hashable, Sendable {
        var isRequest: Bool
        var identifier: UInt16
    }

    /// Of a traffic program's record at the beginning of the payload:
    /// "FLP1" | length (4) | program (4) | flow (4) | sequence (8) | …
    struct Probe: Hashable, Sendable {
        var program: UInt32
        var flow: UInt32
        var sequence: UInt64
    }

    var source: IPAddress
    var destination: IPAddress
    /// Or the hop limit.
    var timeToLive: UInt8
    /// Of IPv6 what follows the extension headers.
    var proto: UInt8
    /// 0 of IPv6.
    var identification: UInt16
    /// Of IPv4 with its header, of IPv6 without.
    var totalLength: UInt16
    var dontFragment: Bool
    var sourcePort: UInt16?
    var destinationPort: UInt16?
    var tcp: TCP?
    var http: HTTPReading?
    var udpPayloadLength: Int?
    var probe: Probe?
    var icmp: ICMP?
    var vrrp: VRRP?
    /// Of a neighbour solicitation or advertisement.
    var discoveryTarget: IPv6Address?
    /// Where the packet lies that this one quotes or carries.
    var innerOffset: Int?

    /// - Parameter start: offset of the IP header in `bytes`.
    init?(_ bytes: [UInt8], at start: Int) {
        switch bytes.uint8(start).map({ $0 >> 4 }) {
        case 4: self.init(ipv4: bytes, at: start)
        case 6: self.init(ipv6: bytes, at: start)
        default: return nil
        }
    }

    var isIPv6: Bool { !source.isIPv4 }

    private init?(ipv4 bytes: [UInt8], at start: Int) {
        guard let first = bytes.uint8(start), first & 0x0f >= 5,
            let totalLength = bytes.uint16(start + 2), let identification = bytes.uint16(start + 4),
            let fragment = bytes.uint16(start + 6), let timeToLive = bytes.uint8(start + 8),
            let proto = bytes.uint8(start + 9), let source = bytes.address(start + 12),
            let destination = bytes.address(start + 16)
        else { return nil }
        self.source = .ipv4(source)
        self.destination = .ipv4(destination)
        self.timeToLive = timeToLive
        self.proto = proto
        self.identification = identification
        self.totalLength = totalLength
        dontFragment = fragment & 0x4000 != 0
        // A later fragment has no transport header: its bytes would be read as ports.
        guard fragment & 0x1fff == 0 else { return }
        let headerLength = Int(first & 0x0f) * 4
        let payload = start + headerLength
        let payloadLength = Int(totalLength) - headerLength
        readTransport(bytes, at: payload, length: payloadLength)
    }

    /// RFC 8200: fixed header of 40 bytes, then extension headers, each with the number of the next and its length.
    private init?(ipv6 bytes: [UInt8], at start: Int) {
        guard let length = bytes.uint16(start + 4), let next = bytes.uint8(start + 6),
            let hopLimit = bytes.uint8(start + 7), let source = bytes.address6(start + 8),
            let destination = bytes.address6(start + 24)
        else { return nil }
        self.source = .ipv6(source)
        self.destination = .ipv6(destination)
        timeToLive = hopLimit
        proto = next
        identification = 0
        totalLength = length
        dontFragment = false
        var payload = start + 40
        // Hop-by-hop options, routing, fragment, destination options; a bound for what lies.
        for _ in 0..<16 where [0, 43, 44, 60].contains(proto) {
            guard let following = bytes.uint8(payload), let size = bytes.uint8(payload + 1) else { return }
            if proto == 44 {
                guard let fragment = bytes.uint16(payload + 2) else { return }
                proto = following
                guard fragment & 0xfff8 == 0 else { return }
                payload += 8
            } else {
                proto = following
                payload += 8 + Int(size) * 8
            }
        }
        readTransport(bytes, at: payload, length: start + 40 + Int(length) - payload)
    }

    private mutating func readTransport(_ bytes: [UInt8], at payload: Int, length payloadLength: Int) {
        switch proto {
        case 1 where !isIPv6: readICMP(bytes, at: payload)
        case 58 where isIPv6: readICMPv6(bytes, at: payload)
        case 4, 41: innerOffset = payload
        case 6: readTCP(bytes, at: payload, length: payloadLength)
        case 17: readUDP(bytes, at: payload)
        case 47: readGRE(bytes, at: payload)
        case 112: readVRRP(bytes, at: payload)
        default: break
        }
    }

    private mutating func readTCP(_ bytes: [UInt8], at start: Int, length: Int) {
        sourcePort = bytes.uint16(start)
        destinationPort = bytes.uint16(start + 2)
        let dataOffset = bytes.uint8(start + 12).map { Int($0 >> 4) * 4 }
        tcp = TCP(
            sequence: bytes.uint32(start + 4), acknowledgment: bytes.uint32(start + 8),
            flags: bytes.uint8(start + 13), payloadLength: dataOffset.map { max(0, length - $0) },
            segmentSize: dataOffset.flatMap { Self.segmentSize(bytes, from: start + 20, to: start + $0) })
        if let dataOffset, length > dataOffset, dataOffset >= 20, start + dataOffset < bytes.count {
            // Ethernet pads short frames: the packet's length field gives its end.
            probe = Self.readProbe(bytes, at: start + dataOffset)
            http = HTTPReading(bytes[(start + dataOffset)..<min(bytes.count, start + length)])
        }
    }

    /// The option of kind 2 and length 4. Source: RFC 9293, 3.2
    private static func segmentSize(_ bytes: [UInt8], from start: Int, to end: Int) -> UInt16? {
        var offset = start
        while offset < end, let kind = bytes.uint8(offset), kind != 0 {
            if kind == 1 {
                offset += 1
                continue
            }
            guard let length = bytes.uint8(offset + 1), length >= 2 else { return nil }
            if kind == 2, length == 4, offset + 4 <= end { return bytes.uint16(offset + 2) }
            offset += Int(length)
        }
        return nil
    }

    private mutating func readUDP(_ bytes: [UInt8], at start: Int) {
        sourcePort = bytes.uint16(start)
        destinationPort = bytes.uint16(start + 2)
        udpPayloadLength = bytes.uint16(start + 4).map { max(0, Int($0) - 8) }
        probe = Self.readProbe(bytes, at: start + 8)
    }

    private static func readProbe(_ bytes: [UInt8], at start: Int) -> Probe? {
        guard bytes.uint32(start) == 0x464c_5031, let program = bytes.uint32(start + 8),
            let flow = bytes.uint32(start + 12), let high = bytes.uint32(start + 16),
            let low = bytes.uint32(start + 20)
        else { return nil }
        return Probe(program: program, flow: flow, sequence: UInt64(high) << 32 | UInt64(low))
    }

    private mutating func readICMP(_ bytes: [UInt8], at start: Int) {
        guard let type = bytes.uint8(start), let code = bytes.uint8(start + 1) else { return }
        icmp = ICMP(
            type: type, code: code, mtu: type == 3 && code == 4 ? bytes.uint16(start + 6).map { UInt32($0) } : nil)
        readEcho(bytes, at: start, request: 8, reply: 0)
        // Destination unreachable, source quench, redirect, time exceeded, parameter problem (RFC 792).
        if [3, 4, 5, 11, 12].contains(type) { innerOffset = start + 8 }
    }

    private mutating func readEcho(_ bytes: [UInt8], at start: Int, request: UInt8, reply: UInt8) {
        guard let type = icmp?.type, type == request || type == reply, let identifier = bytes.uint16(start + 4) else {
            return
        }
        icmp?.echo = Echo(isRequest: type == request, identifier: identifier)
        probe = Self.readProbe(bytes, at: start + 8)
    }

    /// RFC 4443: errors, which quote a packet, have types below 128. RFC 4861: 135 asks for a neighbour, 136 answers.
    private mutating func readICMPv6(_ bytes: [UInt8], at start: Int) {
        guard let type = bytes.uint8(start), let code = bytes.uint8(start + 1) else { return }
        icmp = ICMP(type: type, code: code, mtu: type == 2 ? bytes.uint32(start + 4) : nil)
        readEcho(bytes, at: start, request: 128, reply: 129)
        if type < 128 { innerOffset = start + 8 }
        if type == 135 || type == 136 { discoveryTarget = bytes.address6(start + 8) }
    }

    /// RFC 2784 and 2890: flags and version, protocol type, then checksum, key and sequence number where flagged.
    private mutating func readGRE(_ bytes: [UInt8], at start: Int) {
        guard let flags = bytes.uint16(start), [0x0800, 0x86dd].contains(bytes.uint16(start + 2)), flags & 0x4007 == 0
        else { return }
        innerOffset = start + 4 + [0x8000, 0x2000, 0x1000].count { flags & UInt16($0) != 0 } * 4
    }

    private mutating func readVRRP(_ bytes: [UInt8], at start: Int) {
        guard let first = bytes.uint8(start), let identifier = bytes.uint8(start + 1),
            let priority = bytes.uint8(start + 2)
        else { return }
        let interval: UInt64? =
            switch first >> 4 {
            case 2: bytes.uint8(start + 5).map { UInt64($0) * 1000 }
            case 3: bytes.uint16(start + 4).map { UInt64($0 & 0x0fff) * 10 }
            default: nil
            }
        vrrp = VRRP(identifier: identifier, priority: priority, intervalMilliseconds: interval)
    }
}

extension [UInt8] {
    /// Big-endian loads; nil past the end.
    func uint8(_ offset: Int) -> UInt8? {
        offset < count ? self[offset] : nil
    }

    func uint16(_ offset: Int) -> UInt16? {
        offset + 2 <= count ? UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) : nil
    }

    func uint32(_ offset: Int) -> UInt32? {
        guard let high = uint16(offset), let low = uint16(offset + 2) else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    func mac(_ offset: Int) -> MACAddress? {
        guard let high = uint16(offset), let low = uint32(offset + 2) else { return nil }
        return MACAddress(packed: UInt64(high) << 32 | UInt64(low))
    }

    func address(_ offset: Int) -> IPv4Address? {
        uint32(offset).map { IPv4Address(rawValue: $0) }
    }

    func address6(_ offset: Int) -> IPv6Address? {
        guard let a = uint32(offset), let b = uint32(offset + 4), let c = uint32(offset + 8),
            let d = uint32(offset + 12)
        else { return nil }
        return IPv6Address(high: UInt64(a) << 32 | UInt64(b), low: UInt64(c) << 32 | UInt64(d))
    }
}
