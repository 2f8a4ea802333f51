public import LabTime
public import Wire

/// Which flow each fragment of a datagram belongs to, whatever the order in which the fragments arrive.
///
/// Only a datagram's first fragment has ports. What the box decided about it holds for the others; those that overtook
/// it wait, in memory of fixed size and for a bounded time. Nothing is put together: fragments leave as fragments.
/// Source: RFC 4787, REQ-14; RFC 6146, 3.4 (bounds)
public struct FragmentTable: ~Copyable {
    /// What is done to every fragment of a datagram.
    public enum Decision: BitwiseCopyable, Sendable {
        /// It leaves with this flow, and with this identification: fragments of two inside hosts behind one address
        /// would be taken for one datagram's. Source: RFC 6864, 5.3
        case pass(as: FiveTuple, identification: UInt16)
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

    struct Datagram: BitwiseCopyable {
        var decision: Decision?
        /// Fragments that wait, in the order in which they came; `UInt32.max` for none.
        var firstHeld: UInt32 = .max
        var lastHeld: UInt32 = .max
    }

    /// How long fragments wait for the first of their datagram. A path reorders by milliseconds.
    public static var patience: Duration { .seconds(2) }
    /// How long a decision holds. Source: RFC 1122, 3.3.2 (60 s at least for reassembly)
    public static var memory: Duration { .seconds(60) }

    private var table: FlowTable<Datagram>
    private var held: HeldFrames
    private var nextIdentification: UInt16
    private var waiting = 0

    /// - Parameters:
    ///   - datagrams: the most whose fragments are told apart at once; further ones are dropped
    ///   - frames: the most fragments that wait at once; further ones are dropped
    ///   - identification: the first that `newIdentification` gives
    public init(datagrams: Int = 1024, frames: Int = 128, identification: UInt16 = 1) {
        table = FlowTable(capacity: datagrams)
        held = HeldFrames(capacity: frames)
        nextIdentification = identification
    }

    /// Datagrams that are remembered.
    public var count: Int { table.count }
    /// Fragments that wait.
    public var heldCount: Int { waiting }

    /// Takes a fragment.
    /// - Parameter frame: the whole frame, copied where the fragment has to wait
    public mutating func receive(_ packet: PacketView, in frame: Frame, at now: Instant) -> Reception {
        // A second piece that would write over a TCP header was made to pass a filter. Source: RFC 3128
        if packet.ipProtocol == .tcp, packet.fragmentOffset == 8 { return .drop(.fragment) }
        let key = Self.key(packet)
        if packet.layout.fragment == .first { return .first }
        let index: FlowIndex
        if let match = table.find(key) {
            if let decision = table[match.index].decision { return .decided(decision) }
            index = match.index
        } else {
            switch table.insert(
                original: key, reply: nil, value: Datagram(), expires: now + Self.patience, now: now)
            {
            case .inserted(let place): index = place
            case .conflict, .full: return .drop(.fragment)
            }
        }
        guard let place = held.store(UnsafeRawBufferPointer(frame.bytes)) else { return .drop(.fragment) }
        waiting += 1
        if table[index].lastHeld == .max {
            table[index].firstHeld = place
        } else {
            held.link(table[index].lastHeld, to: place)
        }
        table[index].lastHeld = place
        return .held
    }

    /// Notes what was decided about a datagram's first fragment.
    /// - Parameter decide: gets the identification that a translated datagram leaves with
    public mutating func decide(_ packet: PacketView, _ decision: Decision, at now: Instant) {
        let key = Self.key(packet)
        if let match = table.find(key) {
            table[match.index].decision = decision
            table.keep(match.index, until: now + Self.memory, now: now)
        } else {
            var datagram = Datagram()
            datagram.decision = decision
            _ = table.insert(original: key, reply: nil, value: datagram, expires: now + Self.memory, now: now)
        }
    }

    /// The identification that the fragments of one more datagram leave with.
    public mutating func newIdentification() -> UInt16 {
        defer { nextIdentification &+= 1 }
        return nextIdentification
    }

    /// The decision about the packet's datagram, if there is one.
    public func decision(about packet: PacketView) -> Decision? {
        table.find(Self.key(packet)).flatMap { table[$0.index].decision }
    }

    /// A fragment that waited for what was decided by now; valid until the next call that changes the table.
    public mutating func nextReleased(of packet: PacketView) -> UnsafeMutableRawBufferPointer? {
        guard let match = table.find(Self.key(packet)) else { return nil }
        return takeHeld(match.index).map { held.frame(in: $0) }
    }

    private mutating func takeHeld(_ index: FlowIndex) -> UInt32? {
        let place = table[index].firstHeld
        guard place != .max else { return nil }
        let next = held.next(after: place)
        table[index].firstHeld = next
        if next == .max { table[index].lastHeld = .max }
        held.release(place)
        waiting -= 1
        return place
    }

    public var deadline: Instant? { table.deadline }

    /// Forgets datagrams whose time has come.
    /// - Returns: how many fragments had waited in vain
    public mutating func advance(to now: Instant) -> Int {
        var dropped = 0
        while let index = table.nextExpired(at: now) {
            while takeHeld(index) != nil { dropped += 1 }
            table.remove(index)
        }
        return dropped
    }

    /// Source, destination, protocol and identification: what makes fragments one datagram's. Source: RFC 791, 3.2
    private static func key(_ packet: PacketView) -> FiveTuple {
        FiveTuple(
            source: packet.source, destination: packet.destination, sourcePort: packet.identification,
            destinationPort: 0, protocol: packet.ipProtocol)
    }
}
