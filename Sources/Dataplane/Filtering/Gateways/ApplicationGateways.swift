public import LabTime
public import Wire

/// The application gateways: control connections that are read, and the pinholes that they have announced.
///
/// Only FTP so far. They know control connections by the flow of their first packet, and nothing else of sessions.
@usableFromInline
package struct ApplicationGateways<Family: AddressFamily>: ~Copyable {
    /// How long a pinhole waits for its connection.
    @inlinable package static var pinholeLifetime: Duration { .seconds(60) }
    /// The port of FTP's control connections. Source: RFC 959, 5.2
    @inlinable static var ftpPort: UInt16 { 21 }
    /// Most control connections that are read, and most pinholes.
    @inlinable static var most: Int { 4096 }
    /// Most events that wait to be taken.
    @inlinable static var eventCapacity: Int { 64 }

    /// Whether FTP control connections are read.
    @usableFromInline package let readsFTP: Bool
    @usableFromInline var controls: IPFlowTable<Family, FTPControl>
    @usableFromInline var pinholes: IPFlowTable<Family, Pinhole>
    @usableFromInline package internal(set) var tally = PinholeTally()
    @usableFromInline var events: [PinholeEvent<Family>] = []

    /// - Parameter capacity: of the session table
    init(_ gateways: [ApplicationGateway], capacity: Int) {
        readsFTP = gateways.contains(.ftp)
        let places = readsFTP ? Self.places(capacity) : 1
        controls = IPFlowTable(capacity: places)
        pinholes = IPFlowTable(capacity: places)
        if readsFTP { events.reserveCapacity(Self.eventCapacity) }
    }

    /// The most pinholes of a firewall that reads control connections.
    /// - Parameter capacity: of its session table
    package static func places(_ capacity: Int) -> Int { min(capacity, most) }

    @inlinable package var pinholeCount: Int { pinholes.count }

    /// Every pinhole as it waits, for people: the expected flow, its source port zero, and when it ends.
    package func allPinholes() -> [(flow: FlowKey<Family>, expires: Instant)] {
        var all: [(FlowKey<Family>, Instant)] = []
        var index = pinholes.next(after: nil)
        while let place = index {
            all.append((pinholes.original(of: place), pinholes.expiry(of: place)))
            index = pinholes.next(after: place)
        }
        return all
    }

    // MARK: Events

    @inlinable package var hasEvents: Bool { !events.isEmpty }

    /// What happened since the last call, as far as there was room.
    package mutating func takeEvents() -> [PinholeEvent<Family>] {
        let taken = events
        events.removeAll()
        events.reserveCapacity(Self.eventCapacity)
        return taken
    }

    @inlinable
    mutating func append(_ event: PinholeEvent<Family>) {
        // The room was reserved.
        if events.count < Self.eventCapacity { events.append(event) }
    }

    // MARK: Control connections

    /// - Parameter outgoing: how the originator's packets leave
    @inlinable
    func isControl(_ outgoing: FlowKey<Family>) -> Bool {
        readsFTP && outgoing.destinationPort == Self.ftpPort && outgoing.protocol == .tcp
    }

    /// A control connection was opened here: its questions are seen from the first.
    @inlinable
    mutating func beginControl(_ flow: FlowKey<Family>, at now: Instant) {
        _ = control(of: flow, orElse: .nothing, at: now)
    }

    @inlinable
    mutating func control(of flow: FlowKey<Family>, orElse awaited: FTPControl.Awaited, at now: Instant) -> FlowIndex? {
        if let match = controls.find(flow) { return match.index }
        switch controls.insert(
            original: flow, reply: nil, value: FTPControl(awaited: awaited), expires: .never, now: now)
        {
        case .inserted(let index): return index
        case .conflict, .full:
            tally.noRoom &+= 1
            return nil
        }
    }

    /// The control connection ends, and what it announced.
    @inlinable
    mutating func endControl(_ flow: FlowKey<Family>) {
        if let match = controls.find(flow) { controls.remove(match.index) }
        closePinhole(of: flow)
    }

    // MARK: Pinholes

    /// - Parameters:
    ///   - expected: the flow that may come, its source port zero
    ///   - control: the control connection that announced it
    /// - Returns: nil where there is no room
    @inlinable
    mutating func openPinhole(
        _ expected: FlowKey<Family>, of control: FlowKey<Family>, until end: Instant, at now: Instant
    )
        -> FlowIndex?
    {
        closePinhole(of: control)
        // Of another control connection between the same hosts: a port is announced once.
        if let match = pinholes.find(expected) { pinholes.remove(match.index) }
        let insertion = pinholes.insert(original: expected, reply: control, value: Pinhole(), expires: end, now: now)
        guard case .inserted(let place) = insertion else { return nil }
        return place
    }

    /// The control connection announces something else, or is over.
    @inlinable
    mutating func closePinhole(of control: FlowKey<Family>) {
        if let match = pinholes.find(control), match.direction == .reply { pinholes.remove(match.index) }
    }

    /// The pinhole through which a new flow may pass, and its control connection.
    @inlinable
    func pinhole(for flow: FlowKey<Family>, at now: Instant) -> (place: FlowIndex, control: FlowKey<Family>)? {
        guard let match = pinholes.find(flow.expected), match.direction == .original,
            pinholes.expiry(of: match.index) > now, let control = pinholes.reply(of: match.index)
        else { return nil }
        return (match.index, control)
    }

    /// The connection has come: nothing more may.
    @inlinable
    mutating func use(_ place: FlowIndex, for flow: FlowKey<Family>, of control: FlowKey<Family>) {
        pinholes.remove(place)
        tally.used &+= 1
        append(.used(flow, control: control))
    }

    @inlinable package var deadline: Instant? { pinholes.deadline }

    @inlinable
    mutating func expirePinholes(at now: Instant) {
        while let index = pinholes.nextExpired(at: now) {
            pinholes.remove(index)
            tally.expired &+= 1
        }
    }
}
