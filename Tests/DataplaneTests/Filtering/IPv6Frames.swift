import Dataplane
import LabTime
import Wire

/// Frames of IPv6, as a session engine gets them.
enum IPv6Frames {
    static let start = Instant(nanoseconds: 1_000_000_000)
    static let client = IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10)
    static let server = IPv6Address(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x20)
    static let router = IPv6Address(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 1)
    static let external = IPv6Address(0x2001, 0xdb8, 0xee, 0, 0, 0, 0, 5)

    static func flow(_ port: UInt16, _ proto: IPProtocol = .tcp, to destination: UInt16 = 80) -> IPv6FiveTuple {
        IPv6FiveTuple(
            source: client, destination: server, sourcePort: port, destinationPort: destination, protocol: proto)
    }

    static func frame(_ write: (UnsafeMutableRawBufferPointer) -> Int?) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 2000) { buffer, count in
            count = write(UnsafeMutableRawBufferPointer(buffer)) ?? 0
        }
    }

    private static func header(_ flow: IPv6FiveTuple) -> IPv6Header {
        IPv6Header(source: flow.source, destination: flow.destination, nextHeader: flow.protocol)
    }

    static func tcp(
        _ flow: IPv6FiveTuple, _ flags: TCPFlags, _ text: String = "", sequence: UInt32 = 1
    ) -> [UInt8] {
        let segment = TCPHeader(
            sourcePort: flow.sourcePort, destinationPort: flow.destinationPort, sequence: sequence, acknowledgement: 1,
            flags: flags, window: 1000)
        return Array(text.utf8).withUnsafeBytes { payload in
            frame { FrameBuilder.tcp(segment, in: header(flow), from: .zero, to: .zero, payload: payload, into: $0) }
        }
    }

    static func udp(_ flow: IPv6FiveTuple, _ text: String = "data") -> [UInt8] {
        let ports = UDPHeader(sourcePort: flow.sourcePort, destinationPort: flow.destinationPort)
        return Array(text.utf8).withUnsafeBytes { payload in
            frame { FrameBuilder.udp(ports, in: header(flow), from: .zero, to: .zero, payload: payload, into: $0) }
        }
    }

    static func icmp(
        _ message: ICMPv6Header, from source: IPv6Address, to destination: IPv6Address, body: [UInt8] = []
    ) -> [UInt8] {
        let header = IPv6Header(source: source, destination: destination, nextHeader: .icmpv6)
        return body.withUnsafeBytes { body in
            frame { FrameBuilder.icmp(message, in: header, from: .zero, to: .zero, body: body, into: $0) }
        }
    }

    /// An error about the packet in a frame, of which it quotes so many bytes.
    static func error(
        _ type: ICMPv6Type, about frame: [UInt8], from source: IPv6Address, to destination: IPv6Address,
        quoting count: Int = 1232
    ) -> [UInt8] {
        icmp(ICMPv6Header(type: type), from: source, to: destination, body: Array(frame.dropFirst(14).prefix(count)))
    }

    /// The packet of a frame in pieces of so many bytes, which is a multiple of 8.
    static func fragments(of frame: [UInt8], _ size: Int, identification: UInt32) -> [[UInt8]] {
        let data = Array(frame[54...])
        return stride(from: 0, to: data.count, by: size).map { offset in
            let piece = Array(data[offset..<min(offset + size, data.count)])
            let isLast = offset + size >= data.count
            var bytes = Array(frame[..<54])
            let next = bytes[20]
            bytes[20] = 44
            let length = 8 + piece.count
            (bytes[18], bytes[19]) = (UInt8(length >> 8), UInt8(length & 0xff))
            let field = UInt16(offset) | (isLast ? 0 : 1)
            bytes += [next, 0, UInt8(field >> 8), UInt8(field & 0xff)]
            bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: identification >> UInt32($0)) }
            return bytes + piece
        }
    }

    /// - Returns: nil where the frame is not a well-formed packet
    static func withPacket<Result>(
        _ bytes: [UInt8], _ body: (IPv6PacketView, UnsafeMutableRawBufferPointer) -> Result
    ) -> Result? {
        var bytes = bytes
        return bytes.withUnsafeMutableBytes { buffer in IPv6PacketView(buffer).map { body($0, buffer) } }
    }
}

// As functions of the engine: an expectation takes no mutating call of a value that cannot be copied.
extension IPv6Frames {
    /// Evaluates a frame that came in by port 0.
    static func evaluate(
        _ engine: inout SessionEngine<IPv6>, _ frame: [UInt8], at now: Instant = start,
        reporting reports: inout SessionReports<IPv6>
    ) -> FilterVerdict {
        frame.withUnsafeBytes { bytes in
            guard case .layout(let layout) = IPv6FrameLayout.parse(bytes), let base = bytes.baseAddress else {
                return .drop(.malformedIPv6)
            }
            return engine.evaluate(layout, in: base, from: 0, at: now, reporting: &reports)
        }
    }

    static func evaluate(
        _ engine: inout SessionEngine<IPv6>, _ frame: [UInt8], at now: Instant = start
    ) -> FilterVerdict {
        var reports = SessionReports<IPv6>()
        return evaluate(&engine, frame, at: now, reporting: &reports)
    }

    static func passes(_ engine: inout SessionEngine<IPv6>, _ frame: [UInt8], at now: Instant = start) -> Bool {
        if case .pass = evaluate(&engine, frame, at: now) { true } else { false }
    }

    static func session(_ engine: borrowing SessionEngine<IPv6>, _ flow: IPv6FiveTuple) -> Session? {
        engine.table.find(flow).map { engine.table[$0.index] }
    }
}
