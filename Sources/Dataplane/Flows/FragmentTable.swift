public import LabTime
public import Wire

/// Which flow each fragment of a datagram belongs to, whatever the order in which the fragments arrive.
///
/// Only a datagram's first fragment has ports. What the box decided about it holds for the others; those that overtook
/// it wait, in memory of fixed size and for a bounded time. Nothing is put together: fragments leave as fragments.
///
/// A datagram is forgotten a moment after its last byte has come (`linger`), and the oldest gives way where the table
/// is full.
/// Source: RFC 4787, REQ-14; RFC 6146, 3.4 (bounds)
public struct FragmentTable<Family: AddressFamily>: ~Copyable {
    /// What is done to every fragment of a datagram.
    public enum Decision: BitwiseCopyable, Sendable {
        /// It leaves with this flow, and with this identification: fragments of two inside hosts behind one address
        /// would be taken for one datagram's. Source: RFC 6864, 5.3
        case pass(as: FlowKey<Family>, identification: Family.Identification)
        case drop(DropReason)
    }

    public enum Reception {
        /// The datagram's first fragment: judge it as a whole packet and `decide`.
        case first
        case decided(Decision)
        /// A copy waits for the first fragment.
        case held
        case drop(DropReason)
    }

    @usableFromInline
    struct Datagram: BitwiseCopyable {
        @usableFromInline var decision: Decision?
        /// Fragments that wait, in the order in which they came; `UInt32.max` for none.
        @usableFromInline var firstHeld: UInt32 = .max
        @usableFromInline var lastHeld: UInt32 = .max
        @usableFromInline var cover = FragmentCover()
        /// Neighbours in the order of their first fragment to come; `UInt32.max` for none.
        @usableFromInline var older: UInt32 = .max
        @usableFromInline var newer: UInt32 = .max

        @usableFromInline init() {}
    }

    /// How long fragments wait for the first of their datagram. A path reorders by milliseconds.
    @inlinable public static var timeout: Duration { .seconds(2) }
    /// How long a decision about a datagram holds whose last fragment does not come.
    /// Source: RFC 1122, 3.3.2 (60 s at least for reassembly)
    @inlinable public static var memory: Duration { .seconds(60) }
    /// How long a decision holds when all fragments have come: for copies, which a path makes within milliseconds.
    @inlinable public static var linger: Duration { .milliseconds(250) }

    @usableFromInline var table: IPFlowTable<Family, Datagram>
    @usableFromInline var held: HeldFrames
    @usableFromInline var waiting = 0
    @usableFromInline var oldest: UInt32 = .max
    @usableFromInline var newest: UInt32 = .max
    /// Fragments that had waited for a datagram that gave way, and were not counted yet.
    @usableFromInline var lost = 0
    /// Datagrams that gave way to newer ones.
    @usableFromInline package internal(set) var evicted: UInt64 = 0

    /// - Parameters:
    ///   - datagrams: the most whose fragments are told apart at once; the oldest gives way to one more
    ///   - frames: the most fragments that wait at once; further ones are dropped
    public init(datagrams: Int = 1024, frames: Int = 128) {
        table = IPFlowTable(capacity: datagrams)
        held = HeldFrames(capacity: frames)
    }

    /// Datagrams that are remembered.
    @inlinable public var count: Int { table.count }
    /// Fragments that wait.
    @inlinable public var heldCount: Int { waiting }

    /// Takes a fragment.
    /// - Parameter frame: the whole frame, copied where the fragment has to wait
    @inlinable
    public mutating func receive(_ packet: IPPacketView<Family>, in frame: Frame, at now: Instant) -> Reception {
        let place = Family.fragment(packet)
        // A second piece that would write over a TCP header was made to pass a filter. Source: RFC 3128
        if packet.ipProtocol == .tcp, place.offset == 8 { return .drop(.fragment) }
        let key = Self.key(packet)
        if packet.layout.fragment == .first { return .first }
        // No datagram is so long: its end would write over somebody's memory. Source: RFC 791, 3.1
        guard place.offset + packet.layout.packetLength <= 65_535 else { return .drop(.fragment) }
        let index: FlowIndex
        if let match = table.find(key) {
            index = match.index
            if let decision = table[index].decision {
                note(packet, index, at: now)
                return .decided(decision)
            }
        } else {
            guard let entered = enter(key, Datagram(), expires: now + Self.timeout, at: now) else {
                return .drop(.fragment)
            }
            index = entered
        }
        guard let copy = held.store(UnsafeRawBufferPointer(frame.bytes)) else { return .drop(.fragment) }
        waiting += 1
        if table[index].lastHeld == .max {
            table[index].firstHeld = copy
        } else {
            held.link(table[index].lastHeld, to: copy)
        }
        table[index].lastHeld = copy
        note(packet, index, at: now)
        return .held
    }

