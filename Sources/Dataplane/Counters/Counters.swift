public import LabEvents

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
        case fragmented
        case tunnelWrapped
        case tunnelUnwrapped
        case segmentSizeClamped
        case carriedWithoutFlow
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
    /// The declared counter: its name and what it means.
    public var counter: Counter {
        switch self {
        case .receivedFromWire: .receivedFromWire
        case .receivedFromHost: .receivedFromHost
        case .forwarded: .forwarded
        case .toHost: .toHost
        case .fromHost: .fromHost
        case .made: .made
        case .arpAnswered: .arpAnswered
        case .arpRequested: .arpRequested
        case .solicitationsAnswered: .solicitationsAnswered
        case .solicitationsSent: .solicitationsSent
        case .neighborLearned: .neighborLearned
        case .neighborChanged: .neighborChanged
        case .icmpMade: .icmpMade
        case .icmpSuppressed: .icmpSuppressed
        case .icmpTranslated: .icmpTranslated
        case .flowsCreated: .flowsCreated
        case .flowsExpired: .flowsExpired
        case .flowsClosed: .flowsClosed
        case .flowsRemoved: .flowsRemoved
        case .fragmented: .fragmented
        case .tunnelWrapped: .tunnelWrapped
        case .tunnelUnwrapped: .tunnelUnwrapped
        case .segmentSizeClamped: .segmentSizeClamped
        case .carriedWithoutFlow: .carriedWithoutFlow
        }
    }
}
