public import Wire

// Pools that change while sessions use them. A mapping keeps its external endpoint as long as it has users, whatever
// becomes of its pool:
//
//   its pool still has the endpoint      it goes on as before, and takes new sessions
//   its pool is gone, or has shrunk      retired: it serves the sessions that it has, and takes no new ones
//   the pool comes back with it          it goes on as before
//
// An endpoint of a retired mapping is taken in every pool that has it meanwhile, so it is given to nobody else.
extension SourceNAT {
    /// Puts other pools and rules into effect.
    /// - Parameters:
    ///   - former: earlier forms of pools, from which the peer may grant until it has the new ones; its mappings there
    ///     are known here, and nothing is granted from them
    ///   - rules: each names one of the pools or none
    /// - Complexity: O(mappings + addresses); ports of addresses that stay are not touched
    public mutating func replace(
        pools: [IPNATPool<Family>], former: [IPNATPool<Family>] = [], rules: [IPNATRule<Family>]
    ) {
        if !(pools.isEmpty && former.isEmpty), bindings.capacity < capacity {
            // Nothing was ever translated.
            bindings = IPFlowTable(capacity: capacity)
        }
        if contacts.capacity < capacity, pools.contains(where: { $0.filtering == .addressDependent }) {
            contacts = IPFlowTable(capacity: capacity)
        }
        enter(pools, former)
        self.rules = rules.map { rule in
            let pool = entries.firstIndex { $0.isLive && $0.pool.name == rule.pool }
            precondition(rule.pool == nil || pool != nil, "a rule names a pool that does not exist")
            return (rule, pool)
        }
        buildPlaces()
        settleMappings()
        sortAddresses()
    }

    /// Gives each pool its number: the one that it had, or a free one.
    private mutating func enter(_ pools: [IPNATPool<Family>], _ former: [IPNATPool<Family>]) {
        for index in entries.indices { (entries[index].isLive, entries[index].isFormer) = (false, false) }
        self.pools = pools
        for pool in pools {
            let index = number(of: pool)
            entries[index].pool = pool
            entries[index].isLive = true
        }
        self.former = former.map { definition in
            let index = number(of: definition)
            entries[index].isFormer = true
            return (index, definition)
        }
    }

    /// The number of a pool of that name, or a free one.
    @usableFromInline
    mutating func number(of pool: IPNATPool<Family>) -> Int {
        func isInUse(_ entry: PoolEntry) -> Bool { entry.isLive || entry.isFormer || entry.mappings > 0 }
        if let index = entries.firstIndex(where: { isInUse($0) && $0.pool.name == pool.name }) { return index }
        if let index = entries.firstIndex(where: { !isInUse($0) }) {
            entries[index] = PoolEntry(pool: pool)
            return index
        }
        entries.append(PoolEntry(pool: pool))
        return entries.count - 1
    }

    private struct PlaceKey: Hashable {
        var address: Family.Address
        var range: ClosedRange<UInt16>
    }

    /// Lays out the addresses of all pools; one that was there with the same ports keeps what is taken of them.
    private mutating func buildPlaces() {
        let (oldPlaces, oldPorts) = (places, ports)
        places = []
        placeOfAddress = [:]
        hasOverlaps = false
        for (index, entry) in entries.enumerated() where entry.isLive {
            entries[index].firstPlace = places.count
            for address in entry.pool.addresses {
                let next = placeOfAddress[address]
                var other = next
                while let place = other {
                    if places[place].range.overlaps(entry.pool.ports) { hasOverlaps = true }
                    other = places[place].next
                }
                places.append(Place(address: address, pool: index, range: entry.pool.ports, next: next))
                placeOfAddress[address] = places.count - 1
            }
        }
        ports = .allocate(capacity: max(1, places.count * 3))
        var old: [PlaceKey: Int] = [:]
        for (index, place) in oldPlaces.enumerated() {
            old[PlaceKey(address: place.address, range: place.range)] = index
        }
        var isMoved = [Bool](repeating: false, count: oldPlaces.count)
        for (index, place) in places.enumerated() {
            if let found = old.removeValue(forKey: PlaceKey(address: place.address, range: place.range)) {
                (ports + index * 3).moveInitialize(from: oldPorts + found * 3, count: 3)
                isMoved[found] = true
            } else {
                for proto in 0..<3 {
                    (ports + index * 3 + proto).initialize(to: TranslationPorts(range: place.range))
                }
            }
        }
        for index in oldPlaces.indices where !isMoved[index] { (oldPorts + index * 3).deinitialize(count: 3) }
        oldPorts.deallocate()
    }

