public import LabTime
public import Mutants
public import Wire

/// Source NAT: which external endpoint stands for which inside endpoint.
///
/// Endpoint-independent mapping: all sessions of one inside endpoint that use one pool share one external endpoint
/// (RFC 4787, REQ-1), and no external endpoint belongs to two (REQ-3; by construction, since a table finds each
/// binding by it). The port is the inside one where that is free (4.2.1), else one of the same parity (REQ-4), and
/// stays below 1024 if it was (REQ-3a). The sessions themselves, and so all that a packet of a known session needs,
/// are `SessionEngine`'s.
///
/// Capacity is fixed; a pool that has no port left refuses new mappings and keeps the existing ones.
public struct SourceNAT<Family: AddressFamily>: ~Copyable {
    /// An address of a pool; TCP, UDP and ICMP have their ports at `ports[3 × place …]`.
    @usableFromInline
    struct Place {
        @usableFromInline var address: Family.Address
        @usableFromInline var pool: Int
        @usableFromInline var range: ClosedRange<UInt16>
        /// Another place of the same address, in another pool.
        @usableFromInline var next: Int?
    }

    /// A pool and what became of it; its number stays while it is in effect or a mapping is of it.
    @usableFromInline
    struct PoolEntry {
        /// As it is, or was last.
        @usableFromInline var pool: IPNATPool<Family>
        /// Whether sessions are translated from it.
        @usableFromInline var isLive = false
        /// Whether the peer may still grant from an earlier form of it.
        @usableFromInline var isFormer = false
        @usableFromInline var firstPlace = 0
        @usableFromInline var mappings = 0
    }

    /// The most mappings.
    public let capacity: Int
    public let share: NATShare
    /// In effect; see `replace`.
    @usableFromInline package internal(set) var pools: [IPNATPool<Family>] = []
    @usableFromInline var entries: [PoolEntry] = []
    /// What the peer may still grant, though this box does not.
    @usableFromInline var former: [(pool: Int, definition: IPNATPool<Family>)] = []
    @usableFromInline var rules: [(rule: IPNATRule<Family>, pool: Int?)] = []
    @usableFromInline var places: [Place] = []
    /// Whether some endpoint is in two places, because pools follow each other.
    @usableFromInline var hasOverlaps = false
    @usableFromInline var placeOfAddress: [Family.Address: Int] = [:]
    /// How many mappings without a place there are on an address.
    @usableFromInline var retired: [Family.Address: Int] = [:]
    /// Mappings at the moment whose pool has their endpoint no longer.
    @usableFromInline package internal(set) var retiredCount = 0
    /// Addresses of pools, and of mappings that outlive theirs, in ascending order: asked about every packet for the box
    /// itself.
    @usableFromInline package internal(set) var addresses: [Family.Address] = []
    /// Grows with each change of `addresses`.
    @usableFromInline package internal(set) var addressChanges: UInt64 = 0
    @usableFromInline var ports: UnsafeMutablePointer<TranslationPorts>
    @usableFromInline var bindings: IPFlowTable<Family, NATBinding<Family>>
    /// How many sessions of an external endpoint go to an address, for pools that filter by address.
    @usableFromInline var contacts: IPFlowTable<Family, UInt32>
    /// The box's interfaces' own, and those of machines that it knows of: nobody keeps one of them for a mapping whose
    /// pool is gone.
    public var machineAddresses: [Family.Address] = []
    @usableFromInline package internal(set) var tally = NATTally<Family>()

    /// - Parameters:
    ///   - capacity: the most bindings
    ///   - share: which ports the box grants by itself
    /// - Precondition: each rule names one of the pools or none
    public init(pools: [IPNATPool<Family>], rules: [IPNATRule<Family>], capacity: Int, share: NATShare = .all) {
        self.capacity = capacity
        self.share = share
        ports = .allocate(capacity: 1)
        bindings = IPFlowTable(capacity: 1)
        contacts = IPFlowTable(capacity: 1)
        replace(pools: pools, rules: rules)
    }

    /// Translates nothing.
    public static var none: SourceNAT { SourceNAT(pools: [], rules: [], capacity: 1) }

    @inlinable
    deinit {
        ports.deinitialize(count: places.count * 3)
        ports.deallocate()
    }

    @inlinable public var isActive: Bool { !pools.isEmpty || bindings.count > 0 }

    /// Mappings at the moment.
    @inlinable public var count: Int { bindings.count }

    /// Whether there is no room for another mapping, whatever ports the pools have left.
    @inlinable var isFull: Bool { bindings.count >= bindings.capacity }

    /// Whether the address is one of a pool's, or of a mapping that outlives its pool.
    /// - Complexity: O(log addresses)
    @inlinable
    public func isExternal(_ address: Family.Address) -> Bool {
        var (low, high) = (0, addresses.count)
        while low < high {
            let middle = (low + high) / 2
            if addresses[middle] == address { return true }
            if addresses[middle] < address { low = middle + 1 } else { high = middle }
        }
        return false
    }

