/// What a dataplane did with frames: a fixed array of counts, one line of memory after another, no allocation.
public struct Counters: ~Copyable {
    /// What happened to a frame that was not discarded, and what the box did of its own accord.
    public enum Event: UInt8, CaseIterable, Sendable {
        case receivedFromWire
        case receivedFromHost
        case forwarded
        case toHost
        case fromHost
        case made
        case arpAnswered
        case arpRequested
        case solicitationsAnswered
        case solicitationsSent
        case neighborLearned
        case neighborChanged
        case icmpMade
        case icmpSuppressed
        case icmpTranslated
        case flowsCreated
        case flowsExpired
        case flowsClosed
        case flowsRemoved
    }

    /// Room for every event and reason; a power of two, so that new cases do not move anything.
    @usableFromInline static var capacity: Int { 128 }
    @usableFromInline static var firstReason: Int { 64 }
    @usableFromInline let counts: UnsafeMutablePointer<UInt64>

    public init() {
        precondition(Event.allCases.count <= Self.firstReason)
        precondition(Self.firstReason + DropReason.allCases.count <= Self.capacity)
        counts = .allocate(capacity: Self.capacity)
        counts.initialize(repeating: 0, count: Self.capacity)
    }

    deinit { counts.deallocate() }

    // Both indices are below `capacity` by the preconditions of `init`, so the loads need no bounds check.

    @inlinable public mutating func count(_ event: Event) { counts[Int(event.rawValue)] &+= 1 }

    @inlinable public mutating func count(_ event: Event, times: Int) {
        counts[Int(event.rawValue)] &+= UInt64(truncatingIfNeeded: times)
    }

    @inlinable public mutating func drop(_ reason: DropReason) {
        counts[Self.firstReason &+ Int(reason.rawValue)] &+= 1
    }

    @inlinable public mutating func drop(_ reason: DropReason, times: Int) {
        counts[Self.firstReason &+ Int(reason.rawValue)] &+= UInt64(truncatingIfNeeded: times)
    }

    @inlinable public subscript(event: Event) -> UInt64 { counts[Int(event.rawValue)] }
    @inlinable public subscript(reason: DropReason) -> UInt64 { counts[Self.firstReason &+ Int(reason.rawValue)] }

    /// The sum over all reasons.
    public var dropped: UInt64 { DropReason.allCases.reduce(0) { $0 &+ self[$1] } }
}

extension Counters.Event {
    /// The counter's name: words in lower case, joined by hyphens.
    public var name: String {
        switch self {
        case .receivedFromWire: "received.wire"
        case .receivedFromHost: "received.host"
        case .forwarded: "forwarded"
        case .toHost: "host.delivered"
        case .fromHost: "host.sent"
        case .made: "made"
        case .arpAnswered: "arp.answered"
        case .arpRequested: "arp.requested"
        case .solicitationsAnswered: "discovery.answered"
        case .solicitationsSent: "discovery.solicited"
        case .neighborLearned: "neighbors.learned"
        case .neighborChanged: "neighbors.changed"
        case .icmpMade: "icmp.made"
        case .icmpSuppressed: "icmp.suppressed"
        case .icmpTranslated: "icmp.translated"
        case .flowsCreated: "flows.created"
        case .flowsExpired: "flows.expired"
        case .flowsClosed: "flows.closed"
        case .flowsRemoved: "flows.removed"
        }
    }

    /// One sentence that a person understands.
    public var meaning: String {
        switch self {
        case .receivedFromWire: "Frames that arrived on links."
        case .receivedFromHost: "Frames that the box's own kernel sent."
        case .forwarded: "Frames that left by a link after routing or translation."
        case .toHost: "Frames handed to the box's own kernel."
        case .fromHost: "Frames of the box's own kernel that left by a link."
        case .made: "Frames that the dataplane made itself: ARP, ICMP, released copies of held frames, protocol messages."
        case .arpAnswered: "ARP requests for addresses of the box that were answered."
        case .arpRequested: "ARP requests that the dataplane sent."
        case .solicitationsAnswered: "IPv6 neighbour solicitations for addresses of the box that were answered."
        case .solicitationsSent: "IPv6 neighbour solicitations that the dataplane sent."
        case .neighborLearned: "Neighbours whose MAC address became known."
        case .neighborChanged: "Neighbours whose MAC address became another one."
        case .icmpMade: "ICMP errors that the dataplane sent."
        case .icmpSuppressed: "ICMP errors that were not sent: the limit was reached, or RFC 1122 forbids one."
        case .icmpTranslated: "ICMP errors about translated flows that were translated on their way."
        case .flowsCreated: "Flows that were created."
        case .flowsExpired: "Flows forgotten because no packet came for their idle time."
        case .flowsClosed: "TCP flows forgotten because both sides finished or one reset."
        case .flowsRemoved: "Flows removed because their pool member went down."
        }
    }
}
