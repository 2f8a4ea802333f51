import LabTime
import Wire

extension SourceNAT {
    /// What became of a mapping that the peer told of.
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
    mutating func adopt(
        inside: NATEndpoint, external: NATEndpoint, _ proto: IPProtocol, at now: Instant
    ) -> Adoption {
        guard let place = place(of: external, proto) else {
            tally.foreign &+= 1
            return .foreign
        }
        if let index = binding(ofExternal: external, proto) {
            return self[index].inside == inside ? .adopted(index) : .taken(index)
        }
        let insideKey = FiveTuple.natInside(inside, proto, pool: places[place].pool)
        let externalKey = FiveTuple.natExternal(external, proto)
        let isSecond = bindings.find(insideKey) != nil
        let binding = NATBinding(protocol: proto, inside: inside, external: external, place: Int32(place), users: 0)
        switch bindings.insert(
            original: isSecond ? externalKey : insideKey, reply: isSecond ? nil : externalKey, value: binding,
            expires: .never, now: now)
        {
        case .inserted(let index):
            if let allocator = Self.allocator(proto) {
                _ = (ports + place * 3 + allocator).pointee.take(exactly: external.port)
            }
            tally.adopted &+= 1
            return .adopted(NATBindingIndex(rawValue: index.rawValue))
        case .conflict, .full: return .full
        }
    }

    /// The place whose pool has the endpoint.
    private func place(of external: NATEndpoint, _ proto: IPProtocol) -> Int? {
        var place = placeOfAddress[external.address]
        while let candidate = place {
            if Self.allocator(proto) == nil || pools[places[candidate].pool].ports.contains(external.port) {
                return candidate
            }
            place = places[candidate].next
        }
        return nil
    }
}
