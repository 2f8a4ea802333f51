public import LabTime
public import Wire

/// SYNs from outside that nobody inside asked for, each kept for six seconds: the inside may be about to open the same
/// connection, and an answer would end that one. Only then their senders are told. Source: RFC 5382, REQ-4
public struct UnsolicitedSYNs<Family: AddressFamily>: ~Copyable {
    @inlinable public static var silence: Duration { .seconds(6) }

    @usableFromInline
    struct Kept: BitwiseCopyable {
        @usableFromInline var place: UInt32
        /// Where it came in.
        @usableFromInline var port: PortIndex

        @inlinable
        init(place: UInt32, port: PortIndex) {
            self.place = place
            self.port = port
        }
    }

    @usableFromInline var table: IPFlowTable<Family, Kept>
    @usableFromInline var frames: HeldFrames

    /// - Parameter capacity: the most that wait; further ones are never answered
    public init(capacity: Int = 64) {
        table = IPFlowTable(capacity: capacity)
        frames = HeldFrames(capacity: capacity)
    }

    @inlinable public var count: Int { table.count }

    /// Keeps a SYN that was dropped.
    @inlinable
    public mutating func keep(_ frame: Frame, _ flow: FlowKey<Family>, at now: Instant) {
        // Its sender repeats it; the first one counts.
        guard table.find(flow) == nil, let place = frames.store(UnsafeRawBufferPointer(frame.bytes)) else { return }
        guard
            case .inserted = table.insert(
                original: flow, reply: nil, value: Kept(place: place, port: frame.port), expires: now + Self.silence,
                now: now)
        else { return frames.release(place) }
    }

    /// The inside has opened the connection: what it was asked before is answered by that.
    /// - Parameter flow: as its answers arrive
    @inlinable
    public mutating func forget(_ flow: FlowKey<Family>) {
        guard table.count > 0, let match = table.find(flow) else { return }
        frames.release(table[match.index].place)
        table.remove(match.index)
    }

    @inlinable public var deadline: Instant? { table.deadline }

    /// A SYN whose time is over; its bytes are valid until the next call.
    @inlinable
    public mutating func next(at now: Instant) -> Frame? {
        guard let index = table.nextExpired(at: now) else { return nil }
        let kept = table[index]
        table.remove(index)
        let bytes = frames.frame(in: kept.place)
        frames.release(kept.place)
        return bytes.baseAddress.map {
            Frame(base: $0, length: Int32(truncatingIfNeeded: bytes.count), port: kept.port, side: .wire)
        }
    }
}
