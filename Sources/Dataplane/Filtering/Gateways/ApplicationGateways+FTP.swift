public import LabTime
public import Wire

/// What reading a segment of a control connection led to.
@usableFromInline
struct ControlReading {
    /// The segment is to be dropped, because of what it announces.
    @usableFromInline var isRefused = false
    /// The pinhole that it has opened.
    @usableFromInline var pinhole: FlowIndex?

    @inlinable init() {}
}

extension ApplicationGateways {
    /// A segment as its lines need it.
    @usableFromInline
    struct Segment {
        /// Of the packet, as it arrived.
        @usableFromInline var flow: FlowKey<Family>
        /// As it leaves.
        @usableFromInline var outgoing: FlowKey<Family>
        /// The first packet's of its connection.
        @usableFromInline var control: FlowKey<Family>
        @usableFromInline var now: Instant

        @inlinable
        init(flow: FlowKey<Family>, outgoing: FlowKey<Family>, control: FlowKey<Family>, now: Instant) {
            self.flow = flow
            self.outgoing = outgoing
            self.control = control
            self.now = now
        }
    }

    /// Reads a segment with payload of a control connection.
    /// - Parameters:
    ///   - flow: of the connection's first packet
    ///   - outgoing: how the segment leaves
    @inlinable
    mutating func read(
        _ layout: IPLayout<Family>, in packet: UnsafeRawPointer, of flow: FlowKey<Family>,
        from direction: FlowDirection,
        leavingAs outgoing: FlowKey<Family>, at now: Instant
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
                let line =
                    isClient ? FTPLine(command: line, in: Family.version) : FTPLine(reply: line, in: Family.version)
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

    @inlinable
    mutating func take(
        _ line: FTPLine, _ control: inout FTPControl, of segment: Segment, _ pinhole: inout FlowIndex?
    ) -> AnnouncementRefusal? {
        switch line {
        case .asksForPassive: control.awaited = .passive
        case .asksForExtendedPassive: control.awaited = .extendedPassive
        case .failure: control.awaited = .nothing
        case .malformed: tally.malformed &+= 1
        case .other: break
        case .port(let address, let port): return announce(address, port, of: segment, &pinhole)
        case .passive(let address, let port):
            guard control.awaited == .passive || control.awaited == .unknown else {
                tally.unasked &+= 1
                break
            }
            control.awaited = .nothing
            return announce(address, port, of: segment, &pinhole)
        case .extendedPassive(let port):
            guard control.awaited == .extendedPassive || control.awaited == .unknown else {
                tally.unasked &+= 1
                break
            }
            control.awaited = .nothing
            return announce(segment.flow.source.erased, port, of: segment, &pinhole)
        }
        return nil
    }

    /// The sender of a segment listens there.
    @inlinable
    mutating func announce(
        _ address: IPAddress, _ port: UInt16, of segment: Segment, _ pinhole: inout FlowIndex?
    ) -> AnnouncementRefusal? {
        guard Family.Address(address) == segment.flow.source else { return .bounce }
        guard port >= 1024 else { return .privilegedPort }
        guard segment.outgoing.source == segment.flow.source else { return .translated }
        let expected = FlowKey<Family>(
            source: segment.outgoing.destination, destination: segment.flow.source, sourcePort: 0,
            destinationPort: port, protocol: .tcp)
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

    @inlinable
    mutating func count(_ refusal: AnnouncementRefusal, _ flow: FlowKey<Family>) {
        switch refusal {
        case .bounce: tally.bounces &+= 1
        case .privilegedPort: tally.privilegedPorts &+= 1
        case .translated: tally.translated &+= 1
        }
        append(.refused(refusal, control: flow))
    }

    /// What the receiver would throw away announces nothing.
    @inlinable
    func isIntact(_ layout: IPLayout<Family>, in packet: UnsafeRawPointer) -> Bool {
        guard layout.fragment == .whole else { return false }
        let length = Int(layout.endOffset - layout.transportOffset)
        var checksum = Checksum()
        Family.addPseudoHeader(
            to: &checksum, source: layout.fiveTuple.source, destination: layout.fiveTuple.destination, protocol: .tcp,
            length: length)
        checksum.add(packet + Int(layout.transportOffset), count: length)
        return checksum.value == 0
    }
}
