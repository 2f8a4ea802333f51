extension IPLayout {
    /// What the parse of a frame yields.
    @frozen
    public enum Parsed {
        case layout(IPLayout)
        case malformed(WireError)
    }
}

extension IPLayout where Family == IPv4 {
    /// Parses an Ethernet frame that carries IPv4; for captures too, whose bytes are not to be changed.
    /// - Complexity: O(1)
    @inlinable
    public static func parse(_ frame: UnsafeRawBufferPointer) -> Parsed {
        guard let base = frame.baseAddress, frame.count >= EthernetHeader.length else {
            return .malformed(WireError(.ethernet, .truncated, found: frame.count, expected: EthernetHeader.length))
        }
        let type = base.readUInt16(at: 12)
        guard type == EtherType.ipv4.rawValue else {
            return .malformed(WireError(.ethernet, .unknownKind, found: Int(type)))
        }
        return parsePacket(base, from: EthernetHeader.length, to: frame.count)
    }

    /// Parses an IPv4 packet at `start`, where `end` bytes are readable from `base`.
    @inlinable
    public static func parsePacket(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Parsed {
        let available = end &- start
        guard available >= IPv4Header.minimumLength else {
            return .malformed(WireError(.ipv4, .truncated, found: available, expected: IPv4Header.minimumLength))
        }
        // Guard: 20 bytes from `start`.
        let first = base.readUInt8(at: start)
        guard first >> 4 == 4 else {
            return .malformed(WireError(.ipv4, .wrongVersion, found: Int(first >> 4), expected: 4))
        }
        let headerLength = Int(first & 0x0f) &* 4
        guard headerLength >= IPv4Header.minimumLength, headerLength <= available else {
            return .malformed(WireError(.ipv4, .wrongHeaderLength, found: headerLength, expected: min(60, available)))
        }
        let totalLength = Int(base.readUInt16(at: start &+ 2))
        guard totalLength >= headerLength, totalLength <= available else {
            return .malformed(WireError(.ipv4, .wrongLength, found: totalLength, expected: available))
        }
        // Guard: `headerLength` bytes from `start`.
        guard Checksum.isValidIPv4Header(base + start, length: headerLength) else {
            return .malformed(WireError(.ipv4, .wrongChecksum, found: Int(base.readUInt16(at: start &+ 10))))
        }
        let fragmentField = base.readUInt16(at: start &+ 6)
        let fragment: IPFragment =
            fragmentField & 0x1fff != 0 ? .later : fragmentField & 0x2000 != 0 ? .first : .whole
        var layout = FrameLayout(
            fiveTuple: FiveTuple(
                source: base.readIPv4(at: start &+ 12), destination: base.readIPv4(at: start &+ 16), sourcePort: 0,
                destinationPort: 0, protocol: IPProtocol(rawValue: base.readUInt8(at: start &+ 9))),
            networkOffset: start, transportOffset: start &+ headerLength, payloadOffset: start &+ headerLength,
            endOffset: start &+ totalLength, fragment: fragment, tcpFlags: [], hasTransportHeader: false)
        if fragment == .later { return .layout(layout) }
        if let error = layout.parseTransport(base) { return .malformed(error) }
        return .layout(layout)
    }
}

extension IPLayout where Family == IPv6 {
    /// Parses an Ethernet frame that carries IPv6.
    /// - Complexity: one step for each extension header, at most 8
    @inlinable
    public static func parse(_ frame: UnsafeRawBufferPointer) -> Parsed {
        guard let base = frame.baseAddress, frame.count >= EthernetHeader.length else {
            return .malformed(WireError(.ethernet, .truncated, found: frame.count, expected: EthernetHeader.length))
        }
        let type = base.readUInt16(at: 12)
        guard type == EtherType.ipv6.rawValue else {
            return .malformed(WireError(.ethernet, .unknownKind, found: Int(type)))
        }
        return parsePacket(base, from: EthernetHeader.length, to: frame.count)
    }

    /// Parses an IPv6 packet at `start`, where `end` bytes are readable from `base`.
    @inlinable
    public static func parsePacket(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Parsed {
        let view: IPv6View
        do throws(WireError) {
            view = try IPv6View(UnsafeRawBufferPointer(start: base + start, count: max(0, end &- start)))
        } catch {
            return .malformed(error)
        }
        var layout = IPv6FrameLayout(
            fiveTuple: IPv6FiveTuple(
                source: view.source, destination: view.destination, sourcePort: 0, destinationPort: 0,
                protocol: view.protocol),
            networkOffset: start, transportOffset: start &+ view.transportOffset,
            payloadOffset: start &+ view.transportOffset, endOffset: start &+ view.length, fragment: view.fragment,
            tcpFlags: [], hasTransportHeader: false)
        if view.fragment == .later { return .layout(layout) }
        if let error = layout.parseTransport(base) { return .malformed(error) }
        return .layout(layout)
    }
}

extension IPLayout {
    /// Completes ports, flags and payload of a packet that begins with its transport header.
    /// - Returns: the reason where that header is not complete; nil where all is well
    @inlinable
    mutating func parseTransport(_ base: UnsafeRawPointer) -> WireError? {
        let offset = Int(transportOffset)
        let length = Int(endOffset &- transportOffset)
        switch ipProtocol {
        case .tcp:
            guard length >= TCPHeader.minimumLength else {
                return WireError(.tcp, .truncated, found: length, expected: TCPHeader.minimumLength)
            }
            // Guard: 20 bytes from `offset`.
            let headerLength = Int(base.readUInt8(at: offset &+ 12) >> 4) &* 4
            guard headerLength >= TCPHeader.minimumLength, headerLength <= length else {
                return WireError(.tcp, .wrongHeaderLength, found: headerLength, expected: min(60, length))
            }
            fiveTuple.portsAndProtocol |= UInt64(base.readUInt32(at: offset))
            tcpFlags = TCPFlags(rawValue: base.readUInt8(at: offset &+ 13))
            payloadOffset = transportOffset &+ Int32(truncatingIfNeeded: headerLength)
        case .udp:
            guard length >= UDPHeader.length else {
                return WireError(.udp, .truncated, found: length, expected: UDPHeader.length)
            }
            // Guard: 8 bytes from `offset`. The first of several fragments holds only a part of its datagram.
            let datagramLength = Int(base.readUInt16(at: offset &+ 4))
            guard datagramLength >= UDPHeader.length, fragment == .first || datagramLength <= length else {
                return WireError(.udp, .wrongLength, found: datagramLength, expected: length)
            }
            fiveTuple.portsAndProtocol |= UInt64(base.readUInt32(at: offset))
            payloadOffset = transportOffset &+ 8
        case Family.controlProtocol:
            // Of both families' ICMP.
            guard length >= ICMPv4Header.length else {
                return WireError(
                    Family.version == .ipv4 ? .icmpv4 : .icmpv6, .truncated, found: length,
                    expected: ICMPv4Header.length)
            }
            // Guard: 8 bytes from `offset`.
            if Family.isControlQuery(type: base.readUInt8(at: offset)) {
                let identifier = UInt64(base.readUInt16(at: offset &+ 4))
                fiveTuple.portsAndProtocol |= identifier << 16 | identifier
            }
            payloadOffset = transportOffset &+ 8
        default:
            return nil
        }
        hasTransportHeader = true
        return nil
    }
}
