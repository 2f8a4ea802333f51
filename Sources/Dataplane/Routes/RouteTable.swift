public import Wire

/// Routes to IPv4 networks.
public typealias RouteTable = IPRouteTable<IPv4>
/// Routes to IPv6 networks.
public typealias IPv6RouteTable = IPRouteTable<IPv6>

/// Routes of one family, the longest matching prefix first.
///
/// One hash table for all prefixes and a list of the prefix lengths in use: a lookup makes one probe for each length
/// that the table really has, longest first, so a table of connected networks and a default route needs two.
/// Changes allocate; lookups do not.
///
/// A network may have several ways of equal cost. Each flow keeps to one of them, chosen by the hash of its five-tuple,
/// as long as the ways stay the same (RFC 2992, hash mod n).
public struct IPRouteTable<Family: AddressFamily>: ~Copyable {
    public typealias Address = Family.Address
    @usableFromInline struct Slot: BitwiseCopyable {
        @usableFromInline var prefix: Address
        @usableFromInline var gateway: Address
        /// Prefix length + 1; 0 for an empty slot.
        @usableFromInline var length: UInt8
        @usableFromInline var hasGateway: Bool
        @usableFromInline var port: PortIndex
        /// Where there is more than one way: how many, and the place of the first in `ways`.
        @usableFromInline var wayCount: UInt16 = 1
        @usableFromInline var firstWay: UInt32 = 0

        @usableFromInline static var empty: Slot {
            Slot(prefix: .any, gateway: .any, length: 0, hasGateway: false, port: 0)
        }

        @usableFromInline init(prefix: Address, gateway: Address, length: UInt8, hasGateway: Bool, port: PortIndex) {
            self.prefix = prefix
            self.gateway = gateway
            self.length = length
            self.hasGateway = hasGateway
            self.port = port
        }
    }

    /// Prefix lengths in use, longest first; room for each that the family has.
    @usableFromInline let lengths: UnsafeMutablePointer<UInt8>
    @usableFromInline var lengthCount = 0
    @usableFromInline var mask: Int
    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    /// The ways of networks that have several, one network's after the other.
    @usableFromInline var ways: UnsafeMutablePointer<IPNextHop<Family>>
    private var routes: [Address.Network: [IPRoute<Family>]] = [:]

    public init() {
        ways = .allocate(capacity: 1)
        lengths = .allocate(capacity: Address.bitCount + 1)
        mask = 15
        slots = .allocate(capacity: 16)
        slots.initialize(repeating: .empty, count: 16)
    }

    deinit {
        lengths.deallocate()
        slots.deallocate()
        ways.deallocate()
    }

    /// Networks, however many ways they have.
    public var count: Int { routes.count }

    /// Every route, longest prefixes first.
    public var all: [IPRoute<Family>] {
        routes.values.joined().sorted {
            ($1.destination.prefixLength, $0.destination.address) < (
                $0.destination.prefixLength, $1.destination.address
            )
        }
    }

    /// The way to an address, of several the first; nil where no route leads there.
    /// - Complexity: one probe for each prefix length in use
    @inlinable
    public func lookup(_ destination: Address) -> IPNextHop<Family>? {
        guard let slot = find(destination) else { return nil }
        return IPNextHop(port: slot.pointee.port, address: slot.pointee.hasGateway ? slot.pointee.gateway : destination)
    }

    /// The way to an address that a flow takes, of several always the same; nil where no route leads there.
    /// - Complexity: one probe for each prefix length in use
    @inlinable
    public func lookup(_ destination: Address, for flow: FlowKey<Family>) -> IPNextHop<Family>? {
        guard let slot = find(destination) else { return nil }
        if slot.pointee.wayCount > 1 {
            // Multiplied instead of divided: the hash's upper bits choose, evenly. The result is below `wayCount`.
            let hash = UInt64(flow.flowHash(seed: 0))
            let way = Int(truncatingIfNeeded: (hash &* UInt64(slot.pointee.wayCount)) >> 32)
            return ways[Int(slot.pointee.firstWay) &+ way]
        }
        return IPNextHop(port: slot.pointee.port, address: slot.pointee.hasGateway ? slot.pointee.gateway : destination)
    }

