public import Wire

/// Sessions of IPv4 flows.
public typealias FlowTable<Value: BitwiseCopyable> = IPFlowTable<IPv4, Value>
/// Sessions of IPv6 flows.
public typealias IPv6FlowTable<Value: BitwiseCopyable> = IPFlowTable<IPv6, Value>

/// Sessions, each found by the five-tuple of either of its two flows.
///
/// Capacity is fixed and all memory is allocated by `init`. When the table is full a new session is refused and
/// existing ones are kept. An open-addressing table (linear probing, at most half full, no tombstones) maps the hash
/// of a flow to the place of its session; sessions never move, so a `FlowIndex` stays valid until `remove`.
///
/// ```
/// buckets   | hash (32) | place · 2 + direction + 1 (32) |     0 = empty
/// entries   | original key | reply key | expires | flows | next free |   beside them the values
/// ```
///
/// A session without packets expires: `keep` on every packet only writes a time; a timer wheel hands out sessions
/// whose time may have come (`nextExpired`).
public struct IPFlowTable<Family: AddressFamily, Value: BitwiseCopyable>: ~Copyable {
    public typealias Key = FlowKey<Family>

    @usableFromInline struct Entry: BitwiseCopyable {
        @usableFromInline var original: Key
        @usableFromInline var reply: Key
        /// Nanoseconds of an `Instant`.
        @usableFromInline var expires: Int64
        /// 0: free. 1: the original flow only. 2: both flows.
        @usableFromInline var flows: UInt8
        /// Free places are a list; `UInt32.max` ends it.
        @usableFromInline var nextFree: UInt32

        @usableFromInline init(original: Key, reply: Key, expires: Int64, flows: UInt8) {
            self.original = original
            self.reply = reply
            self.expires = expires
            self.flows = flows
            nextFree = .max
        }
    }

    public let capacity: Int
    @usableFromInline let seed: UInt64
    @usableFromInline let mask: UInt32
    @usableFromInline let buckets: UnsafeMutablePointer<UInt64>
    @usableFromInline let entries: UnsafeMutablePointer<Entry>
    @usableFromInline let values: UnsafeMutablePointer<Value>
    @usableFromInline var freeHead: UInt32 = .max
    /// Places from here on were never used; their memory is not initialised.
    @usableFromInline var untouched: UInt32 = 0
    @usableFromInline var sessions = 0
    @usableFromInline var wheel: TimerWheel

    /// - Parameters:
    ///   - capacity: the most sessions, 1 … 2³⁰
    ///   - seed: scatters the hash, so that a stranger cannot choose five-tuples that collide
    public init(capacity: Int, seed: UInt64 = 0x9E37_79B9_7F4A_7C15) {
        precondition(capacity > 0 && capacity <= 1 << 30)
        self.capacity = capacity
        self.seed = seed
        var size = 16
        while size < capacity * 4 { size *= 2 }
        mask = UInt32(truncatingIfNeeded: size - 1)
        buckets = TableMemory.allocate(size)
        buckets.initialize(repeating: 0, count: size)
        entries = TableMemory.allocate(capacity)
        values = TableMemory.allocate(capacity)
        wheel = TimerWheel(capacity: capacity)
    }

    // Entries and values are BitwiseCopyable: there is nothing to deinitialise.
    @inlinable
    deinit {
        buckets.deallocate()
        entries.deallocate()
        values.deallocate()
    }

    /// Sessions in the table.
    @inlinable public var count: Int { sessions }

    /// Finds the session of a packet. One or two cache lines where the table is not crowded.
    @inlinable
    public func find(_ key: Key) -> FlowMatch? {
        let hash = key.flowHash(seed: seed)
        var position = hash & mask
        while true {
            // position ≤ mask, and there are mask + 1 buckets; at least half are empty, so the loop ends.
            let bucket = buckets[Int(position)]
            if bucket == 0 { return nil }
            if UInt32(truncatingIfNeeded: bucket >> 32) == hash {
                let code = UInt32(truncatingIfNeeded: bucket) &- 1
                let entry = entries + Int(code >> 1)
                if code & 1 == 0 {
                    if entry.pointee.original == key {
                        return FlowMatch(index: FlowIndex(rawValue: code >> 1), direction: .original)
                    }
                } else if entry.pointee.reply == key {
                    return FlowMatch(index: FlowIndex(rawValue: code >> 1), direction: .reply)
                }
            }
            position = (position &+ 1) & mask
        }
    }

    /// Has the processor fetch what a search for a flow, or its entry, will look at first: many searches then wait for
    /// memory together instead of one after the other. Worth it for a table that no cache holds.
    @inline(__always)
    @inlinable
    func prefetch(_ key: Key) {
        // position ≤ mask, and there are mask + 1 buckets.
        TableMemory.prefetch(buckets + Int(key.flowHash(seed: seed) & mask))
    }

    /// Whether its buckets are more than a processor's own cache holds.
    @inlinable var outgrowsCaches: Bool { mask >= 1 << 15 }

    /// The session's value, in place.
    /// - Precondition: the index came from `find` or `insert` and was not removed since
    @inlinable
    public subscript(index: FlowIndex) -> Value {
        // `untouched` guards against an index of another table; a stale one reads an old value, never foreign memory.
        unsafeAddress {
            precondition(index.rawValue < untouched)
            return UnsafePointer(values + Int(index.rawValue))
        }
        unsafeMutableAddress {
            precondition(index.rawValue < untouched)
            return values + Int(index.rawValue)
        }
    }
}
