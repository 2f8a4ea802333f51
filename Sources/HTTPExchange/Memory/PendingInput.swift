/// Bytes that came and are not used up: where they were read while they are being handled, and only what is left then
/// in memory of their own. A connection that waits for a message has none.
struct PendingInput: ~Copyable {
    private static let leastCapacity = 256

    private var start: UnsafeRawPointer?
    private(set) var count = 0
    private var own: UnsafeMutableRawBufferPointer?
    private var isBorrowed = false

    deinit { own?.deallocate() }

    /// Valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// - Parameter arrived: stays as it is until `keep`
    mutating func add(_ arrived: UnsafeRawBufferPointer) {
        if count == 0 {
            (start, count, isBorrowed) = (arrived.baseAddress, arrived.count, true)
        } else {
            keep(room: arrived.count)
            (own!.baseAddress! + count).copyMemory(from: arrived.baseAddress!, byteCount: arrived.count)
            count += arrived.count
        }
    }

    mutating func consume(_ used: Int) {
        precondition(used <= count)
        count -= used
        start = count == 0 ? nil : start! + used
    }

    /// Takes the rest out of the memory into which it was read.
    mutating func keep() {
        if count == 0 {
            clear()
        } else if isBorrowed {
            keep(room: 0)
        }
    }

    mutating func clear() {
        (start, count, isBorrowed) = (nil, 0, false)
        own?.deallocate()
        own = nil
    }

    /// Puts the bytes at the beginning of memory of their own, with room behind them.
    private mutating func keep(room: Int) {
        let needed = count + room
        let old = own
        if own.map({ $0.count < needed }) != false {
            own = .allocate(byteCount: max(Self.leastCapacity, room == 0 ? needed : 2 * needed), alignment: 16)
        }
        if let start, UnsafeRawPointer(own!.baseAddress!) != start {
            // The two may overlap.
            own!.baseAddress!.copyMemory(from: start, byteCount: count)
        }
        if let old, old.baseAddress != own!.baseAddress { old.deallocate() }
        (start, isBorrowed) = (UnsafeRawPointer(own!.baseAddress!), false)
    }
}
