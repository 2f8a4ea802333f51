public import LabTime
public import Wire

extension NeighborTable {
    /// Keeps a copy of a frame until its neighbour answers. The frame is complete but for its destination MAC address.
    public mutating func hold(
        _ frame: UnsafeRawBufferPointer, for address: some InternetAddress, on port: PortIndex, at now: Instant
    ) -> NeighborHold {
        var isFirst = false
        let entry: UnsafeMutablePointer<Entry>
        if let found = find(address.universal, on: port) {
            entry = found
        } else {
            guard let created = create(address.universal, on: port, at: now) else { return .tableFull }
            entry = created
            isFirst = true
        }
        entry.pointee.isUsed = true
        var replacesOldest = false
        if entry.pointee.heldCount >= UInt32(Self.heldPerNeighbor) {
            let oldest = entry.pointee.firstHeld
            entry.pointee.firstHeld = held.next(after: oldest)
            entry.pointee.heldCount -= 1
            held.release(oldest)
            replacesOldest = true
        }
        guard let place = held.store(frame) else { return .noRoom(isFirst: isFirst) }
        if entry.pointee.heldCount == 0 {
            entry.pointee.firstHeld = place
        } else {
            held.link(entry.pointee.lastHeld, to: place)
        }
        entry.pointee.lastHeld = place
        entry.pointee.heldCount += 1
        return isFirst ? .heldFirst : replacesOldest ? .heldInsteadOfOldest : .held
    }

    /// Moves the frames that waited for a neighbour into `output`, addressed to it, oldest first.
    /// - Returns: frames enqueued, and frames for which the output had no room
    public mutating func release(
        _ address: some InternetAddress, on port: PortIndex, into output: inout FrameQueue
    ) -> (sent: Int, dropped: Int) {
        guard let entry = find(address.universal, on: port), entry.pointee.state != .incomplete else { return (0, 0) }
        var sent = 0
        var dropped = 0
        var place = entry.pointee.firstHeld
        while place != Self.none {
            let frame = held.frame(in: place)
            if let copy = output.make(length: frame.count, port: port, side: .wire) {
                copy.copyMemory(from: UnsafeRawBufferPointer(frame))
                copy.baseAddress?.write(entry.pointee.mac, at: 0)
                sent += 1
            } else {
                dropped += 1
            }
            let next = held.next(after: place)
            held.release(place)
            place = next
        }
        entry.pointee.firstHeld = Self.none
        entry.pointee.lastHeld = Self.none
        entry.pointee.heldCount = 0
        return (sent, dropped)
    }
}
