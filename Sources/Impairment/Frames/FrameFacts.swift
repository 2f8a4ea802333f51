internal import Wire

/// The properties of a frame that the rules of a cable compare, read once.
struct FrameFacts {
    /// Number of the frame on its cable, in order of arrival.
    var number: UInt64
    var direction: CableDirection
    var etherType: EtherType
    /// Addresses of IPv4 as ::ffff:a.b.c.d, so that rules treat both families alike; nil where the frame is no
    /// well-formed IP packet.
    var layout: IPv6FrameLayout?
    /// Of a TCP segment.
    var sequence: UInt32 = 0
    var isRetransmission = false
    /// Of the end that opened the connection; 0 without ports.
    var clientPort: UInt16 = 0

    init(_ frame: UnsafeRawBufferPointer, number: UInt64, direction: CableDirection) {
        self.number = number
        self.direction = direction
        etherType = EtherType(
            rawValue: frame.count >= EthernetHeader.length ? frame.baseAddress!.readUInt16(at: 12) : 0)
        if case .layout(let layout) = FrameLayout.parse(frame) {
            self.layout = IPv6FrameLayout(universal: layout)
        } else if case .layout(let layout) = IPv6FrameLayout.parse(frame) {
            self.layout = layout
        }
        if let layout {
            // Guard: the parse found a whole TCP header with this length.
            if isTCP(layout) { sequence = frame.baseAddress!.readUInt32(at: Int(layout.transportOffset) + 4) }
            clientPort = likelyClientPort(layout)
        }
    }

    private func isTCP(_ layout: IPv6FrameLayout) -> Bool { layout.hasTransportHeader && layout.ipProtocol == .tcp }

    /// The TCP segment; nil for everything else.
    var segment: IPv6FrameLayout? { layout.flatMap { isTCP($0) ? $0 : nil } }

    /// Both directions of a session have the same.
    var session: IPv6FiveTuple? { layout.map { FrameFacts.session(of: $0.fiveTuple) } }

    static func session(of flow: IPv6FiveTuple) -> IPv6FiveTuple {
        let other = flow.reversed
        return (flow.source, flow.destination, flow.portsAndProtocol)
            < (other.source, other.destination, other.portsAndProtocol) ? flow : other
    }

    /// Sequence numbers that the segment occupies: payload, SYN and FIN.
    static func occupied(_ layout: IPv6FrameLayout) -> UInt32 {
        UInt32(truncatingIfNeeded: layout.payloadLength)
            &+ (layout.tcpFlags.contains(.syn) ? 1 : 0) &+ (layout.tcpFlags.contains(.fin) ? 1 : 0)
    }

    func isOf(_ kind: SegmentClass) -> Bool {
        guard let segment else { return false }
        let flags = segment.tcpFlags
        return switch kind {
        case .syn: flags.isInitialSYN
        case .synAck: flags.isSYNACK
        case .fin: flags.contains(.fin)
        case .rst: flags.contains(.rst)
        case .data: segment.payloadLength > 0
        case .ack: segment.payloadLength == 0 && flags.isDisjoint(with: [.syn, .fin, .rst])
        case .retransmission: isRetransmission
        }
    }

    /// Without a SYN that was seen, the higher port is the client's: services have low ones.
    private func likelyClientPort(_ layout: IPv6FrameLayout) -> UInt16 {
        let flow = layout.fiveTuple
        if layout.tcpFlags.isInitialSYN { return flow.sourcePort }
        if layout.tcpFlags.isSYNACK { return flow.destinationPort }
        return max(flow.sourcePort, flow.destinationPort)
    }

    /// `tcp 10.0.0.3:443 > 10.0.0.1:4000 FIN,ACK sequence 17 payload 0`, `ARP`
    var words: String {
        guard let layout else { return "\(etherType)" }
        if let segment {
            return
                "\(Self.words(segment.fiveTuple)) \(segment.tcpFlags) sequence \(sequence) payload \(segment.payloadLength)"
        }
        return "\(Self.words(layout.fiveTuple)) payload \(layout.payloadLength)"
    }

    private static func words(_ flow: IPv6FiveTuple) -> String {
        let source = IPAddress(universal: flow.source).endpoint(port: flow.sourcePort)
        let destination = IPAddress(universal: flow.destination).endpoint(port: flow.destinationPort)
        return "\(flow.protocol) \(source) > \(destination)"
    }
}