    /// Finds each mapping's place anew, and takes its port everywhere.
    private mutating func settleMappings() {
        retired = [:]
        retiredCount = 0
        var next = bindings.next(after: nil)
        while let index = next {
            next = bindings.next(after: index)
            var binding = bindings[index]
            let isPeers = entries[Int(binding.pool)].pool.name == SourceNAT.unnamed.name
            let place =
                isPeers
                ? self.place(of: binding.external, binding.protocol)
                : self.place(of: binding.external, binding.protocol, in: Int(binding.pool))
            if isPeers, let place {
                // Its pool's name was never told: it is of the one that has its endpoint now.
                entries[Int(binding.pool)].mappings -= 1
                binding.pool = Int32(places[place].pool)
                entries[places[place].pool].mappings += 1
                bindings[index].pool = binding.pool
            }
            let insideKey = FlowKey<Family>.natInside(binding.inside, binding.protocol, pool: Int(binding.pool))
            let externalKey = FlowKey<Family>.natExternal(binding.external, binding.protocol)
            if place == nil, bindings.original(of: index) != externalKey {
                // New sessions of the inside endpoint get another.
                bindings.rename(index, original: externalKey, reply: nil)
            } else if place != nil, binding.isRetired, bindings.find(insideKey) == nil {
                bindings.rename(index, original: insideKey, reply: externalKey)
            }
            bindings[index].place = Int32(place ?? -1)
            if place == nil {
                retired[binding.external.address, default: 0] += 1
                retiredCount += 1
            }
            mark(binding.external, binding.protocol)
        }
    }

    /// The place of a pool that has an endpoint.
    private func place(of external: NATEndpoint<Family>, _ proto: IPProtocol, in pool: Int) -> Int? {
        var place = placeOfAddress[external.address]
        while let candidate = place {
            if places[candidate].pool == pool,
                Self.allocator(proto) == nil || places[candidate].range.contains(external.port)
            {
                return candidate
            }
            place = places[candidate].next
        }
        return nil
    }

    // MARK: Addresses

    @usableFromInline
    mutating func sortAddresses() {
        let new = Set(placeOfAddress.keys).union(retired.keys).sorted()
        guard new != addresses else { return }
        addresses = new
        addressChanges &+= 1
    }

    /// A mapping without a place was learned of.
    @usableFromInline
    mutating func noteRetired(on address: Family.Address) {
        retiredCount += 1
        retired[address, default: 0] += 1
        if !isExternal(address) { sortAddresses() }
    }

    /// A mapping without a place is over.
    @usableFromInline
    mutating func forgetRetired(on address: Family.Address) {
        retiredCount -= 1
        guard let count = retired[address] else { return }
        guard count == 1 else {
            retired[address] = count - 1
            return
        }
        retired.removeValue(forKey: address)
        if placeOfAddress[address] == nil { sortAddresses() }
    }

    // MARK: Contacts

    /// Whether any pool filters by address, now or where mappings outlive one.
    @usableFromInline
    var filtersByAddress: Bool {
        entries.contains { ($0.isLive || $0.mappings > 0) && $0.pool.filtering == .addressDependent }
    }

    /// All are counted anew.
    @usableFromInline
    mutating func forgetContacts() { contacts = IPFlowTable(capacity: contacts.capacity) }
}
