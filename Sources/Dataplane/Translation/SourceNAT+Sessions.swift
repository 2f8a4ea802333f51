import LabTime
import Wire

/// Which pool a new session's source is translated from.
enum TranslationChoice {
    case byRules
    case pool(Int)
    case none
}

/// What a packet that would open a session leaves as.
enum TranslationOpening {
    case outgoing(FiveTuple)
    /// The mapping that it is for does not let it in yet; that it was sent lets answers in here.
    case blocked(FiveTuple)
    case refused(DropReason)
}

// What sessions are to the translator: each uses up to two mappings.
extension SourceNAT {
    /// The flow with the inside destination in place of an external one that stands for it.
    func insideDestination(of flow: FiveTuple) -> FiveTuple {
        guard isActive,
            let index = binding(ofExternal: NATEndpoint(flow.destination, flow.destinationPort), flow.protocol)
        else { return flow }
        return flow.replacingDestination(self[index].inside)
    }

    /// Chooses the mappings of a new session. They are the caller's to `use` or to `abandon`.
    /// - Parameter table: the session will stand there
    mutating func translate(
        opening flow: FiveTuple, _ session: inout Session, from choice: TranslationChoice,
        beside table: borrowing SessionTable, at now: Instant
    ) -> TranslationOpening {
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
    private func admit(_ flow: FiveTuple, as outgoing: FiveTuple, beside table: borrowing SessionTable) -> Admission {
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
    mutating func use(_ session: Session, to remote: IPv4Address, at now: Instant) {
        guard session.isTranslated else { return }
        retain(session.source)
        retain(session.destination)
        contact(session.source, remote, ends: false, at: now)
    }

    /// The session did not come to be.
    mutating func abandon(_ session: Session) {
        endIfUnused(session.source)
        endIfUnused(session.destination)
    }

    /// The session leaves the table.
    mutating func release(_ session: Session, to remote: IPv4Address) {
        contact(session.source, remote, ends: true, at: Instant(nanoseconds: 0))
        release(session.source)
        release(session.destination)
    }

    // MARK: Pools that are gone

    /// Whether a mapping of the session is retired, and its peer may keep it all the same.
    func isOfFormerPool(_ session: Session) -> Bool {
        guard retiredCount > 0 else { return false }
        return isOfFormerPool(session.source) || isOfFormerPool(session.destination)
    }

    private func isOfFormerPool(_ index: NATBindingIndex) -> Bool {
        !index.isNone && self[index].isRetired && !machineAddresses.contains(self[index].external.address)
    }
}

extension FiveTuple {
    /// ICMP queries have their identifier in both places.
    fileprivate func replacingSource(_ endpoint: NATEndpoint) -> FiveTuple {
        var flow = self
        flow.source = endpoint.address
        flow.sourcePort = endpoint.port
        if flow.protocol == .icmp { flow.destinationPort = endpoint.port }
        return flow
    }

    fileprivate func replacingDestination(_ endpoint: NATEndpoint) -> FiveTuple {
        var flow = self
        flow.destination = endpoint.address
        flow.destinationPort = endpoint.port
        if flow.protocol == .icmp { flow.sourcePort = endpoint.port }
        return flow
    }
}
