public import Wire

/// A map from an address of either family, port and protocol to a number: which service listens there, which member it
/// is.
///
/// Open addressing, at most half full. Entries are added in set-up only; lookups do not allocate.
public struct EndpointTable: ~Copyable {
    private struct Key: BitwiseCopyable {
        /// As `InternetAddress.universal` has it.
        var address: IPv6Address
        /// Protocol above the port; 0 for an empty place, because protocol 0 is no transport.
        var service: UInt64

        static var empty: Key { Key(address: .any, service: 0) }

        init(address: IPv6Address, service: UInt64) {
            self.address = address
            self.service = service
        }

        init(_ address: IPv6Address, _ port: UInt16, _ protocol: IPProtocol) {
            self.init(address: address, service: UInt64(`protocol`.rawValue) << 16 | UInt64(port))
        }

        var home: Int {
            let high = (address.high ^ service) &* 0x9E37_79B9_7F4A_7C15
            return Int(truncatingIfNeeded: ((high ^ high >> 32 ^ address.low) &* 0x9E37_79B9_7F4A_7C15) >> 32)
        }

        static func == (a: Key, b: Key) -> Bool { a.service == b.service && a.address == b.address }
    }

    private var mask: Int
    private var keys: UnsafeMutablePointer<Key>
    private var values: UnsafeMutablePointer<UInt32>
    private var used = 0

    public init() {
        mask = 15
        keys = .allocate(capacity: 16)
        keys.initialize(repeating: .empty, count: 16)
        values = .allocate(capacity: 16)
        values.initialize(repeating: 0, count: 16)
    }

    deinit {
        keys.deallocate()
        values.deallocate()
    }

    public var count: Int { used }

    public func lookup(_ address: some InternetAddress, _ port: UInt16, _ protocol: IPProtocol) -> UInt32? {
        lookup(Key(address.universal, port, `protocol`))
    }

    private func lookup(_ key: Key) -> UInt32? {
        var position = key.home & mask
        // Half of the places are empty at least, so the loop ends.
        while keys[position].service != 0 {
            if keys[position] == key { return values[position] }
            position = (position &+ 1) & mask
        }
        return nil
    }

    /// - Returns: false where the endpoint is in the table already; nothing was changed
    public mutating func insert(_ value: UInt32, at address: IPAddress, _ port: UInt16, _ protocol: IPProtocol) -> Bool {
        precondition(`protocol`.rawValue != 0)
        let key = Key(address.universal, port, `protocol`)
        guard lookup(key) == nil else { return false }
        if (used + 1) * 2 > mask + 1 { grow() }
        place(value, key)
        used += 1
        return true
    }

    /// The same for an address of a known family.
    public mutating func insert(
        _ value: UInt32, at address: some InternetAddress, _ port: UInt16, _ protocol: IPProtocol
    ) -> Bool { insert(value, at: address.erased, port, `protocol`) }

    private func place(_ value: UInt32, _ key: Key) {
        var position = key.home & mask
        while keys[position].service != 0 { position = (position &+ 1) & mask }
        keys[position] = key
        values[position] = value
    }

    private mutating func grow() {
        let (oldKeys, oldValues, oldSize) = (keys, values, mask + 1)
        mask = oldSize * 2 - 1
        keys = .allocate(capacity: oldSize * 2)
        keys.initialize(repeating: .empty, count: oldSize * 2)
        values = .allocate(capacity: oldSize * 2)
        values.initialize(repeating: 0, count: oldSize * 2)
        for position in 0..<oldSize where oldKeys[position].service != 0 { place(oldValues[position], oldKeys[position]) }
        oldKeys.deallocate()
        oldValues.deallocate()
    }
}
