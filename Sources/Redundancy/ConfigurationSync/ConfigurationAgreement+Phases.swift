import LabTime
import Wire

extension ConfigurationAgreement {
    /// Goes as far as what is known allows.
    mutating func proceed(at now: Instant) {
        while advancePhase(at: now) {}
    }

    /// - Returns: whether something changed
    private mutating func advancePhase(at now: Instant) -> Bool {
        switch phase {
        case .idle: advanceIdle()
        case .staged(let candidate, let until): advanceStaged(candidate, until: until, at: now)
        case .agreed(let candidate, _): advanceAgreed(candidate, at: now)
        case .added(let candidate): advanceAdded(candidate, at: now)
        case .active(let candidate): advanceActive(candidate)
        case .blocked(let candidate): advanceBlocked(candidate)
        }
    }

    /// Nothing is pushed: a difference is reported once.
    private mutating func advanceIdle() -> Bool {
        guard receivesFromPeer, let statement = peer.latest else { return false }
        guard statement.running != running else {
            peer.reportedDrift = 0
            return false
        }
        guard !statement.stage.isOpen, peer.reportedDrift != statement.running else { return false }
        peer.reportedDrift = statement.running
        actions.append(.drifted)
        return false
    }

    private mutating func advanceStaged(_ candidate: Candidate, until: Instant, at now: Instant) -> Bool {
        guard receivesFromPeer else { return block(candidate, .peerSilent, at: now) }
        if hasActivated(candidate) { return enter(.agreed(candidate, until: until)) }
        // What is known of a push that is over says nothing about this one.
        guard let statement = peer.latest, statement.transaction != peer.settled else { return false }
        let isSame = statement.candidate == candidate.digest
        if isSame && statement.isWilling { return enter(.agreed(candidate, until: until)) }
        guard statement.stage == .staged || statement.refuses(sender.transaction) else { return false }
        if isSame { return block(candidate, .peerBlocked, at: now) }
        // The differences are worth waiting for: they show what to mend.
        guard let items = statement.items.whole else { return false }
        return block(candidate, .different(ConfigurationDifference.between(candidate.items, items)), at: now)
    }

    private mutating func advanceAgreed(_ candidate: Candidate, at now: Instant) -> Bool {
        if hasActivated(candidate) { return activate(candidate) }
        guard receivesFromPeer else { return block(candidate, .peerSilent, at: now) }
        guard let statement = peer.latest else { return false }
        if statement.refuses(sender.transaction) { return block(candidate, .peerBlocked, at: now) }
        guard statement.candidate == candidate.digest else { return false }
        if isActive { return statement.stage == .added ? activate(candidate) : false }
        guard statement.stage == .agreed || statement.stage == .added else { return false }
        actions.append(.activateAdditions)
        return enter(.added(candidate))
    }

    private mutating func advanceAdded(_ candidate: Candidate, at now: Instant) -> Bool {
        if hasActivated(candidate) || !receivesFromPeer || isActive { return activate(candidate) }
        guard let statement = peer.latest, statement.refuses(sender.transaction) else { return false }
        actions.append(.rollBack)
        return block(candidate, .peerBlocked, at: now)
    }

    private mutating func advanceActive(_ candidate: Candidate) -> Bool {
        guard hasActivated(candidate) || !receivesFromPeer else { return false }
        peer.settle()
        sender.dueAt = nil
        actions.append(.completed)
        return enter(.idle)
    }

    /// A peer that went on to what both had agreed on is followed.
    private mutating func advanceBlocked(_ candidate: Candidate) -> Bool {
        guard receivesFromPeer, let statement = peer.latest else { return false }
        if statement.running == running {
            peer.reportedDrift = 0
            return false
        }
        return hasActivated(candidate) ? activate(candidate) : false
    }

    private func hasActivated(_ candidate: Candidate) -> Bool { peer.latest?.running == candidate.digest }

    // MARK: Steps

    private mutating func enter(_ next: Phase) -> Bool {
        phase = next
        return true
    }

    private mutating func activate(_ candidate: Candidate) -> Bool {
        running = candidate.digest
        actions.append(.activate)
        return enter(.active(candidate))
    }

    @discardableResult
    mutating func block(_ candidate: Candidate, _ reason: BlockReason, at now: Instant) -> Bool {
        phase = .blocked(candidate)
        peer.settle()
        actions.append(.blocked(reason))
        sendStatement(at: now)
        return true
    }
}
