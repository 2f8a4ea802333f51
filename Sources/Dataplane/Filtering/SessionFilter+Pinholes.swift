public import LabTime
public import Wire

/// The application gateway: reads control connections, and opens the filter for what they announce.
extension SessionFilter {
    /// How long a pinhole waits for its connection.
    public static var pinholeLifetime: Duration { .seconds(60) }
    /// The port of FTP's control connections. Source: RFC 959, 5.2
    static var ftpPort: UInt16 { 21 }
    /// Most control connections that are read, and most pinholes.
    static var pinholeCapacity: Int { 4096 }
    /// Most events that wait to be taken.
    static var eventCapacity: Int { 64 }

    public var pinholeCount: Int { pinholes.count }

    /// Every pinhole as it waits, for people: the expected flow, its source port zero, and when it ends.
    public func allPinholes() -> [(flow: FiveTuple, expires: Instant)] {
        var all: [(FiveTuple, Instant)] = []
        var index = pinholes.next(after: nil)
        while let place = index {
            all.append((pinholes.original(of: place), pinholes.expiry(of: place)))
            index = pinholes.next(after: place)
        }
        return all
    }

    public var hasPinholeEvents: Bool { !pinholeEvents.isEmpty }

    /// What happened since the last call, as far as there was room.
    public mutating func takePinholeEvents() -> [PinholeEvent] {
        let events = pinholeEvents
        pinholeEvents.removeAll()
        pinholeEvents.reserveCapacity(Self.eventCapacity)
        return events
    }

    private mutating func tell(_ event: PinholeEvent) {
        // The room was reserved.
        if pinholeEvents.count < Self.eventCapacity { pinholeEvents.append(event) }
    }

    /// - Parameter outgoing: how the originator's packets leave
    func isControl(_ outgoing: FiveTuple) -> Bool {
        readsFTP && outgoing.destinationPort == Self.ftpPort && outgoing.protocol == .tcp
    }

    // MARK: Control connections

    /// A control connection was opened here: its questions are seen from the first.
    mutating func beginControl(_ flow: FiveTuple, at now: Instant) {
        _ = control(of: flow, orElse: .nothing, at: now)
    }

    private mutating func control(of flow: FiveTuple, orElse awaited: FTPControl.Awaited, at now: Instant) -> FlowIndex?
    {
        if let match = controls.find(flow) { return match.index }
        switch controls.insert(
            original: flow, reply: nil, value: FTPControl(awaited: awaited), expires: .never, now: now)
        {
        case .inserted(let index): return index
        case .conflict, .full:
            pinholeTally.noRoom &+= 1
            return nil
        }
    }

    /// The control connection ends, and what it announced.
    mutating func endControl(_ flow: FiveTuple) {
        if let match = controls.find(flow) { controls.remove(match.index) }
        closePinhole(of: flow)
    }

    /// The control connection announces something else, or is over.
    mutating func closePinhole(of control: FiveTuple) {
        if let match = pinholes.find(control), match.direction == .reply { pinholes.remove(match.index) }
    }

    /// Reads a segment with payload of a control connection.
    /// - Returns: whether it is to be dropped, because of what it announces
    mutating func readControl(
        _ match: FlowMatch, _ layout: FrameLayout, in packet: UnsafeRawPointer, at now: Instant
    ) -> DropReason? {
        guard layout.hasTransportHeader, isIntact(layout, in: packet),
            let place = control(of: table.original(of: match.index), orElse: .unknown, at: now)
        else { return nil }
        let isClient = match.direction == .original
        let payload = UnsafeRawBufferPointer(start: packet + Int(layout.payloadOffset), count: layout.payloadLength)
        // Guard: hasTransportHeader says that 20 bytes are there.
        let sequence = packet.readUInt32(at: Int(layout.transportOffset) + 4)
        let endsLine = payload[payload.count - 1] == 0x0a
        var control = controls[place]
        let ends = isClient ? control.client : control.server
        let isLineStart = ends.isLineStart(sequence)
        if !(isLineStart && endsLine), !ends.isRepeated(sequence) { pinholeTally.unread &+= 1 }
        if isLineStart {
            var lines = FTPLines(payload)
            while let line = lines.next() {
                guard line.count <= FTPLine.longest else { continue }
                let line = isClient ? FTPLine(command: line) : FTPLine(reply: line)
                if let refusal = take(line, &control, of: match.index, layout.fiveTuple, at: now) {
                    // It is as if it had never been sent: the next one may begin where it began.
                    count(refusal, layout.fiveTuple)
                    return .announcement
                }
            }
        }
        if endsLine {
            let end = sequence &+ UInt32(truncatingIfNeeded: payload.count)
            if isClient { control.client.note(end) } else { control.server.note(end) }
        }
        controls[place] = control
        return nil
    }

