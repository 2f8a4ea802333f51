public import LabTime
public import Wire

/// Which pool a new session's source is translated from.
@usableFromInline
enum TranslationChoice {
    case byRules
    case pool(Int)
    case none
}

/// What a packet that would open a session leaves as.
@usableFromInline
enum TranslationOpening<Family: AddressFamily> {
    case outgoing(FlowKey<Family>)
    /// The mapping that it is for does not let it in yet; that it was sent lets answers in here.
    case blocked(FlowKey<Family>)
    case refused(DropReason)
}

// What sessions are to the translator: each uses up to two mappings.
extension SourceNAT {
    /// The flow with the inside destination in place of an external one that stands for it.
    @inlinable
    func insideDestination(of flow: FlowKey<Family>) -> FlowKey<Family> {
        guard isActive,
            let index = binding(ofExternal: NATEndpoint(flow.destination, flow.destinationPort), flow.protocol)
        else { return flow }
        return flow.replacingDestination(self[index].inside)
    }

    /// Chooses the mappings of a new session. They are the caller's to `use` or to `abandon`.
    /// - Parameter table: the session will stand there
    @inlinable
    mutating func translate(
        opening flow: FlowKey<Family>, _ session: inout Session, from choice: TranslationChoice,
        beside table: borrowing SessionTable<Family>, at now: Instant
    ) -> TranslationOpening<Family> {
        guard isActive else { return .outgoing(flow) }
        var outgoing = flow
        let pool: Int? =
            switch choice {
            case .byRules: pool(for: flow)
            case .pool(let pool): pool
            case .none: nil
            }
        if let pool {
            guard
                let index = mapping(
                    of: NATEndpoint(flow.source, flow.sourcePort), flow.protocol, pool: pool, at: now)
            else { return .refused(isFull ? .flowTableFull : .translationPortsExhausted) }
            session.source = index
            outgoing = outgoing.replacingSource(self[index].external)
        }
        if isExternal(flow.destination) {
            switch admit(flow, as: outgoing, beside: table) {
            case .admitted(let index):
                session.destination = index
                outgoing = outgoing.replacingDestination(self[index].inside)
            case .refused(.mappingFilter) where !session.source.isNone:
                session.isTranslated = true
                session.isBlocked = true
                return .blocked(outgoing)
            case .refused(let reason):
                abandon(session)
                return .refused(reason)
            }
        }
        session.isTranslated = outgoing != flow
        return .outgoing(outgoing)
    }

    /// Whether a packet for an external endpoint gets through: by the pool's filtering, or because the inside behind it
    /// has sent to where it comes from.
    @inlinable
    func admit(_ flow: FlowKey<Family>, as outgoing: FlowKey<Family>, beside table: borrowing SessionTable<Family>)
        -> Admission
    {
        if let match = table.find(outgoing), table[match.index].isBlocked,
            let binding = binding(ofExternal: NATEndpoint(flow.destination, flow.destinationPort), flow.protocol)
        {
            return .admitted(binding)
        }
        return admit(flow, from: outgoing.source)
    }

    // MARK: Users of mappings

    /// The session is in the table: its mappings last at least as long.
    /// - Parameter remote: where its first packet goes, as that arrived
    @inlinable
    mutating func use(_ session: Session, to remote: Family.Address, at now: Instant) {
        guard session.isTranslated else { return }
        retain(session.source)
        retain(session.destination)
        contact(session.source, remote, ends: false, at: now)
    }

    /// The session did not come to be.
    @inlinable
    mutating func abandon(_ session: Session) {
        endIfUnused(session.source)
        endIfUnused(session.destination)
    }

    /// The session leaves the table.
    @inlinable
    mutating func release(_ session: Session, to remote: Family.Address) {
        contact(session.source, remote, ends: true, at: Instant(nanoseconds: 0))
        release(session.source)
        release(session.destination)
    }

    // MARK: Pools that are gone

    /// Whether a mapping of the session is retired, and its peer may keep it all the same.
    @inlinable
    func isOfFormerPool(_ session: Session) -> Bool {
        guard retiredCount > 0 else { return false }
        return isOfFormerPool(session.source) || isOfFormerPool(session.destination)
    }

    @inlinable
    func isOfFormerPool(_ index: NATBindingIndex) -> Bool {
        !index.isNone && self[index].isRetired && !machineAddresses.contains(self[index].external.address)
    }
}

extension FlowKey {
    /// ICMP queries have their identifier in both places.
    @inlinable
    func replacingSource(_ endpoint: NATEndpoint<Family>) -> FlowKey<Family> {
        var flow = self
        flow.source = endpoint.address
        flow.sourcePort = endpoint.port
        if flow.protocol == Family.controlProtocol { flow.destinationPort = endpoint.port }
        return flow
    }

    @inlinable
    func replacingDestination(_ endpoint: NATEndpoint<Family>) -> FlowKey<Family> {
        var flow = self
        flow.destination = endpoint.address
        flow.destinationPort = endpoint.port
        if flow.protocol == Family.controlProtocol { flow.sourcePort = endpoint.port }
        return flow
    }
}
