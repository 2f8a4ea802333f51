public import Wire

/// A map from an address, port and protocol to a number: which service listens there, which member it is.
///
/// Open addressing, at most half full. Entries are added in set-up only; lookups do not allocate.
public struct EndpointTable: ~Copyable {
    private var mask: Int
    private var keys: UnsafeMutablePointer<UInt64>
    private var values: UnsafeMutablePointer<UInt32>
    private var used = 0

    public init() {
        mask = 15
        keys = .allocate(capacity: 16)
        keys.initialize(repeating: 0, count: 16)
        values = .allocate(capacity: 16)
        values.initialize(repeating: 0, count: 16)
    }

    deinit {
        keys.deallocate()
        values.deallocate()
    }

    public var count: Int { used }

    /// Protocol above, so that no key is 0: protocol 0 is no transport.
    private static func key(_ address: IPv4Address, _ port: UInt16, _ protocol: IPProtocol) -> UInt64 {
        UInt64(`protocol`.rawValue) << 48 | UInt64(address.rawValue) << 16 | UInt64(port)
    }

    private static func home(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }

    public func lookup(_ address: IPv4Address, _ port: UInt16, _ protocol: IPProtocol) -> UInt32? {
        let key = Self.key(address, port, `protocol`)
        var position = Self.home(of: key) & mask
        // Half of the places are empty at least, so the loop ends.
        while keys[position] != 0 {
            if keys[position] == key { return values[position] }
            position = (position &+ 1) & mask
        }
        return nil
    }

    /// - Returns: false where the endpoint is in the table already; nothing was changed
    public mutating func insert(_ value: UInt32, at address: IPv4Address, _ port: UInt16, _ protocol: IPProtocol) -> Bool {
        precondition(`protocol`.rawValue != 0)
        guard lookup(address, port, `protocol`) == nil else { return false }
        if (used + 1) * 2 > mask + 1 { grow() }
        place(value, Self.key(address, port, `protocol`))
        used += 1
        return true
    }

    private func place(_ value: UInt32, _ key: UInt64) {
        var position = Self.home(of: key) & mask
        while keys[position] != 0 { position = (position &+ 1) & mask }
        keys[position] = key
        values[position] = value
    }

    private mutating func grow() {
        let (oldKeys, oldValues, oldSize) = (keys, values, mask + 1)
        mask = oldSize * 2 - 1
        keys = .allocate(capacity: oldSize * 2)
        keys.initialize(repeating: 0, count: oldSize * 2)
        values = .allocate(capacity: oldSize * 2)
        values.initialize(repeating: 0, count: oldSize * 2)
        for position in 0..<oldSize where oldKeys[position] != 0 { place(oldValues[position], oldKeys[position]) }
        oldKeys.deallocate()
        oldValues.deallocate()
    }
}