    @inlinable
    func find(_ destination: Address) -> UnsafeMutablePointer<Slot>? {
        for index in 0..<lengthCount {
            let length = Int(lengths[index])
            let prefix = destination.masked(length)
            var position = Self.home(of: prefix, length) & mask
            while true {
                // position ≤ mask, and there are mask + 1 slots; at least half are empty, so the loop ends.
                let slot = slots + position
                if slot.pointee.length == 0 { break }
                if Int(slot.pointee.length) == length &+ 1, slot.pointee.prefix == prefix { return slot }
                position = (position &+ 1) & mask
            }
        }
        return nil
    }

    /// Adds a route, in place of others to the same network.
    public mutating func insert(_ route: IPRoute<Family>) {
        routes[route.destination] = [route]
        rebuild()
    }

    /// Has these routes alone from now on. Several to one network are ways of equal cost; one that occurs twice gets
    /// twice the flows.
    public mutating func replaceAll(with new: [IPRoute<Family>]) {
        routes = Dictionary(grouping: new, by: \.destination)
        rebuild()
    }

    /// Removes the route to a network.
    /// - Returns: the route, or nil where there was none
    @discardableResult
    public mutating func remove(_ destination: Address.Network) -> IPRoute<Family>? {
        let removed = routes.removeValue(forKey: destination)
        if removed != nil { rebuild() }
        return removed?.first
    }

    /// Each gateway of a route once, in the order of addresses.
    public private(set) var gateways: [IPNextHop<Family>] = []

    private mutating func rebuild() {
        let hops = routes.values.joined().compactMap { way in
            way.gateway.map { IPNextHop<Family>(port: way.port, address: $0) }
        }
        gateways = Set(hops).sorted { ($0.port, $0.address.universal) < ($1.port, $1.address.universal) }
        var size = 16
        while size < routes.count * 2 { size *= 2 }
        if size != mask + 1 {
            slots.deallocate()
            slots = .allocate(capacity: size)
            mask = size - 1
        }
        slots.initialize(repeating: .empty, count: size)
        let used = Set(routes.keys.map(\.prefixLength)).sorted(by: >)
        for (index, length) in used.enumerated() { lengths[index] = UInt8(length) }
        lengthCount = used.count
        let several = routes.values.filter { $0.count > 1 }
        ways.deallocate()
        ways = .allocate(capacity: max(1, several.reduce(0) { $0 + $1.count }))
        var wayCount = 0
        for group in routes.values {
            // A network without a route is no key of the dictionary.
            let route = group[0]
            let (prefix, length) = (route.destination.address, route.destination.prefixLength)
            var position = Self.home(of: prefix, length) & mask
            while slots[position].length != 0 { position = (position + 1) & mask }
            slots[position] = Slot(
                prefix: prefix, gateway: route.gateway ?? .any, length: UInt8(length + 1),
                hasGateway: route.gateway != nil, port: route.port)
            // Ways are gateways: a connected network has one by nature.
            let hops = group.compactMap { way in way.gateway.map { IPNextHop<Family>(port: way.port, address: $0) } }
            guard hops.count > 1 else { continue }
            slots[position].wayCount = UInt16(clamping: hops.count)
            slots[position].firstWay = UInt32(wayCount)
            for hop in hops {
                (ways + wayCount).initialize(to: hop)
                wayCount += 1
            }
        }
    }

    @inlinable static func home(of prefix: Address, _ length: Int) -> Int {
        let key = prefix.universal
        let mixed = (key.high ^ UInt64(truncatingIfNeeded: length)) &* 0x9E37_79B9_7F4A_7C15 ^ key.low
        return Int(truncatingIfNeeded: (mixed &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}
