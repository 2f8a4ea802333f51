public import LabTime
public import Wire

extension SourceNAT {
    /// What became of a mapping that the peer told of.
    @usableFromInline
    enum Adoption {
        case adopted(NATBindingIndex)
        /// The external endpoint is no pool's of this box.
        case foreign
        /// This box knows the external endpoint as another inside endpoint's.
        case taken(NATBindingIndex)
        case full
    }

    /// Enters a mapping of the peer as it is; the caller retains it.
    ///
    /// An inside endpoint that has another mapping of the pool already (two boxes were Active at once) keeps that one
    /// for its new sessions, and this one for those that began with it.
    /// - Parameter isRetired: the peer says that no pool has the endpoint any more
    @inlinable
    mutating func adopt(
        inside: NATEndpoint<Family>, external: NATEndpoint<Family>, _ proto: IPProtocol, isRetired: Bool = false,
        at now: Instant
    ) -> Adoption {
        if let index = binding(ofExternal: external, proto) {
            return self[index].inside == inside ? .adopted(index) : .taken(index)
        }
        let place = place(of: external, proto)
        guard let pool = place.map({ places[$0].pool }) ?? formerPool(of: external, proto, isRetired) else {
            tally.foreign &+= 1
            tally.lastForeign = external
            return .foreign
        }
        let insideKey = FlowKey<Family>.natInside(inside, proto, pool: pool)
        let externalKey = FlowKey<Family>.natExternal(external, proto)
        let isAlone = place == nil || bindings.find(insideKey) != nil
        let binding = NATBinding(
            protocol: proto, inside: inside, external: external, place: Int32(place ?? -1), pool: Int32(pool))
        switch bindings.insert(
            original: isAlone ? externalKey : insideKey, reply: isAlone ? nil : externalKey, value: binding,
            expires: .never, now: now)
        {
        case .inserted(let index):
            mark(external, proto)
            entries[pool].mappings += 1
            if place == nil { noteRetired(on: external.address) }
            tally.adopted &+= 1
            return .adopted(NATBindingIndex(rawValue: index.rawValue))
        case .conflict, .full: return .full
        }
    }

    /// Stands for the pools of mappings that the peer alone knows the pool of. No pool that is configured is called so.
    @inlinable static var unnamed: IPNATPool<Family> { IPNATPool<Family>(name: "", addresses: []) }

    /// Whether a mapping of the peer with this endpoint could be adopted.
    @inlinable
    func knows(_ external: NATEndpoint<Family>, _ proto: IPProtocol) -> Bool {
        binding(ofExternal: external, proto) != nil || place(of: external, proto) != nil
            || former.contains { $0.definition.has(external, proto) }
    }

    /// The place whose pool has the endpoint.
    @inlinable
    func place(of external: NATEndpoint<Family>, _ proto: IPProtocol) -> Int? {
        var place = placeOfAddress[external.address]
        while let candidate = place {
            if Self.allocator(proto) == nil || places[candidate].range.contains(external.port) { return candidate }
            place = places[candidate].next
        }
        return nil
    }

    /// The pool that had the endpoint: by its earlier form here, or by the peer's word for one that is gone.
    @inlinable
    mutating func formerPool(of external: NATEndpoint<Family>, _ proto: IPProtocol, _ isRetired: Bool) -> Int? {
        if let found = former.first(where: { $0.definition.has(external, proto) }) { return found.pool }
        guard isRetired, !machineAddresses.contains(external.address) else { return nil }
        if bindings.capacity < capacity { bindings = IPFlowTable(capacity: capacity) }
        return number(of: Self.unnamed)
    }
}

extension IPNATPool {
    @inlinable
    func has(_ external: NATEndpoint<Family>, _ proto: IPProtocol) -> Bool {
        addresses.contains(external.address)
            && (SourceNAT<Family>.allocator(proto) == nil || ports.contains(external.port))
    }
}
