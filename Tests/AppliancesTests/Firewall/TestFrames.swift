import Wire

/// Frames as hosts of a simulated lab send them.
enum TestFrame {
    static func ipv4(
        from sourceMAC: MACAddress, to destinationMAC: MACAddress, _ source: IPv4Address, _ destination: IPv4Address,
        _ proto: IPProtocol, timeToLive: UInt8 = 64, transport length: Int,
        _ write: (UnsafeMutableRawBufferPointer) -> Int?
    ) -> [UInt8] {
        let offset = EthernetHeader.length + IPv4Header.minimumLength
        // A dirty buffer: a byte that nobody writes is seen.
        var bytes = [UInt8](repeating: 0xa5, count: offset + length)
        bytes.withUnsafeMutableBytes { buffer in
            _ = EthernetHeader(destination: destinationMAC, source: sourceMAC, etherType: .ipv4).emit(into: buffer)
            let written = write(UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]))
            precondition(written != nil)
            _ = IPv4Header(source: source, destination: destination, protocol: proto, timeToLive: timeToLive)
                .emit(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[EthernetHeader.length...]),
                    payloadLength: length)
        }
        return bytes
    }

    static func tcp(
        from sourceMAC: MACAddress, to destinationMAC: MACAddress, _ flow: FiveTuple, _ flags: TCPFlags,
        timeToLive: UInt8 = 64, payload: Int = 0
    ) -> [UInt8] {
        ipv4(
            from: sourceMAC, to: destinationMAC, flow.source, flow.destination, .tcp, timeToLive: timeToLive,
            transport: 20 + payload
        ) { buffer in
            for index in 20..<(20 + payload) { buffer[index] = UInt8(truncatingIfNeeded: index) }
            return TCPHeader(
                sourcePort: flow.sourcePort, destinationPort: flow.destinationPort, sequence: 1, acknowledgement: 1,
                flags: flags, window: 1000
            ).emit(into: buffer, payloadLength: payload, source: flow.source, destination: flow.destination)
        }
    }

    /// A segment of a conversation.
    static func tcp(
        from sourceMAC: MACAddress, to destinationMAC: MACAddress, _ flow: FiveTuple, text: String, sequence: UInt32
    ) -> [UInt8] {
        let payload = Array(text.utf8)
        return ipv4(
            from: sourceMAC, to: destinationMAC, flow.source, flow.destination, .tcp, transport: 20 + payload.count
        ) { buffer in
            for (index, byte) in payload.enumerated() { buffer[20 + index] = byte }
            return TCPHeader(
                sourcePort: flow.sourcePort, destinationPort: flow.destinationPort, sequence: sequence,
                acknowledgement: 1, flags: [.psh, .ack], window: 1000
            ).emit(into: buffer, payloadLength: payload.count, source: flow.source, destination: flow.destination)
        }
    }

    static func udp(
        from sourceMAC: MACAddress, to destinationMAC: MACAddress, _ flow: FiveTuple, payload: [UInt8] = [1, 2, 3, 4],
        timeToLive: UInt8 = 64
    ) -> [UInt8] {
        ipv4(
            from: sourceMAC, to: destinationMAC, flow.source, flow.destination, .udp, timeToLive: timeToLive,
            transport: 8 + payload.count
        ) { buffer in
            for (index, byte) in payload.enumerated() { buffer[8 + index] = byte }
            return UDPHeader(sourcePort: flow.sourcePort, destinationPort: flow.destinationPort).emit(
                into: buffer, payloadLength: payload.count, source: flow.source, destination: flow.destination)
        }
    }

    static func icmp(
        from sourceMAC: MACAddress, to destinationMAC: MACAddress, _ source: IPv4Address, _ destination: IPv4Address,
        _ header: ICMPv4Header, payload: [UInt8] = []
    ) -> [UInt8] {
        ipv4(from: sourceMAC, to: destinationMAC, source, destination, .icmp, transport: 8 + payload.count) { buffer in
            for (index, byte) in payload.enumerated() { buffer[8 + index] = byte }
            return header.emit(into: buffer, payloadLength: payload.count)
        }
    }

    static func arp(_ header: ARPHeader, to destination: MACAddress) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 60)
        bytes.withUnsafeMutableBytes { buffer in
            _ = EthernetHeader(destination: destination, source: header.senderMAC, etherType: .arp).emit(into: buffer)
            _ = header.emit(into: UnsafeMutableRawBufferPointer(rebasing: buffer[EthernetHeader.length...]))
        }
        return bytes
    }

    static func advertisement(
        from sourceMAC: MACAddress, _ source: IPv4Address, id: UInt8, priority: UInt8, timeToLive: UInt8 = 255,
        checksum: VRRPChecksum = .pseudoHeader, addresses: [IPv4Address], centiseconds: UInt16 = 10
    ) -> [UInt8] {
        ipv4(
            from: sourceMAC, to: .multicast(for: IPv4Address.vrrpRouters), source, .vrrpRouters, .vrrp,
            timeToLive: timeToLive, transport: 8 + 4 * addresses.count
        ) { buffer in
            VRRPHeader(version: .v3, id: id, priority: priority, centiseconds: centiseconds).emit(
                into: buffer, addresses: addresses, checksum: checksum, source: source)
        }
    }
}

/// A frame as somebody saw it.
struct SeenFrame {
    var bytes: [UInt8]

    var destination: MACAddress { bytes.withUnsafeBytes { $0.baseAddress!.readMAC(at: 0) } }
    var source: MACAddress { bytes.withUnsafeBytes { $0.baseAddress!.readMAC(at: 6) } }
    var type: EtherType { EtherType(rawValue: bytes.withUnsafeBytes { $0.baseAddress!.readUInt16(at: 12) }) }

    var arp: ARPHeader? {
        guard type == .arp else { return nil }
        return bytes.withUnsafeBytes { try? ARPHeader(UnsafeRawBufferPointer(rebasing: $0[14...])) }
    }

    /// nil where it is not well-formed IPv4.
    var layout: FrameLayout? {
        bytes.withUnsafeBytes {
            guard case .layout(let layout) = FrameLayout.parse($0) else { return nil }
            return layout
        }
    }

    var timeToLive: UInt8 { bytes[22] }
    /// Of a TCP segment.
    var sequence: UInt32? {
        guard let layout, layout.fiveTuple.protocol == .tcp, layout.hasTransportHeader else { return nil }
        return bytes.withUnsafeBytes { $0.baseAddress!.readUInt32(at: Int(layout.transportOffset) + 4) }
    }
    var flow: FiveTuple? { layout?.fiveTuple }
    var isAdvertisement: Bool { flow?.protocol == .vrrp }
    var isSync: Bool { flow?.protocol == .udp && flow?.destinationPort == SyncHeader.port }
    /// The priority of an advertisement.
    var vrrpPriority: UInt8? { isAdvertisement ? bytes[36] : nil }
}