    private mutating func take(
        _ line: FTPLine, _ control: inout FTPControl, of index: FlowIndex, _ flow: FiveTuple, at now: Instant
    ) -> AnnouncementRefusal? {
        switch line {
        case .asksForPassive: control.awaited = .passive
        case .asksForExtendedPassive: control.awaited = .extendedPassive
        case .failure: control.awaited = .nothing
        case .malformed: pinholeTally.malformed &+= 1
        case .other: break
        case .port(let endpoint): return announce(endpoint, of: index, flow, at: now)
        case .passive(let endpoint):
            guard control.awaited == .passive || control.awaited == .unknown else {
                pinholeTally.unasked &+= 1
                break
            }
            control.awaited = .nothing
            return announce(endpoint, of: index, flow, at: now)
        case .extendedPassive(let port):
            guard control.awaited == .extendedPassive || control.awaited == .unknown else {
                pinholeTally.unasked &+= 1
                break
            }
            control.awaited = .nothing
            return announce(NATEndpoint(flow.source, port), of: index, flow, at: now)
        }
        return nil
    }

    private mutating func count(_ refusal: AnnouncementRefusal, _ flow: FiveTuple) {
        switch refusal {
        case .bounce: pinholeTally.bounces &+= 1
        case .privilegedPort: pinholeTally.privilegedPorts &+= 1
        case .translated: pinholeTally.translated &+= 1
        }
        tell(.refused(refusal, control: flow))
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

    // MARK: Pinholes

    /// The sender of a packet of a control connection listens there.
    private mutating func announce(
        _ endpoint: NATEndpoint, of index: FlowIndex, _ flow: FiveTuple, at now: Instant
    ) -> AnnouncementRefusal? {
        guard endpoint.address == flow.source else { return .bounce }
        guard endpoint.port >= 1024 else { return .privilegedPort }
        let outgoing = outgoing(of: index, arrivedAs: flow)
        guard outgoing.source == flow.source else { return .translated }
        let expected = FiveTuple(
            source: outgoing.destination, destination: endpoint.address, sourcePort: 0, destinationPort: endpoint.port,
            protocol: .tcp)
        let control = table.original(of: index)
        guard openPinhole(expected, of: control, until: now + Self.pinholeLifetime, inTurn: activeTurn, at: now) else {
            pinholeTally.noRoom &+= 1
            return nil
        }
        pinholeTally.opened &+= 1
        tell(.opened(expected, control: control))
        guard isRecording else { return nil }
        note(index, .pinhole, at: now)
        if defersNewSessions {
            // The announcement waits until the peer can keep its promise.
            table[index].awaitedInRound = deferRound
            table[index].toldIn = 0
        }
        return nil
    }

    /// - Returns: false where there is no room
    private mutating func openPinhole(
        _ expected: FiveTuple, of control: FiveTuple, until end: Instant, inTurn turn: UInt32, at now: Instant
    ) -> Bool {
        closePinhole(of: control)
        // Of another control connection between the same hosts: a port is announced once.
        if let match = pinholes.find(expected) { pinholes.remove(match.index) }
        let pinhole = Pinhole(generation: receivedGeneration, openedInTurn: turn)
        guard
            case .inserted = pinholes.insert(original: expected, reply: control, value: pinhole, expires: end, now: now)
        else { return false }
        return true
    }

    /// The grounds on which a connection that somebody announced may be opened.
    struct Expectation {
        var pinhole: FlowIndex
        /// The session of the control connection.
        var control: FlowIndex
        /// The table's key of that session.
        var controlFlow: FiveTuple
    }

    func expectation(of flow: FiveTuple, at now: Instant) -> Expectation? {
        guard let match = pinholes.find(flow.expected), match.direction == .original,
            pinholes.expiry(of: match.index) > now, let controlFlow = pinholes.reply(of: match.index),
            let control = table.find(controlFlow), control.direction == .original,
            !table[control.index].state.isFinished
        else { return nil }
        return Expectation(pinhole: match.index, control: control.index, controlFlow: controlFlow)
    }

    /// The connection has come: nothing more may.
    mutating func use(_ expectation: Expectation, for flow: FiveTuple) {
        pinholes.remove(expectation.pinhole)
        pinholeTally.used &+= 1
        tell(.used(flow, control: expectation.controlFlow))
    }

    /// A data connection is translated as the side of the control connection that it comes from is.
    func translation(of flow: FiveTuple, expectedBy expectation: Expectation) -> TranslationChoice {
        let original = table.original(of: expectation.control)
        let session = table[expectation.control]
        let outgoing = outgoing(of: expectation.control, arrivedAs: original)
        let isOriginators = flow.source == original.source
        let (own, seen) =
            isOriginators ? (original.source, outgoing.source) : (outgoing.destination, original.destination)
        guard own != seen else { return .none }
        let binding = isOriginators ? session.source : session.destination
        // A pool that is gone grants nothing any more.
        return binding.isNone ? .byRules : nat.poolIndex(of: binding).map { .pool($0) } ?? .byRules
    }

    mutating func expirePinholes(at now: Instant) {
        while let index = pinholes.nextExpired(at: now) {
            pinholes.remove(index)
            pinholeTally.expired &+= 1
        }
    }

    // MARK: The peer

    /// What the peer is to know; nil where the control connection has no pinhole any more.
    func pinholeRecord(of index: FlowIndex, at now: Instant) -> SyncRecord? {
        let control = table.original(of: index)
        guard table[index].isControl, let match = pinholes.find(control), match.direction == .reply else { return nil }
        let remaining = (pinholes.expiry(of: match.index) - now).nanoseconds / 1_000_000
        return .pinhole(
            PinholeRecord(
                expected: pinholes.original(of: match.index), control: control,
                remainingMilliseconds: UInt32(clamping: max(0, remaining))))
    }

    /// - Returns: false where there is no room
    mutating func apply(_ record: PinholeRecord, onlyNew: Bool, at now: Instant) -> Bool {
        // A box without the gateway lets its rules decide alone.
        guard readsFTP else { return true }
        // A predecessor's late word is newer than its earlier ones, and older than what was opened here since.
        if onlyNew, let match = pinholes.find(record.control), pinholes[match.index].openedInTurn == activeTurn {
            return true
        }
        let lifetime = min(Self.pinholeLifetime, record.remaining)
        guard openPinhole(record.expected, of: record.control, until: now + lifetime, inTurn: 0, at: now) else {
            return false
        }
        pinholeTally.adopted &+= 1
        return true
    }

    /// The peer's data connection has used its pinhole.
    mutating func closePinhole(usedBy flow: FiveTuple) {
        if let match = pinholes.find(flow.expected), match.direction == .original { pinholes.remove(match.index) }
    }

    /// Pinholes that the peer's transfer did not mention are none of the pair's.
    mutating func removePinholesNotMentioned() {
        var index = pinholes.next(after: nil)
        while let place = index {
            if pinholes[place].generation != receivedGeneration { pinholes.remove(place) }
            index = pinholes.next(after: place)
        }
    }
}

/// Which pool a new session's source is translated from.
enum TranslationChoice {
    case byRules
    case pool(Int)
    case none
}
