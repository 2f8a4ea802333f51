public import LabTime
public import Wire

extension NeighborTable {
    /// Takes what an ARP packet says about its sender, or Neighbour Discovery about its sender or target.
    /// - Parameters:
    ///   - creates: whether an unknown neighbour enters: true for a request for one of our addresses
    ///   - overrides: whether another MAC address than the known one is believed; always so for ARP, and said by a
    ///     flag of a neighbour advertisement. Where it is not, the entry stays as it is.
    /// Source: RFC 826, "Packet Reception"; RFC 4861, 7.2.5
    public mutating func learn(
        _ address: some InternetAddress, _ mac: MACAddress, on port: PortIndex, at now: Instant, creates: Bool,
        overrides: Bool = true
    ) -> NeighborChange {
        if let entry = find(address.universal, on: port) {
            let old = entry.pointee
            if !overrides, old.state != .incomplete, old.mac != mac { return .ignored }
            entry.pointee.mac = mac
            confirm(entry, at: now)
            if old.state == .incomplete { return .learned }
            return old.mac == mac ? .confirmed : .changed(from: old.mac)
        }
        guard creates else { return .ignored }
        guard let entry = create(address.universal, on: port, at: now) else { return .tableFull }
        entry.pointee.mac = mac
        entry.pointee.isUsed = false
        confirm(entry, at: now)
        return .learned
    }

    /// Wants a neighbour known before there is anything to send to it; one that is known stays fresh.
    /// - Returns: whether it is to be asked for now, for the first time
    public mutating func want(_ address: some InternetAddress, on port: PortIndex, at now: Instant) -> Bool {
        if let entry = find(address.universal, on: port) {
            entry.pointee.isUsed = true
            return false
        }
        return create(address.universal, on: port, at: now) != nil
    }

    /// Forgets every neighbour of a port, which lost its carrier.
    /// - Returns: frames that waited for one of them and were dropped
    public mutating func forget(on port: PortIndex) -> Int {
        var dropped = 0
        for place in 0..<capacity where entries[place].state != .free && entries[place].port == port {
            dropped += remove(entries + place)
        }
        return dropped
    }

    func place(of entry: UnsafeMutablePointer<Entry>) -> UInt32 { UInt32(entry - entries) }

    private mutating func confirm(_ entry: UnsafeMutablePointer<Entry>, at now: Instant) {
        entry.pointee.state = .reachable
        entry.pointee.confirmed = now.nanoseconds
        entry.pointee.attempts = 0
        wheel.schedule(place(of: entry), at: now + timing.reachable, now: now)
    }

    /// An incomplete entry whose first request is due now; nil where the table is full.
    mutating func create(
        _ address: IPv6Address, on port: PortIndex, at now: Instant
    ) -> UnsafeMutablePointer<Entry>? {
        if freeHead == Self.none, !evict() { return nil }
        let place = freeHead
        let entry = entries + Int(place)
        freeHead = entry.pointee.nextInBucket
        let bucket = Int(bucket(of: address, on: port))
        entry.pointee = Entry(
            address: address, port: port, state: .incomplete, isUsed: true, attempts: 1, mac: .zero,
            confirmed: now.nanoseconds,
            nextInBucket: buckets[bucket], firstHeld: Self.none, lastHeld: Self.none, heldCount: 0)
        buckets[bucket] = place
        used += 1
        wheel.schedule(place, at: now + timing.retransmit, now: now)
        return entry
    }

    private mutating func evict() -> Bool {
        var oldest: UnsafeMutablePointer<Entry>?
        for place in 0..<capacity {
            let entry = entries + place
            guard entry.pointee.state == .reachable || entry.pointee.state == .stale, !entry.pointee.isUsed else {
                continue
            }
            if let found = oldest, found.pointee.confirmed <= entry.pointee.confirmed { continue }
            oldest = entry
        }
        guard let oldest else { return false }
        _ = remove(oldest)
        evictions += 1
        return true
    }

    mutating func remove(_ entry: UnsafeMutablePointer<Entry>) -> Int {
        let place = place(of: entry)
        wheel.cancel(place)
        let dropped = Int(entry.pointee.heldCount)
        var heldPlace = entry.pointee.firstHeld
        while heldPlace != Self.none {
            let next = held.next(after: heldPlace)
            held.release(heldPlace)
            heldPlace = next
        }
        let bucket = Int(bucket(of: entry.pointee.address, on: entry.pointee.port))
        if buckets[bucket] == place {
            buckets[bucket] = entry.pointee.nextInBucket
        } else {
            var previous = entries + Int(buckets[bucket])
            while previous.pointee.nextInBucket != place { previous = entries + Int(previous.pointee.nextInBucket) }
            previous.pointee.nextInBucket = entry.pointee.nextInBucket
        }
        entry.pointee.state = .free
        entry.pointee.firstHeld = Self.none
        entry.pointee.heldCount = 0
        entry.pointee.nextInBucket = freeHead
        freeHead = place
        used -= 1
        return dropped
    }
}