    /// - Precondition: the index is a binding's
    @inlinable public subscript(index: NATBindingIndex) -> NATBinding<Family> { bindings[index.flow] }

    /// The mapping that an external endpoint belongs to.
    @inlinable
    public func binding(ofExternal endpoint: NATEndpoint<Family>, _ proto: IPProtocol) -> NATBindingIndex? {
        bindings.find(.natExternal(endpoint, proto)).map { NATBindingIndex(rawValue: $0.index.rawValue) }
    }

    /// Every mapping, for people; off the hot path.
    public func allBindings() -> [NATBinding<Family>] {
        var all: [NATBinding<Family>] = []
        var index = bindings.next(after: nil)
        while let place = index {
            all.append(bindings[place])
            index = bindings.next(after: place)
        }
        return all
    }

    /// The pool of the binding's external endpoint, as it is or was last.
    @inlinable public func pool(of binding: NATBinding<Family>) -> IPNATPool<Family> { entries[Int(binding.pool)].pool }

    /// The pool that a mapping is of; nil where it is gone.
    @inlinable
    func poolIndex(of index: NATBindingIndex) -> Int? {
        let pool = Int(self[index].pool)
        return entries[pool].isLive ? pool : nil
    }

    // MARK: New sessions

    /// The pool that a session's first packet is to be translated from, by the rules; nil for none.
    @inlinable
    func pool(for flow: FlowKey<Family>) -> Int? {
        for entry in rules where entry.rule.matches(flow) { return entry.pool }
        return nil
    }

    /// The name of that pool.
    public func poolName(for flow: FlowKey<Family>) -> String? { pool(for: flow).map { entries[$0].pool.name } }

    /// The mapping of an inside endpoint: the one that it has, or a new one.
    /// - Returns: nil where the pool has no port left, or the table no room (`isFull`); nothing has changed then. The
    ///   caller retains what it gets.
    @inlinable
    mutating func mapping(of inside: NATEndpoint<Family>, _ proto: IPProtocol, pool: Int, at now: Instant)
        -> NATBindingIndex?
    {
        let inside = Mutant.isOn(.confusesMappings) ? NATEndpoint(inside.address, 4096) : inside
        let key = FlowKey<Family>.natInside(inside, proto, pool: pool)
        if let match = bindings.find(key) { return NATBindingIndex(rawValue: match.index.rawValue) }
        if isFull { return nil }
        let count = entries[pool].pool.addresses.count
        let preferred = Int(truncatingIfNeeded: inside.address.suffix % UInt64(count))
        for step in 0..<(entries[pool].pool.pooling == .paired ? 1 : count) {
            let place = entries[pool].firstPlace + (preferred + step) % count
            guard let external = grant(inside.port, proto, on: place) else { continue }
            if hasOverlaps { mark(external, proto) }
            let binding = NATBinding<Family>(
                protocol: proto, inside: inside, external: external, place: Int32(place), pool: Int32(pool))
            switch bindings.insert(
                original: key, reply: .natExternal(external, proto), value: binding, expires: .never, now: now)
            {
            case .inserted(let index):
                tally.granted &+= 1
                entries[pool].mappings += 1
                if external.port == inside.port { tally.preserved &+= 1 }
                return NATBindingIndex(rawValue: index.rawValue)
            case .conflict, .full:
                giveBack(external, proto)
            }
        }
        tally.exhausted &+= 1
        return nil
    }

    /// Takes an external endpoint for an inside port: the same port if it may, else one of its kind.
    @inlinable
    mutating func grant(_ inside: UInt16, _ proto: IPProtocol, on place: Int) -> NATEndpoint<Family>? {
        let address = places[place].address
        guard let allocator = Self.allocator(proto) else {
            // A protocol without ports: one inside address a time. The bindings' table tells whether it is taken.
            return bindings.find(.natExternal(NATEndpoint(address, 0), proto)) == nil ? NATEndpoint(address, 0) : nil
        }
        let taken = ports + place * 3 + allocator
        if share.pattern.allows(inside), inside != 0, taken.pointee.take(exactly: inside) {
            return NATEndpoint(address, inside)
        }
        if proto == Family.controlProtocol { return taken.pointee.take(share.pattern).map { NATEndpoint(address, $0) } }
        // Services that trust privileged ports expect them to stay so. Source: RFC 4787, REQ-3a
        let range = taken.pointee.range
        let kind: ClosedRange<UInt16> = inside < 1024 ? 1...1023 : 1024...65535
        let limits = kind.overlaps(range) ? kind : range
        let port =
            taken.pointee.take(share.pattern & .parity(of: inside), in: limits)
            ?? taken.pointee.take(share.pattern, in: limits)
        return port.map { NATEndpoint(address, $0) }
    }

    /// What became of a packet from outside that would open a session.
    @usableFromInline
    enum Admission {
        case admitted(NATBindingIndex)
        case refused(DropReason)
    }

