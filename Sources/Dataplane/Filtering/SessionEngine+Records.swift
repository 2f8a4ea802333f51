public import LabTime
public import Mutants
public import Wire

// Sessions as a peer needs them. Which records are to be sent, and when, is not the engine's to know.
extension SessionEngine {
    /// - Precondition: the session is in the table
    @inlinable
    package func record(of index: FlowIndex, at now: Instant) -> SessionRecord<Family> {
        let session = table[index]
        let remaining = (table.expiry(of: index) - now).nanoseconds / 1_000_000
        var record = SessionRecord<Family>(
            flow: table.original(of: index), originatorState: session.state.original.rawValue,
            responderState: session.state.reply.rawValue, flags: session.state.reply == .closed ? [] : .answered,
            rule: session.rule.rawValue, remainingMilliseconds: UInt32(clamping: max(0, remaining)))
        if session.isExpected { record.flags.insert(.pinhole) }
        if nat.isOfFormerPool(session) { record.flags.insert(.formerPool) }
        record.outgoing = outgoing(of: index, arrivedAs: record.flow)
        if Mutant.isOn(.tellsWrongMapping) { record.translatedSourcePort ^= 1 }
        if session.application != .unseen {
            record.flags.insert(.inspected)
            record.application = session.application.rawValue
            record.category = session.category
        }
        return record
    }

    /// What was learned of a session since it was opened.
    /// - Precondition: the session is in the table
    @inlinable
    package func metadata(of index: FlowIndex) -> MetadataRecord<Family> {
        let session = table[index]
        return MetadataRecord(
            flow: table.original(of: index), application: session.application.rawValue, category: session.category,
            rule: session.rule.rawValue)
    }

    /// What a control connection has announced; nil for another session, and where its connection has come.
    /// - Precondition: the session is in the table
    @inlinable
    package func pinholeRecord(of index: FlowIndex, at now: Instant) -> PinholeRecord<Family>? {
        table[index].isControl ? gateways.record(ofControl: table.original(of: index), at: now) : nil
    }

    /// Whether a peer is to know the session.
    @inlinable package func isReplicated(_ index: FlowIndex) -> Bool { !table[index].isBlocked }

    // MARK: Prefetching

    @inlinable package var isWorthPrefetching: Bool { table.isWorthPrefetching }

    /// A packet of this flow will be evaluated soon.
    @inlinable
    package func prefetch(_ flow: FlowKey<Family>) {
        table.prefetch(flow)
        // What an untranslated session's first packet is entered under as well.
        if !nat.isActive { table.prefetch(flow.reversed) }
    }

    /// This session of the peer will be adopted soon.
    @inlinable
    package func prefetch(_ record: SessionRecord<Family>) {
        table.prefetch(record.flow)
        table.prefetch(record.outgoing.reversed)
    }
}

extension SessionRecord {
    /// The states of both sides; nil where a number is none of this version's.
    @inlinable
    public var sessionState: SessionState? {
        guard let original = SideState(rawValue: originatorState), let reply = SideState(rawValue: responderState)
        else {
            return nil
        }
        return SessionState(original: original, reply: reply)
    }

    /// How the originator's packets leave the box: `flow` with the translated addresses and ports.
    @inlinable
    public var outgoing: FlowKey<Family> {
        get {
            var outgoing = flow
            if flags.contains(.sourceTranslated) {
                outgoing.source = translatedSource
                outgoing.sourcePort = translatedSourcePort
            }
            if flags.contains(.destinationTranslated) {
                outgoing.destination = translatedDestination
                outgoing.destinationPort = translatedDestinationPort
            }
            if outgoing.protocol == Family.controlProtocol, flags.contains(.sourceTranslated) {
                outgoing.destinationPort = translatedSourcePort
            }
            return outgoing
        }
        set {
            flags.remove([.sourceTranslated, .destinationTranslated])
            if newValue.source != flow.source || newValue.sourcePort != flow.sourcePort {
                flags.insert(.sourceTranslated)
                translatedSource = newValue.source
                translatedSourcePort = newValue.sourcePort
            }
            let isQuery = flow.protocol == Family.controlProtocol
            if newValue.destination != flow.destination || !isQuery && newValue.destinationPort != flow.destinationPort
            {
                flags.insert(.destinationTranslated)
                translatedDestination = newValue.destination
                translatedDestinationPort = newValue.destinationPort
            }
        }
    }
}
