import Wire

/// An IP packet made of a text.
struct TextPacket {
    var source: IPAddress
    var destination: IPAddress
    var bytes: [UInt8]
}

extension PacketText {
    private struct Endpoint {
        var address: IPAddress
        var port: UInt16?
        var column: Int
    }

    /// From the addresses on.
    func packet(_ proto: IPProtocol, _ words: inout PacketWords) throws(PacketTextError) -> TextPacket {
        let source = try endpoint(&words)
        try words.expect(">")
        let destination = try endpoint(&words)
        guard source.address.isIPv4 == destination.address.isIPv4 else {
            throw PacketTextError(destination.column, "the addresses are of two families")
        }
        guard proto != .icmp || source.address.isIPv4, proto != .icmpv6 || !source.address.isIPv4 else {
            throw PacketTextError(source.column, "\(proto) is not of this family")
        }
        var packet = TextPacket(source: source.address, destination: destination.address, bytes: [])
        var fields = PacketFields()
        var segment: [UInt8] = []
        var isDiscovery = false
        switch proto {
        case .tcp where source.port != nil:
            let flags = try self.flags(&words)
            fields = try self.fields(of: proto, &words)
            segment = try tcp(source, destination, flags, fields)
        case .udp where source.port != nil:
            fields = try self.fields(of: proto, &words)
            segment = try udp(source, destination, fields)
        case .icmp, .icmpv6:
            if words.peek?.text == "solicit" || words.peek?.text == "advertise" {
                isDiscovery = true
                segment = try discovery(packet, &words)
                fields = try self.fields(of: proto, &words)
            } else if words.peek?.text.contains("/") == true {
                (segment, fields) = try control(proto, packet, &words)
            } else {
                fields = try self.fields(of: proto, &words)
                segment = fields.payload ?? defaults.payload
            }
        case .vrrp:
            fields = try self.fields(of: proto, &words)
            segment = try vrrp(packet, fields, source.column)
        default:
            fields = try self.fields(of: proto, &words)
            segment = fields.payload ?? defaults.payload
        }
        let timeToLive = proto == .vrrp || isDiscovery ? VRRPHeader.timeToLive : defaults.timeToLive
        packet.bytes = header(packet, proto, fields, timeToLive, length: segment.count) + segment
        return packet
    }

    /// `10.0.0.1`, `10.0.0.1:80`, `2001:db8::1`, `[2001:db8::1]:80`
    private func endpoint(_ words: inout PacketWords) throws(PacketTextError) -> Endpoint {
        let word = try words.take("an address")
        if let address = IPAddress(word.text) { return Endpoint(address: address, column: word.column) }
        let parts = word.text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 1, let port = UInt16(parts[parts.count - 1]) {
            let name = parts.dropLast().joined(separator: ":")
            let isBracketed = name.hasPrefix("[") && name.hasSuffix("]")
            let address = IPAddress(isBracketed ? String(name.dropFirst().dropLast()) : name)
            if let address, address.isIPv4 != isBracketed {
                return Endpoint(address: address, port: port, column: word.column)
            }
        }
        throw PacketTextError(word.column, "'\(word.text)' is no address, with or without a port")
    }

    private func header(
        _ packet: TextPacket, _ proto: IPProtocol, _ fields: PacketFields, _ timeToLive: UInt8, length: Int
    ) -> [UInt8] {
        let timeToLive = fields.number("ttl", default: timeToLive)
        let trafficClass: UInt8 = fields.number("class", default: 0)
        switch (packet.source, packet.destination) {
        case (.ipv4(let source), .ipv4(let destination)):
            let header = IPv4Header(
                source: source, destination: destination, protocol: proto, timeToLive: timeToLive,
                trafficClass: trafficClass, identification: fields.number("ipid", default: defaults.identification),
                dontFragment: !fields.mayFragment, moreFragments: fields.hasMore, fragmentOffset: fields.offset ?? 0)
            // The header is written into the space before a payload, which follows.
            let whole = Self.bytes(IPv4Header.minimumLength + length) { header.emit(into: $0, payloadLength: length) }
            return Array(whole.prefix(IPv4Header.minimumLength))
        case (.ipv6(let source), .ipv6(let destination)):
            let header = IPv6Header(
                source: source, destination: destination, nextHeader: proto, hopLimit: timeToLive,
                trafficClass: trafficClass)
            let whole = Self.bytes(IPv6Header.length + length) { header.emit(into: $0, payloadLength: length) }
            return Array(whole.prefix(IPv6Header.length))
        default: return []
        }
    }

