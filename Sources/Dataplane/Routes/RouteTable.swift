public import Wire

/// Routes to IPv4 networks.
public typealias RouteTable = IPRouteTable<IPv4Address>
/// Routes to IPv6 networks.
public typealias IPv6RouteTable = IPRouteTable<IPv6Address>

/// Routes of one family, the longest matching prefix first.
///
/// One hash table for all prefixes and a list of the prefix lengths in use: a lookup makes one probe for each length
/// that the table really has, longest first, so a table of connected networks and a default route needs two.
/// Changes allocate; lookups do not.
public struct IPRouteTable<Address: InternetAddress>: ~Copyable {
    @usableFromInline struct Slot: BitwiseCopyable {
        @usableFromInline var prefix: Address
        @usableFromInline var gateway: Address
        /// Prefix length + 1; 0 for an empty slot.
        @usableFromInline var length: UInt8
        @usableFromInline var hasGateway: Bool
        @usableFromInline var port: PortIndex

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
    private var routes: [Address.Network: IPRoute<Address>] = [:]

    public init() {
        lengths = .allocate(capacity: Address.bitCount + 1)
        mask = 15
        slots = .allocate(capacity: 16)
        slots.initialize(repeating: .empty, count: 16)
    }

    deinit {
        lengths.deallocate()
        slots.deallocate()
    }

    public var count: Int { routes.count }

    /// Every route, longest prefixes first.
    public var all: [IPRoute<Address>] {
        routes.values.sorted {
            ($1.destination.prefixLength, $0.destination.address) < (
                $0.destination.prefixLength, $1.destination.address
            )
        }
    }

    /// The way to an address; nil where no route leads there.
    /// - Complexity: one probe for each prefix length in use
    @inlinable
    public func lookup(_ destination: Address) -> IPNextHop<Address>? {
        for index in 0..<lengthCount {
            let length = Int(lengths[index])
            let prefix = destination.masked(length)
            var position = Self.home(of: prefix, length) & mask
            while true {
                // position ≤ mask, and there are mask + 1 slots; at least half are empty, so the loop ends.
                let slot = slots + position
                if slot.pointee.length == 0 { break }
                if Int(slot.pointee.length) == length &+ 1, slot.pointee.prefix == prefix {
                    return IPNextHop(
                        port: slot.pointee.port, address: slot.pointee.hasGateway ? slot.pointee.gateway : destination)
                }
                position = (position &+ 1) & mask
            }
        }
        return nil
    }

    /// Adds a route, in place of another one to the same network.
    public mutating func insert(_ route: IPRoute<Address>) {
        routes[route.destination] = route
        rebuild()
    }

    /// Removes the route to a network.
    /// - Returns: the route, or nil where there was none
    @discardableResult
    public mutating func remove(_ destination: Address.Network) -> IPRoute<Address>? {
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
        let used = Set(routes.keys.map(\.prefixLength)).sorted(by: >)
        for (index, length) in used.enumerated() { lengths[index] = UInt8(length) }
        lengthCount = used.count
        for route in routes.values {
            let (prefix, length) = (route.destination.address, route.destination.prefixLength)
            var position = Self.home(of: prefix, length) & mask
            while slots[position].length != 0 { position = (position + 1) & mask }
            slots[position] = Slot(
                prefix: prefix, gateway: route.gateway ?? .any, length: UInt8(length + 1),
                hasGateway: route.gateway != nil, port: route.port)
        }
    }

    @inlinable static func home(of prefix: Address, _ length: Int) -> Int {
        let key = prefix.universal
        let mixed = (key.high ^ UInt64(truncatingIfNeeded: length)) &* 0x9E37_79B9_7F4A_7C15 ^ key.low
        return Int(truncatingIfNeeded: (mixed &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}
