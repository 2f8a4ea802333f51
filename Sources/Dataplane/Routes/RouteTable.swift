public import Wire

/// Routes, the longest matching prefix first.
///
/// One hash table for all prefixes and a bit for each prefix length in use: a lookup makes one probe for each length
/// that the table really has, longest first, so a table of connected networks and a default route needs two.
/// Changes allocate; lookups do not.
///
/// A network may have several ways of equal cost. Each flow keeps to one of them, chosen by the hash of its five-tuple,
/// as long as the ways stay the same (RFC 2992, hash mod n).
public struct RouteTable: ~Copyable {
    @usableFromInline struct Slot: BitwiseCopyable {
        /// Prefix in the upper half, prefix length + 1 below; 0 for an empty slot.
        @usableFromInline var key: UInt64
        @usableFromInline var gateway: IPv4Address
        @usableFromInline var hasGateway: Bool
        @usableFromInline var port: PortIndex
        /// Where there is more than one way: how many, and the place of the first in `ways`.
        @usableFromInline var wayCount: UInt16 = 1
        @usableFromInline var firstWay: UInt32 = 0

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
    /// The ways of networks that have several, one network's after the other.
    @usableFromInline var ways: UnsafeMutablePointer<NextHop>
    private var routes: [IPv4Network: [Route]] = [:]

    public init() {
        ways = .allocate(capacity: 1)
        mask = 15
        slots = .allocate(capacity: 16)
        slots.initialize(repeating: .empty, count: 16)
    }

    deinit {
        slots.deallocate()
        ways.deallocate()
    }

    /// Networks, however many ways they have.
    public var count: Int { routes.count }

    /// Every route, longest prefixes first.
    public var all: [Route] {
        routes.values.joined().sorted {
            ($1.destination.prefixLength, $0.destination.address) < ($0.destination.prefixLength, $1.destination.address)
        }
    }

    /// The way to an address, of several the first; nil where no route leads there.
    /// - Complexity: one probe for each prefix length in use
    @inlinable
    public func lookup(_ destination: IPv4Address) -> NextHop? {
        guard let slot = find(destination) else { return nil }
        return NextHop(port: slot.pointee.port, address: slot.pointee.hasGateway ? slot.pointee.gateway : destination)
    }

    /// The way to an address that a flow takes, of several always the same; nil where no route leads there.
    /// - Complexity: one probe for each prefix length in use
    @inlinable
    public func lookup(_ destination: IPv4Address, for flow: FiveTuple) -> NextHop? {
        guard let slot = find(destination) else { return nil }
        if slot.pointee.wayCount > 1 {
            // Multiplied instead of divided: the hash's upper bits choose, evenly. The result is below `wayCount`.
            let hash = UInt64(flow.flowHash(seed: 0))
            let way = Int(truncatingIfNeeded: (hash &* UInt64(slot.pointee.wayCount)) >> 32)
            return ways[Int(slot.pointee.firstWay) &+ way]
        }
        return NextHop(port: slot.pointee.port, address: slot.pointee.hasGateway ? slot.pointee.gateway : destination)
    }

    @inlinable
    func find(_ destination: IPv4Address) -> UnsafeMutablePointer<Slot>? {
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
                if slot.pointee.key == key { return slot }
                if slot.pointee.key == 0 { break }
                position = (position &+ 1) & mask
            }
        }
        return nil
    }

    /// Adds a route, in place of others to the same network.
    public mutating func insert(_ route: Route) {
        routes[route.destination] = [route]
        rebuild()
    }

    /// Has these routes alone from now on. Several to one network are ways of equal cost; one that occurs twice gets
    /// twice the flows.
    public mutating func replaceAll(with new: [Route]) {
        routes = Dictionary(grouping: new, by: \.destination)
        rebuild()
    }

    /// Removes the route to a network.
    /// - Returns: the route, or nil where there was none
    @discardableResult
    public mutating func remove(_ destination: IPv4Network) -> Route? {
        let removed = routes.removeValue(forKey: destination)
        if removed != nil { rebuild() }
        return removed?.first
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
        let several = routes.values.filter { $0.count > 1 }
        ways.deallocate()
        ways = .allocate(capacity: max(1, several.reduce(0) { $0 + $1.count }))
        var wayCount = 0
        for group in routes.values {
            // A network without a route is no key of the dictionary.
            let route = group[0]
            let length = route.destination.prefixLength
            lengths |= 1 << UInt64(length)
            let key = UInt64(route.destination.address.rawValue) << 32 | UInt64(length + 1)
            var position = Self.home(of: key) & mask
            while slots[position].key != 0 { position = (position + 1) & mask }
            slots[position] = Slot(
                key: key, gateway: route.gateway ?? .any, hasGateway: route.gateway != nil, port: route.port)
            // Ways are gateways: a connected network has one by nature.
            let hops = group.compactMap { way in way.gateway.map { NextHop(port: way.port, address: $0) } }
            guard hops.count > 1 else { continue }
            slots[position].wayCount = UInt16(clamping: hops.count)
            slots[position].firstWay = UInt32(wayCount)
            for hop in hops {
                (ways + wayCount).initialize(to: hop)
                wayCount += 1
            }
        }
    }

    @inlinable static func mask(_ length: Int) -> UInt32 { UInt32.max << UInt32(truncatingIfNeeded: 32 &- length) }

    @inlinable static func home(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}