    /// `SYN,ACK`, or a hyphen for none.
    private func flags(_ words: inout PacketWords) throws(PacketTextError) -> TCPFlags {
        let word = try words.take("TCP flags")
        var flags: TCPFlags = []
        if word.text == "-" { return flags }
        for name in word.text.split(separator: ",", omittingEmptySubsequences: false) {
            let all = (0..<8).map { TCPFlags(rawValue: 1 << $0) }
            guard let flag = all.first(where: { $0.description == name }) else {
                throw PacketTextError(word.column, "'\(word.text)' are no TCP flags")
            }
            flags.formUnion(flag)
        }
        return flags
    }

    private func tcp(
        _ source: Endpoint, _ destination: Endpoint, _ flags: TCPFlags, _ fields: PacketFields
    ) throws(PacketTextError) -> [UInt8] {
        guard let sourcePort = source.port, let destinationPort = destination.port else {
            throw PacketTextError(destination.column, "a port is missing")
        }
        let header = TCPHeader(
            sourcePort: sourcePort, destinationPort: destinationPort,
            sequence: fields.number("seq", default: defaults.sequence),
            acknowledgement: fields.number("ack", default: defaults.acknowledgement), flags: flags,
            window: fields.number("win", default: defaults.window),
            maximumSegmentSize: fields.numbers["mss"].map { UInt16($0) },
            windowScale: fields.numbers["wscale"].map { UInt8($0) })
        return segment(header.length, fields) { buffer, length in
            switch (source.address, destination.address) {
            case (.ipv4(let source), .ipv4(let destination)):
                header.emit(into: buffer, payloadLength: length, source: source, destination: destination)
            case (.ipv6(let source), .ipv6(let destination)):
                header.emit(into: buffer, payloadLength: length, source: source, destination: destination)
            default: nil
            }
        }
    }

    private func udp(
        _ source: Endpoint, _ destination: Endpoint, _ fields: PacketFields
    ) throws(PacketTextError) -> [UInt8] {
        guard let sourcePort = source.port, let destinationPort = destination.port else {
            throw PacketTextError(destination.column, "a port is missing")
        }
        let header = UDPHeader(sourcePort: sourcePort, destinationPort: destinationPort)
        return segment(UDPHeader.length, fields) { buffer, length in
            switch (source.address, destination.address) {
            case (.ipv4(let source), .ipv4(let destination)):
                header.emit(into: buffer, payloadLength: length, source: source, destination: destination)
            case (.ipv6(let source), .ipv6(let destination)):
                header.emit(into: buffer, payloadLength: length, source: source, destination: destination)
            default: nil
            }
        }
    }

    /// A header of so many bytes before the payload.
    private func segment(
        _ headerLength: Int, _ fields: PacketFields, _ emit: (UnsafeMutableRawBufferPointer, Int) -> Int?
    ) -> [UInt8] {
        let payload = fields.payload ?? defaults.payload
        return Self.bytes(headerLength + payload.count) { buffer in
            for (index, byte) in payload.enumerated() { buffer[headerLength + index] = byte }
            return emit(buffer, payload.count)
        }
    }

    // MARK: ICMP

    private func control(
        _ proto: IPProtocol, _ packet: TextPacket, _ words: inout PacketWords
    ) throws(PacketTextError) -> ([UInt8], PacketFields) {
        let word = try words.take("type/code")
        let numbers = word.text.split(separator: "/").map { UInt8($0) }
        guard numbers.count == 2, let type = numbers[0], let code = numbers[1] else {
            throw PacketTextError(word.column, "'\(word.text)' is no type/code")
        }
        var fields = try self.fields(of: proto, &words)
        let sequence = fields.numbers["id"] == nil ? 0 : UInt32(defaults.sequence & 0xffff)
        let rest =
            fields.numbers["rest"] ?? fields.numbers["mtu"]
            ?? UInt64(fields.number("id", default: UInt32(0)) << 16 | fields.number("seq", default: sequence))
        if words.skip("about") {
            let kind = try words.take("a protocol")
            guard let quotedProtocol = Self.ipProtocol(kind.text) else {
                throw PacketTextError(kind.column, "'\(kind.text)' is no protocol")
            }
            let (quote, later) = try self.quote(quotedProtocol, &words)
            fields.numbers.merge(later.numbers) { $1 }
            fields.mayFragment = fields.mayFragment || later.mayFragment
            fields.payload = fields.payload ?? later.payload ?? quote
        }
        let rawRest = UInt32(truncatingIfNeeded: rest)
        let segment = self.segment(ICMPv4Header.length, fields) { buffer, length in
            switch (packet.source, packet.destination) {
            case (.ipv4, .ipv4):
                ICMPv4Header(type: ICMPv4Type(rawValue: type), code: code, rest: rawRest).emit(
                    into: buffer, payloadLength: length)
            case (.ipv6(let source), .ipv6(let destination)):
                ICMPv6Header(type: ICMPv6Type(rawValue: type), code: code, rest: rawRest).emit(
                    into: buffer, bodyLength: length, source: source, destination: destination)
            default: nil
            }
        }
        return (segment, fields)
    }

