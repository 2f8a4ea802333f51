import Dataplane
import LabEvents
import LabTime
import Redundancy
import Wire

extension Firewall {
    /// What the peer sends on the cross-connect, but not the conduit's data frames; without one, its advertisements.
    public var controlChannel: ControlChannelFrames? {
        guard let settings = pairSettings else { return nil }
        guard let cross = settings.crossConnect else { return .packets(.vrrp) }
        return .datagrams(port: cross.port, to: SyncChannel.udpPort...PairSettings.configurationPort)
    }

    /// A datagram of the peer: of the session channel, or of the agreement on configurations.
    mutating func receiveMessage(
        _ frame: Frame, _ layout: FrameLayout, from cross: PairSettings.CrossConnect, at now: Instant,
        into output: inout FrameQueue
    ) {
        guard layout.hasTransportHeader, cross.isFromPeer(frame, layout) else {
            pair?.tally.count(.strangerMessage)
            return
        }
        let packet = UnsafeRawPointer(frame.base)
        let datagram = UnsafeRawBufferPointer(
            start: packet + Int(layout.transportOffset), count: Int(layout.endOffset - layout.transportOffset))
        do throws(WireError) {
            let udp = try UDPView(datagram)
            guard udp.isChecksumValid(source: cross.peerAddress, destination: cross.ownAddress) else {
                throw WireError(.udp, .wrongChecksum, found: Int(udp.checksum))
            }
            if udp.destinationPort == PairSettings.configurationPort {
                try receiveConfiguration(udp.payload, at: now, into: &output)
            } else {
                try receiveSync(udp.payload, at: now, into: &output)
            }
        } catch {
            refuseMessage(error, at: now, into: &output)
        }
    }

    /// A message of the session channel: heartbeat, records or acknowledgement.
    private mutating func receiveSync(
        _ payload: UnsafeRawBufferPointer, at now: Instant, into output: inout FrameQueue
    ) throws(WireError) {
        guard pair != nil else { return }
        let (unknownRules, foreign) = (pair!.journal.unknownRules, filter.nat.tally.foreign)
        let reception = try pair!.receive(payload, into: &filter, isActive: isForwarding, at: now)
        if pair!.journal.unknownRules > unknownRules { reportUnknownRule(at: now) }
        if filter.nat.tally.foreign > foreign { reportUnknownPool(at: now) }
        pair?.count(reception)
        if reception.acknowledged > 0, pair!.deferred.count > 0 { releaseDeferred(at: now, into: &output) }
        if reception.isHello {
            pair?.tally.count(.hello)
            // A later one of the same incarnation is answered by the next regular heartbeat.
            if reception.isFirstHello {
                pair?.election.receiveHello(at: now)
                carryOutElection(at: now, into: &output)
            }
        }
        if let epoch = reception.unconfirmedEpoch, pair?.answers(unconfirmed: epoch, at: now) == true {
            pair?.election.receiveHello(at: now)
            carryOutElection(at: now, into: &output)
        }
        if let statement = reception.statement {
            let isNew = pair!.election.receive(statement, startsOver: reception.startsOver, at: now)
            pair?.tally.count(isNew ? .heartbeatReceived : .heartbeatStale)
            carryOutElection(at: now, into: &output)
        }
        if reception.sentBulkCompleted {
            log.report(.syncComplete, at: now, [.direction: "sent", .sessions: String(filter.count)])
            pair?.election.resync(isUnderWay: false, at: now)
            carryOutElection(at: now, into: &output)
        }
        if reception.receivedBulkCompleted {
            log.report(.syncComplete, at: now, [.direction: "received", .sessions: String(filter.count)])
            pair?.election.sessionsComplete(at: now)
            carryOutElection(at: now, into: &output)
        }
    }

    // MARK: Refused messages

    /// A message that is malformed, or of a sender that is set otherwise than this box.
    private mutating func refuseMessage(_ error: WireError, at now: Instant, into output: inout FrameQueue) {
        pair?.tally.discardedMessages.count(error.reason)
        guard error.reason.isRefusal, let settings = pair?.settings else { return }
        if settings.key != nil, pair?.channel.knownPeerEpoch != 0 {
            // The peer has shown that it has the key.
            pair?.tally.count(.strangerMessage)
            if log.mayReport(.stranger, at: now) {
                log.report(.syncStranger, at: now, [.peer: settings.peer, .reason: Self.description(of: error)])
            }
            return
        }
        if log.mayReport(.refusal(error.reason), at: now) {
            log.report(.syncRefused, at: now, [.peer: settings.peer, .reason: Self.description(of: error)])
        }
        pair?.election.peerIsForeign(at: now)
        carryOutElection(at: now, into: &output)
    }

    private static func description(of error: WireError) -> String {
        error.reason == .wrongVersion
            ? "the peer speaks version \(error.found) of the protocol, this box version \(error.expected)"
            : "\(error)"
    }

    private mutating func reportUnknownRule(at now: Instant) {
        guard log.mayReport(.unknownRule, at: now) else { return }
        log.report(
            .syncRuleUnknown, at: now,
            [
                .peer: pair?.settings.peer ?? "",
                .reason: "the peer's sessions come from a rule that this box does not have",
            ])
    }

    /// The peer translates to an address that is in no pool here: should this box take over, answers for such sessions
    /// do not come to it.
    private mutating func reportUnknownPool(at now: Instant) {
        guard log.mayReport(.unknownPool, at: now) else { return }
        log.report(
            .syncPoolUnknown, at: now,
            [
                .peer: pair?.settings.peer ?? "",
                .external: filter.nat.tally.lastForeign.map { "\($0)" } ?? "",
                .reason: "the peer's sessions have an external address and port that no NAT pool of this box has",
            ])
    }
}

extension PairMember {
    fileprivate mutating func receive(
        _ payload: UnsafeRawBufferPointer, into filter: inout SessionEngine<IPv4>, isActive: Bool, at now: Instant
    ) throws(WireError) -> SyncReception {
        try channel.receive(
            payload, into: &filter, &journal, isActive: isActive, isPeerAlive: election.receivesHeartbeat, at: now)
    }

    fileprivate mutating func count(_ reception: SyncReception) {
        if reception.isDuplicate { tally.count(.messageRepeated) }
        tally.count(.recordsApplied, times: reception.applied)
        tally.count(.recordsRefused, times: reception.refused)
        tally.count(.recordsAcknowledged, times: reception.acknowledged)
    }
}

extension WireError.Reason {
    /// Reasons for which a whole, undamaged message is refused: its sender is set otherwise than this box.
    fileprivate var isRefusal: Bool {
        switch self {
        case .wrongVersion, .notAuthenticated, .unexpectedAuthenticator, .wrongAuthenticator: true
        default: false
        }
    }
}