    /// Notes which bytes a fragment has brought.
    @inlinable
    mutating func note(_ packet: IPPacketView<Family>, _ index: FlowIndex, at now: Instant) {
        let place = Family.fragment(packet)
        table[index].cover.add(offset: place.offset, length: packet.segment.count, isLast: place.isLast)
        guard table[index].decision != nil, table[index].cover.isComplete else { return }
        table.keep(index, until: now + Self.linger, now: now)
    }

    // MARK: Room

    /// Enters a datagram; the oldest gives way where the table is full.
    @inlinable
    mutating func enter(_ key: FlowKey<Family>, _ datagram: Datagram, expires: Instant, at now: Instant) -> FlowIndex? {
        if table.count == table.capacity, oldest != .max {
            let index = FlowIndex(rawValue: oldest)
            while takeHeld(index) != nil { lost += 1 }
            forget(index)
            evicted &+= 1
        }
        guard
            case .inserted(let index) = table.insert(
                original: key, reply: nil, value: datagram, expires: expires, now: now)
        else { return nil }
        table[index].older = newest
        if newest == .max { oldest = index.rawValue } else { table[FlowIndex(rawValue: newest)].newer = index.rawValue }
        newest = index.rawValue
        return index
    }

    @inlinable
    mutating func forget(_ index: FlowIndex) {
        let (older, newer) = (table[index].older, table[index].newer)
        if older == .max { oldest = newer } else { table[FlowIndex(rawValue: older)].newer = newer }
        if newer == .max { newest = older } else { table[FlowIndex(rawValue: newer)].older = older }
        table.remove(index)
    }

    /// Notes what was decided about a datagram's first fragment.
    /// - Parameter decide: gets the identification that a translated datagram leaves with
    @inlinable
    public mutating func decide(_ packet: IPPacketView<Family>, _ decision: Decision, at now: Instant) {
        let key = Self.key(packet)
        let index: FlowIndex
        if let match = table.find(key) {
            index = match.index
            table[index].decision = decision
            table.keep(index, until: now + Self.memory, now: now)
        } else {
            var datagram = Datagram()
            datagram.decision = decision
            guard let place = enter(key, datagram, expires: now + Self.memory, at: now) else { return }
            index = place
        }
        note(packet, index, at: now)
    }

    /// The decision about the packet's datagram, if there is one.
    @inlinable
    public func decision(about packet: IPPacketView<Family>) -> Decision? {
        table.find(Self.key(packet)).flatMap { table[$0.index].decision }
    }

    /// A fragment that waited for what was decided by now; valid until the next call that changes the table.
    @inlinable
    public mutating func nextReleased(of packet: IPPacketView<Family>) -> UnsafeMutableRawBufferPointer? {
        guard let match = table.find(Self.key(packet)) else { return nil }
        return takeHeld(match.index).map { held.frame(in: $0) }
    }

    @inlinable
    mutating func takeHeld(_ index: FlowIndex) -> UInt32? {
        let place = table[index].firstHeld
        guard place != .max else { return nil }
        let next = held.next(after: place)
        table[index].firstHeld = next
        if next == .max { table[index].lastHeld = .max }
        held.release(place)
        waiting -= 1
        return place
    }

    @inlinable public var deadline: Instant? { table.deadline }

    /// Forgets datagrams whose time has come.
    /// - Returns: how many held fragments timed out, those whose datagram gave way included
    @inlinable
    public mutating func advance(to now: Instant) -> Int {
        while let index = table.nextExpired(at: now) {
            while takeHeld(index) != nil { lost += 1 }
            forget(index)
        }
        defer { lost = 0 }
        return lost
    }

    /// Source, destination, protocol and identification: what makes fragments one datagram's. The identification stands
    /// for the ports. IPv6 does not count the protocol, of which only the first fragment may know.
    /// Source: RFC 791, 3.2; RFC 8200, 4.5
    @inlinable
    static func key(_ packet: IPPacketView<Family>) -> FlowKey<Family> {
        let proto = Family.version == .ipv4 ? packet.ipProtocol : .fragment
        let identification = UInt64(truncatingIfNeeded: Family.fragment(packet).identification)
        return FlowKey(
            pair: packet.fiveTuple.pair, portsAndProtocol: UInt64(proto.rawValue) << 32 | identification)
    }
}