    /// Whether a packet for an external endpoint may open a session, by the pool's filtering.
    /// - Parameter source: as the inside sees it: for a hairpinned packet the external address
    @inlinable
    func admit(_ flow: FlowKey<Family>, from source: Family.Address) -> Admission {
        let external = NATEndpoint<Family>(flow.destination, flow.destinationPort)
        // An ICMP query from outside is nobody's answer.
        guard flow.protocol != Family.controlProtocol, let index = binding(ofExternal: external, flow.protocol),
            !self[index].isRetired
        else { return .refused(.noMapping) }
        switch pool(of: self[index]).filtering {
        case .endpointIndependent: return .admitted(index)
        case .addressDependent:
            return contacts.find(.natContact(external, source, flow.protocol)) != nil
                ? .admitted(index) : .refused(.mappingFilter)
        case .addressAndPortDependent: return .refused(.mappingFilter)
        }
    }

    // MARK: Users of a mapping

    @inlinable
    mutating func retain(_ index: NATBindingIndex) {
        guard !index.isNone else { return }
        bindings[index.flow].users &+= 1
    }

    /// Keeps a new session's mappings over a step in which their last user may go.
    @inlinable
    mutating func hold(_ session: Session, ends: Bool) {
        for index in [session.source, session.destination] where !index.isNone {
            bindings[index.flow].users = ends ? bindings[index.flow].users &- 1 : bindings[index.flow].users &+ 1
        }
    }

    /// Ends the mapping with its last user.
    @inlinable
    mutating func release(_ index: NATBindingIndex) {
        guard !index.isNone else { return }
        bindings[index.flow].users &-= 1
        endIfUnused(index)
    }

    /// Ends a mapping that `mapping(of:)` made and nobody came to use.
    @inlinable
    mutating func endIfUnused(_ index: NATBindingIndex) {
        guard !index.isNone else { return }
        let binding = bindings[index.flow]
        guard binding.users == 0 else { return }
        if binding.isRetired || hasOverlaps {
            giveBack(binding.external, binding.protocol)
        } else if let allocator = Self.allocator(binding.protocol) {
            (ports + Int(binding.place) * 3 + allocator).pointee.release(binding.external.port)
        }
        entries[Int(binding.pool)].mappings -= 1
        if binding.isRetired { forgetRetired(on: binding.external.address) }
        bindings.remove(index.flow)
    }

    /// Frees a port in every place that has it.
    @inlinable
    mutating func giveBack(_ external: NATEndpoint<Family>, _ proto: IPProtocol) {
        guard let allocator = Self.allocator(proto) else { return }
        var place = placeOfAddress[external.address]
        while let index = place {
            (ports + index * 3 + allocator).pointee.release(external.port)
            place = places[index].next
        }
    }

    /// Takes a port in every place that has it.
    @inlinable
    mutating func mark(_ external: NATEndpoint<Family>, _ proto: IPProtocol) {
        guard let allocator = Self.allocator(proto) else { return }
        var place = placeOfAddress[external.address]
        while let index = place {
            _ = (ports + index * 3 + allocator).pointee.take(exactly: external.port)
            place = places[index].next
        }
    }

    /// Notes that a session of the mapping goes to an address, or no longer does.
    @inlinable
    mutating func contact(_ index: NATBindingIndex, _ remote: Family.Address, ends: Bool, at now: Instant) {
        guard !index.isNone else { return }
        let binding = bindings[index.flow]
        guard pool(of: binding).filtering == .addressDependent else { return }
        let key = FlowKey<Family>.natContact(binding.external, remote, binding.protocol)
        if let match = contacts.find(key) {
            if !ends {
                contacts[match.index] &+= 1
            } else if contacts[match.index] == 1 {
                contacts.remove(match.index)
            } else {
                contacts[match.index] &-= 1
            }
        } else if !ends {
            // Room for one a session: as many as there are sessions at most.
            _ = contacts.insert(original: key, reply: nil, value: 1, expires: .never, now: now)
        }
    }

    /// Which of a place's three allocators; nil for a protocol without ports.
    @inlinable
    static func allocator(_ proto: IPProtocol) -> Int? {
        switch proto {
        case .tcp: 0
        case .udp: 1
        case Family.controlProtocol: 2
        default: nil
        }
    }
}

/// What a translator counts.
public struct NATTally<Family: AddressFamily>: Hashable, Sendable {
    /// Mappings that were made here.
    public var granted: UInt64 = 0
    /// Of these, how many kept their port.
    public var preserved: UInt64 = 0
    /// Mappings that were refused because no port was left.
    public var exhausted: UInt64 = 0
    /// Mappings learned from the peer.
    public var adopted: UInt64 = 0
    /// Sessions of the peer whose external address is none of this box's: its own interface's, or a pool's that this
    /// box does not have.
    public var foreign: UInt64 = 0
    /// The last of their external endpoints.
    public var lastForeign: NATEndpoint<Family>?

    public init() {}
}
