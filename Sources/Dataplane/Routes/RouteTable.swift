public import Wire

/// Routes, the longest matching prefix first.
///
/// One hash table for all prefixes and a bit for each prefix length in use: a lookup makes one probe for each length
/// that the table really has, longest first, so a table of connected networks and a default route needs two.
/// Changes allocate; lookups do not.
public struct RouteTable: ~Copyable {
    @usableFromInline struct Slot: BitwiseCopyable {
        /// Prefix in the upper half, prefix length + 1 below; 0 for an empty slot.
        @usableFromInline var key: UInt64
        @usableFromInline var gateway: IPv4Address
        @usableFromInline var hasGateway: Bool
        @usableFromInline var port: PortIndex

        @usableFromInline static var empty: Slot { Slot(key: 0, gateway: .any, hasGateway: false, port: 0) }

        @usableFromInline init(key: UInt64, gateway: IPv4Address, hasGateway: Bool, port: PortIndex) {
            self.key = key
            self.gateway = gateway
            self.hasGateway = hasGateway
            self.port = port
        }
    }

    /// Bit n: the table has a prefix of length n.
    @usableFromInline var lengths: UInt64 = 0
    @usableFromInline var mask: Int
    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    private var routes: [IPv4Network: Route] = [:]

    public init() {
        mask = 15
        slots = .allocate(capacity: 16)
        slots.initialize(repeating: .empty, count: 16)
    }

    deinit { slots.deallocate() }

    public var count: Int { routes.count }

    /// Every route, longest prefixes first.
    public var all: [Route] {
        routes.values.sorted {
            ($1.destination.prefixLength, $0.destination.address) < ($0.destination.prefixLength, $1.destination.address)
        }
    }

    /// The way to an address; nil where no route leads there.
    /// - Complexity: one probe for each prefix length in use
    @inlinable
    public func lookup(_ destination: IPv4Address) -> NextHop? {
        var left = lengths
        while left != 0 {
            let length = 63 &- left.leadingZeroBitCount
            left &= ~(1 << UInt64(length))
            let prefix = destination.rawValue & RouteTable.mask(length)
            let key = UInt64(prefix) << 32 | UInt64(length &+ 1)
            var position = RouteTable.home(of: key) & mask
            while true {
                // position ≤ mask, and there are mask + 1 slots; at least half are empty, so the loop ends.
                let slot = slots + position
                if slot.pointee.key == key {
                    return NextHop(
                        port: slot.pointee.port, address: slot.pointee.hasGateway ? slot.pointee.gateway : destination)
                }
                if slot.pointee.key == 0 { break }
                position = (position &+ 1) & mask
            }
        }
        return nil
    }

    /// Adds a route, in place of another one to the same network.
    public mutating func insert(_ route: Route) {
        routes[route.destination] = route
        rebuild()
    }

    /// Removes the route to a network.
    /// - Returns: the route, or nil where there was none
    @discardableResult
    public mutating func remove(_ destination: IPv4Network) -> Route? {
        let removed = routes.removeValue(forKey: destination)
        if removed != nil { rebuild() }
        return removed
    }

    private mutating func rebuild() {
        var size = 16
        while size < routes.count * 2 { size *= 2 }
        if size != mask + 1 {
            slots.deallocate()
            slots = .allocate(capacity: size)
            mask = size - 1
        }
        slots.initialize(repeating: .empty, count: size)
        lengths = 0
        for route in routes.values {
            let length = route.destination.prefixLength
            lengths |= 1 << UInt64(length)
            let key = UInt64(route.destination.address.rawValue) << 32 | UInt64(length + 1)
            var position = Self.home(of: key) & mask
            while slots[position].key != 0 { position = (position + 1) & mask }
            slots[position] = Slot(
                key: key, gateway: route.gateway ?? .any, hasGateway: route.gateway != nil, port: route.port)
        }
    }

    @inlinable static func mask(_ length: Int) -> UInt32 { UInt32.max << UInt32(truncatingIfNeeded: 32 &- length) }

    @inlinable static func home(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}