    /// The quoted packet's header and the eight bytes behind it, and what follows of the error itself.
    private func quote(
        _ proto: IPProtocol, _ words: inout PacketWords
    ) throws(PacketTextError) -> ([UInt8], PacketFields) {
        let source = try endpoint(&words)
        try words.expect(">")
        let destination = try endpoint(&words)
        let isQuery = (proto == .icmp || proto == .icmpv6) && words.skip("id")
        let identifier = isQuery ? UInt16(try number("id", &words)) : 0
        let fields = try self.fields(of: .icmp, &words)
        var packet = TextPacket(source: source.address, destination: destination.address, bytes: [])
        var first = [UInt8](repeating: 0, count: 8)
        func put(_ value: UInt16, at offset: Int) {
            first[offset] = UInt8(value >> 8)
            first[offset + 1] = UInt8(value & 0xff)
        }
        put(source.port ?? 0, at: 0)
        put(destination.port ?? 0, at: 2)
        if isQuery {
            first[0] = proto == .icmp ? ICMPv4Type.echoRequest.rawValue : ICMPv6Type.echoRequest.rawValue
            put(identifier, at: 4)
        }
        packet.bytes = header(packet, proto, PacketFields(), defaults.timeToLive, length: first.count)
        return (packet.bytes + first, fields)
    }

    private func discovery(_ packet: TextPacket, _ words: inout PacketWords) throws(PacketTextError) -> [UInt8] {
        let kind = try words.take("a message")
        let word = try words.take("an IPv6 address")
        guard case .ipv6(let source) = packet.source, case .ipv6(let destination) = packet.destination,
            let target = IPv6Address(word.text)
        else { throw PacketTextError(word.column, "'\(word.text)' is no IPv6 address") }
        let mac = words.skip("at") ? try self.mac(&words) : nil
        let message: NeighborDiscovery
        if kind.text == "solicit" {
            message = .neighborSolicitation(target: target, linkLayerAddress: mac)
        } else {
            let flags = words.skip("flags") ? UInt8(try number("flags", &words)) : 0
            message = .neighborAdvertisement(
                target: target, flags: NeighborDiscovery.Flags(rawValue: flags), linkLayerAddress: mac)
        }
        let whole = Self.bytes(32) { message.emit(into: $0, source: source, destination: destination) }
        return Array(whole.prefix(mac == nil ? 24 : 32))
    }

    // MARK: VRRP

    private func vrrp(
        _ packet: TextPacket, _ fields: PacketFields, _ column: Int
    ) throws(PacketTextError) -> [UInt8] {
        if let payload = fields.payload { return payload }
        let version = VRRPHeader.Version(rawValue: fields.number("version", default: UInt8(3))) ?? .v3
        let header = VRRPHeader(
            version: version, id: fields.number("vrid", default: UInt8(1)),
            priority: fields.number("prio", default: UInt8(100)),
            centiseconds: fields.number("interval", default: UInt16(100)))
        var bytes = [UInt8](repeating: 0, count: 8 + 16 * fields.addresses.count + 8)
        let length = bytes.withUnsafeMutableBytes { buffer -> Int? in
            switch (packet.source, packet.destination) {
            case (.ipv4(let source), .ipv4(let destination)):
                header.emit(
                    into: buffer, addresses: fields.addresses.compactMap { IPv4Address($0) }, checksum: .pseudoHeader,
                    source: source, destination: destination)
            case (.ipv6(let source), .ipv6(let destination)):
                header.emit(
                    into: buffer, addresses: fields.addresses.compactMap { IPv6Address($0) }, source: source,
                    destination: destination)
            default: nil
            }
        }
        guard let length else {
            throw PacketTextError(column, "an advertisement needs an id, an interval and addresses that it can carry")
        }
        return Array(bytes.prefix(length))
    }
}
