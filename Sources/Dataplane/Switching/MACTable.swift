public import LabTime
public import Wire

/// The filtering database of a switch: which port leads to a MAC address. Source: IEEE 802.1Q-2022, 8.8
///
/// An address is learned from the source of a frame. It ages out when no frame has come from it for `ageing`. A full
/// table learns nothing new: frames to addresses that it lacks are flooded.
///
/// Capacity is fixed; no call allocates.
public struct MACTable: ~Copyable {
    /// What a frame's source address did to the table.
    public enum Learning: Hashable, Sendable {
        case known
        case learned
        /// The address was behind this port before.
        case moved(from: PortIndex)
        case tableFull
        /// A group address or zero, which no station has. Source: IEEE 802.3, 3.2.3
        case invalidSource
    }

    struct Entry {
        var mac: UInt64 = 0
        var port: PortIndex = 0
        var seenAt = Instant(nanoseconds: 0)
        /// In its bucket; -1 where the entry is the last.
        var next: Int32 = -1
        /// By age: towards the address that was not seen for longest, and towards the one seen last.
        var older: Int32 = -1
        var newer: Int32 = -1
    }

    public let capacity: Int
    public let ageing: Duration
    public private(set) var count = 0
    private let entries: UnsafeMutablePointer<Entry>
    private let buckets: UnsafeMutablePointer<Int32>
    private let mask: Int
    /// Entries that were given back, linked by `next`.
    private var free: Int32 = 0
    private var oldest: Int32 = -1
    private var newest: Int32 = -1

    /// - Parameters:
    ///   - capacity: the most addresses
    ///   - ageing: time without a frame after which an address is forgotten; 300 s is the default of IEEE 802.1Q, 8.8.3
    public init(capacity: Int, ageing: Duration) {
        precondition(capacity > 0 && capacity < Int(Int32.max) / 2)
        self.capacity = capacity
        self.ageing = ageing
        var size = 1
        while size < capacity { size <<= 1 }
        mask = size - 1
        entries = .allocate(capacity: capacity)
        entries.initialize(repeating: Entry(), count: capacity)
        for index in 0..<capacity { entries[index].next = index + 1 < capacity ? Int32(index + 1) : -1 }
        buckets = .allocate(capacity: size)
        buckets.initialize(repeating: -1, count: size)
    }

    deinit {
        entries.deallocate()
        buckets.deallocate()
    }

    /// The port behind which an address was seen last; nil where it is not known.
    public func port(of mac: MACAddress, at now: Instant) -> PortIndex? {
        guard let index = find(mac.packed), now - entries[index].seenAt < ageing else { return nil }
        return entries[index].port
    }

    /// Learns from a frame's source address.
    public mutating func learn(_ mac: MACAddress, on port: PortIndex, at now: Instant) -> Learning {
        let key = mac.packed
        // The group bit is the lowest bit of the first byte.
        guard key != 0, key >> 40 & 1 == 0 else { return .invalidSource }
        expire(at: now)
        if let index = find(key) {
            let old = entries[index].port
            entries[index].port = port
            entries[index].seenAt = now
            unlink(Int32(index))
            append(Int32(index))
            return old == port ? .known : .moved(from: old)
        }
        guard free >= 0 else { return .tableFull }
        let index = free
        free = entries[Int(index)].next
        let bucket = bucket(of: key)
        entries[Int(index)] = Entry(mac: key, port: port, seenAt: now, next: buckets[bucket])
        buckets[bucket] = index
        append(index)
        count += 1
        return .learned
    }

    /// Forgets what has aged out.
    /// - Returns: how many addresses
    @discardableResult
    public mutating func expire(at now: Instant) -> Int {
        var expired = 0
        while oldest >= 0, now - entries[Int(oldest)].seenAt >= ageing {
            remove(oldest)
            expired += 1
        }
        aged &+= UInt64(expired)
        return expired
    }

    /// Addresses that were forgotten because no frame came from them.
    public private(set) var aged: UInt64 = 0

    /// Forgets the addresses behind a port, as when its link is down.
    public mutating func removeAll(on port: PortIndex) {
        var index = oldest
        while index >= 0 {
            let next = entries[Int(index)].newer
            if entries[Int(index)].port == port { remove(index) }
            index = next
        }
    }

    /// When the next address ages out; nil of an empty table.
    public var deadline: Instant? { oldest >= 0 ? entries[Int(oldest)].seenAt + ageing : nil }

    /// Calls `body` for each address, the one that was not seen for longest first.
    public func forEach(_ body: (MACAddress, PortIndex, Instant) -> Void) {
        var index = oldest
        while index >= 0 {
            let entry = entries[Int(index)]
            body(MACAddress(packed: entry.mac), entry.port, entry.seenAt)
            index = entry.newer
        }
    }

    // MARK: Links

    private func bucket(of mac: UInt64) -> Int {
        // Fibonacci hashing: the high bits of the product depend on every bit of the address.
        Int(truncatingIfNeeded: (mac &* 0x9e37_79b9_7f4a_7c15) >> 32) & mask
    }

    private func find(_ mac: UInt64) -> Int? {
        var index = buckets[bucket(of: mac)]
        while index >= 0 {
            if entries[Int(index)].mac == mac { return Int(index) }
            index = entries[Int(index)].next
        }
        return nil
    }

    private mutating func append(_ index: Int32) {
        entries[Int(index)].older = newest
        entries[Int(index)].newer = -1
        if newest >= 0 { entries[Int(newest)].newer = index } else { oldest = index }
        newest = index
    }

    private mutating func unlink(_ index: Int32) {
        let entry = entries[Int(index)]
        if entry.older >= 0 { entries[Int(entry.older)].newer = entry.newer } else { oldest = entry.newer }
        if entry.newer >= 0 { entries[Int(entry.newer)].older = entry.older } else { newest = entry.older }
    }

    private mutating func remove(_ index: Int32) {
        unlink(index)
        let bucket = bucket(of: entries[Int(index)].mac)
        if buckets[bucket] == index {
            buckets[bucket] = entries[Int(index)].next
        } else {
            var before = buckets[bucket]
            while entries[Int(before)].next != index { before = entries[Int(before)].next }
            entries[Int(before)].next = entries[Int(index)].next
        }
        entries[Int(index)] = Entry(next: free)
        free = index
        count -= 1
    }
}
