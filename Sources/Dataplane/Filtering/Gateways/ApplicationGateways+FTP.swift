import LabTime
import Wire

/// What reading a segment of a control connection led to.
struct ControlReading {
    /// The segment is to be dropped, because of what it announces.
    var isRefused = false
    /// The pinhole that it has opened.
    var pinhole: FlowIndex?
}

extension ApplicationGateways {
    /// A segment as its lines need it.
    private struct Segment {
        /// Of the packet, as it arrived.
        var flow: FiveTuple
        /// As it leaves.
        var outgoing: FiveTuple
        /// The first packet's of its connection.
        var control: FiveTuple
        var now: Instant
    }

    /// Reads a segment with payload of a control connection.
    /// - Parameters:
    ///   - flow: of the connection's first packet
    ///   - outgoing: how the segment leaves
    mutating func read(
        _ layout: FrameLayout, in packet: UnsafeRawPointer, of flow: FiveTuple, from direction: FlowDirection,
        leavingAs outgoing: FiveTuple, at now: Instant
    ) -> ControlReading {
        var reading = ControlReading()
        guard layout.hasTransportHeader, isIntact(layout, in: packet),
            let place = control(of: flow, orElse: .unknown, at: now)
        else { return reading }
        let isClient = direction == .original
        let payload = UnsafeRawBufferPointer(start: packet + Int(layout.payloadOffset), count: layout.payloadLength)
        // Guard: hasTransportHeader says that 20 bytes are there.
        let sequence = packet.readUInt32(at: Int(layout.transportOffset) + 4)
        let endsLine = payload[payload.count - 1] == 0x0a
        var control = controls[place]
        let ends = isClient ? control.client : control.server
        let isLineStart = ends.isLineStart(sequence)
        if !(isLineStart && endsLine), !ends.isRepeated(sequence) { tally.unread &+= 1 }
        if isLineStart {
            let segment = Segment(flow: layout.fiveTuple, outgoing: outgoing, control: flow, now: now)
            var lines = FTPLines(payload)
            while let line = lines.next() {
                guard line.count <= FTPLine.longest else { continue }
                let line = isClient ? FTPLine(command: line) : FTPLine(reply: line)
                if let refusal = take(line, &control, of: segment, &reading.pinhole) {
                    // It is as if it had never been sent: the next one may begin where it began.
                    count(refusal, layout.fiveTuple)
                    reading.isRefused = true
                    return reading
                }
            }
        }
        if endsLine {
            let end = sequence &+ UInt32(truncatingIfNeeded: payload.count)
            if isClient { control.client.note(end) } else { control.server.note(end) }
        }
        controls[place] = control
        return reading
    }

    private mutating func take(
        _ line: FTPLine, _ control: inout FTPControl, of segment: Segment, _ pinhole: inout FlowIndex?
    ) -> AnnouncementRefusal? {
        switch line {
        case .asksForPassive: control.awaited = .passive
        case .asksForExtendedPassive: control.awaited = .extendedPassive
        case .failure: control.awaited = .nothing
        case .malformed: tally.malformed &+= 1
        case .other: break
        case .port(let endpoint): return announce(endpoint, of: segment, &pinhole)
        case .passive(let endpoint):
            guard control.awaited == .passive || control.awaited == .unknown else {
                tally.unasked &+= 1
                break
            }
            control.awaited = .nothing
            return announce(endpoint, of: segment, &pinhole)
        case .extendedPassive(let port):
            guard control.awaited == .extendedPassive || control.awaited == .unknown else {
                tally.unasked &+= 1
                break
            }
            control.awaited = .nothing
            return announce(NATEndpoint(segment.flow.source, port), of: segment, &pinhole)
        }
        return nil
    }

    /// The sender of a segment listens there.
    private mutating func announce(
        _ endpoint: NATEndpoint, of segment: Segment, _ pinhole: inout FlowIndex?
    ) -> AnnouncementRefusal? {
        guard endpoint.address == segment.flow.source else { return .bounce }
        guard endpoint.port >= 1024 else { return .privilegedPort }
        guard segment.outgoing.source == segment.flow.source else { return .translated }
        let expected = FiveTuple(
            source: segment.outgoing.destination, destination: endpoint.address, sourcePort: 0,
            destinationPort: endpoint.port, protocol: .tcp)
        let end = segment.now + Self.pinholeLifetime
        guard let place = openPinhole(expected, of: segment.control, until: end, at: segment.now) else {
            tally.noRoom &+= 1
            return nil
        }
        pinhole = place
        tally.opened &+= 1
        append(.opened(expected, control: segment.control))
        return nil
    }

    private mutating func count(_ refusal: AnnouncementRefusal, _ flow: FiveTuple) {
        switch refusal {
        case .bounce: tally.bounces &+= 1
        case .privilegedPort: tally.privilegedPorts &+= 1
        case .translated: tally.translated &+= 1
        }
        append(.refused(refusal, control: flow))
    }

    /// What the receiver would throw away announces nothing.
    private func isIntact(_ layout: FrameLayout, in packet: UnsafeRawPointer) -> Bool {
        guard layout.fragment == .whole else { return false }
        let length = Int(layout.endOffset - layout.transportOffset)
        var checksum = Checksum()
        checksum.addPseudoHeader(
            source: layout.fiveTuple.source, destination: layout.fiveTuple.destination, protocol: .tcp, length: length)
        checksum.add(packet + Int(layout.transportOffset), count: length)
        return checksum.value == 0
    }
}
