public import Wire

/// Neighbours of either family of every port and their MAC addresses, and the frames that wait for one.
///
/// An address enters when a frame is to be sent to it or when it asks for us; whatever else ARP or Neighbour Discovery
/// says updates entries that exist, at once (the merge of RFC 826). A neighbour in use is asked again, by unicast, when its last answer is
/// older than `NeighborTiming.reachable`.
///
/// Capacity is fixed. When the table is full the neighbour confirmed longest ago among those not used since takes its
/// leave; where all are in use the new one is refused.
public struct NeighborTable: ~Copyable {
    @usableFromInline enum State: UInt8, BitwiseCopyable {
        case free, incomplete, reachable, stale, probing
    }

    @usableFromInline struct Entry: BitwiseCopyable {
        /// As `InternetAddress.universal` has it.
        @usableFromInline var address: IPv6Address
        @usableFromInline var port: PortIndex
        @usableFromInline var state: State
        /// A frame was sent to it since its timer was last looked at.
        @usableFromInline var isUsed: Bool
        @usableFromInline var attempts: UInt8
        @usableFromInline var mac: MACAddress
        /// Nanoseconds of the `Instant` of its last word.
        @usableFromInline var confirmed: Int64
        @usableFromInline var nextInBucket: UInt32
        /// Held frames, oldest first: places of `HeldFrames`.
        @usableFromInline var firstHeld: UInt32
        @usableFromInline var lastHeld: UInt32
        @usableFromInline var heldCount: UInt32
    }

    /// Frames held for one neighbour: of the order of what Linux holds (`unres_qlen_bytes`, 212992). A box that had to
    /// wait for the processor finds the first packets of many flows at once. RFC 1122, 2.3.2.2 asks for one at least.
    public static let heldPerNeighbor = 64

    static let none = UInt32.max

    public let capacity: Int
    public let timing: NeighborTiming
    @usableFromInline let bucketMask: UInt32
    @usableFromInline let buckets: UnsafeMutablePointer<UInt32>
    @usableFromInline let entries: UnsafeMutablePointer<Entry>
    var used = 0
    var wheel: TimerWheel
    var held: HeldFrames

    /// - Parameters:
    ///   - capacity: the most neighbours of all ports together
    ///   - heldFrames: the most frames that wait, for all neighbours together
    public init(capacity: Int = 1024, heldFrames: Int = 256, timing: NeighborTiming = NeighborTiming()) {
        precondition(capacity > 0 && capacity <= 1 << 20)
        self.capacity = capacity
        self.timing = timing
        var size = 16
        while size < capacity * 2 { size *= 2 }
        bucketMask = UInt32(truncatingIfNeeded: size - 1)
        buckets = .allocate(capacity: size)
        buckets.initialize(repeating: Self.none, count: size)
        entries = .allocate(capacity: capacity)
        entries.initialize(
            repeating: Entry(
                address: .any, port: 0, state: .free, isUsed: false, attempts: 0, mac: .zero,
                confirmed: 0, nextInBucket: Self.none, firstHeld: Self.none,
                lastHeld: Self.none, heldCount: 0),
            count: capacity)
        wheel = TimerWheel(capacity: capacity)
        held = HeldFrames(capacity: heldFrames)
        // Free entries form a list by `nextInBucket`.
        for place in 0..<capacity { entries[place].nextInBucket = place + 1 < capacity ? UInt32(place + 1) : Self.none }
        freeHead = 0
    }

    deinit {
        buckets.deallocate()
        entries.deallocate()
    }

    var freeHead: UInt32
    /// Neighbours that left for others because the table was full.
    public internal(set) var evictions: UInt64 = 0

    /// Neighbours in the table.
    public var count: Int { used }

    /// The neighbour's MAC address; nil where it is not known, and `hold` is the next step.
    @inlinable
    public mutating func lookup(_ address: some InternetAddress, on port: PortIndex) -> MACAddress? {
        guard let entry = find(address.universal, on: port), entry.pointee.state.rawValue > State.incomplete.rawValue
        else {
            return nil
        }
        entry.pointee.isUsed = true
        return entry.pointee.mac
    }

    @inlinable
    func find(_ address: IPv6Address, on port: PortIndex) -> UnsafeMutablePointer<Entry>? {
        var place = buckets[Int(bucket(of: address, on: port))]
        while place != UInt32.max {
            let entry = entries + Int(place)
            if entry.pointee.address == address && entry.pointee.port == port { return entry }
            place = entry.pointee.nextInBucket
        }
        return nil
    }

    /// The products' upper halves depend on every bit of the address.
    @inlinable
    func bucket(of address: IPv6Address, on port: PortIndex) -> UInt32 {
        let high = (address.high ^ UInt64(port)) &* 0x9E37_79B9_7F4A_7C15
        return UInt32(truncatingIfNeeded: ((high ^ high >> 32 ^ address.low) &* 0x9E37_79B9_7F4A_7C15) >> 32)
            & bucketMask
    }

    /// Every neighbour, for people.
    public var readings: [NeighborReading] {
        (0..<capacity).compactMap { place in
            let entry = entries[place]
            let state: NeighborReading.State
            switch entry.state {
            case .free: return nil
            case .incomplete: state = .incomplete
            case .reachable: state = .reachable
            case .stale: state = .stale
            case .probing: state = .probing
            }
            return NeighborReading(
                address: IPAddress(universal: entry.address), port: entry.port,
                mac: state == .incomplete ? nil : entry.mac, state: state)
        }
    }
}
