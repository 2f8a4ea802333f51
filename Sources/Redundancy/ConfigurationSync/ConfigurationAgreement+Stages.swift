import LabTime
import Wire

extension ConfigurationAgreement {
    /// Goes as far as what is known allows.
    mutating func proceed(at now: Instant) {
        while step(at: now) {}
    }

    /// - Returns: whether something changed
    private mutating func step(at now: Instant) -> Bool {
        let hasActivated = peer?.running == candidateDigest
        let isSame = peer?.candidate == candidateDigest
        switch stage {
        case .idle, .blocked:
            return follow(at: now)
        case .staged:
            guard receivesFromPeer else { return block(.peerSilent, at: now) }
            if hasActivated { return enter(.agreed) }
            // What is known of a push that is over says nothing about this one.
            guard let peer, peer.transaction != settled else { return false }
            if isSame && isWilling(peer) { return enter(.agreed) }
            guard peer.stage == .staged || isRefused(by: peer) else { return false }
            if isSame { return block(.peerBlocked, at: now) }
            // The differences are worth waiting for: they tell what to mend.
            guard let items = peer.items.whole else { return false }
            return block(.different(ConfigurationDifference.between(candidate, items)), at: now)
        case .agreed:
            if hasActivated { return activate(at: now) }
            guard receivesFromPeer else { return block(.peerSilent, at: now) }
            guard let peer else { return false }
            if isRefused(by: peer) { return block(.peerBlocked, at: now) }
            guard isSame else { return false }
            if isActive { return peer.stage == .added ? activate(at: now) : false }
            guard peer.stage == .agreed || peer.stage == .added else { return false }
            actions.append(.activateAdditions)
            return enter(.added)
        case .added:
            if hasActivated || !receivesFromPeer || isActive { return activate(at: now) }
            guard let peer, isRefused(by: peer) else { return false }
            actions.append(.rollBack)
            return block(.peerBlocked, at: now)
        case .active:
            guard hasActivated || !receivesFromPeer else { return false }
            stage = .idle
            settled = peer?.transaction ?? 0
            sendAt = nil
            actions.append(.completed)
            return true
        }
    }

    private func isWilling(_ peer: Peer) -> Bool { peer.stage != .blocked && peer.stage != .idle }

    /// Whether the peer has refused this very push.
    private func isRefused(by peer: Peer) -> Bool { peer.stage == .blocked && peer.answers == transaction }

    private mutating func enter(_ new: ConfigurationStatement.Stage) -> Bool {
        stage = new
        return true
    }

    private mutating func activate(at now: Instant) -> Bool {
        running = candidateDigest
        stage = .active
        actions.append(.activate)
        return true
    }

    @discardableResult
    mutating func block(_ reason: BlockReason, at now: Instant) -> Bool {
        stage = .blocked
        settled = peer?.transaction ?? 0
        actions.append(.blocked(reason))
        sendStatement(at: now)
        return true
    }

    /// Nothing is open here. A peer that went on to what both had agreed on is followed; any other difference is told
    /// once.
    private mutating func follow(at now: Instant) -> Bool {
        guard receivesFromPeer, let peer else { return false }
        guard peer.running != running else {
            reportedDrift = 0
            return false
        }
        if stage == .blocked, peer.running == candidateDigest { return activate(at: now) }
        guard peer.stage == .idle || peer.stage == .blocked, stage == .idle, reportedDrift != peer.running else {
            return false
        }
        reportedDrift = peer.running
        actions.append(.drifted)
        return false
    }

    // MARK: Saying it

    /// Says everything, and when again.
    mutating func sendStatement(at now: Instant) {
        sendAt = isOpen ? now + settings.interval : nil
        let differs = stage == .staged || stage == .blocked
        guard differs, let peer, peer.candidate != 0, peer.candidate != candidateDigest else {
            return actions.append(.send(statement()))
        }
        var first = 0
        repeat {
            var statement = statement()
            var room = settings.messageSize - ConfigurationStatement.headerLength
            statement.itemCount = candidate.count
            statement.firstItem = first
            while first < candidate.count, candidate[first].length <= room, statement.items.count < 255 {
                room -= candidate[first].length
                statement.items.append(candidate[first])
                first += 1
            }
            actions.append(.send(statement))
        } while first < candidate.count
    }

    private mutating func statement() -> ConfigurationStatement {
        sequence += 1
        return ConfigurationStatement(
            stage: stage, isActive: isActive, epoch: epoch, sequence: sequence, transaction: transaction,
            answers: settled, running: running, candidate: stage == .idle ? 0 : candidateDigest)
    }
}

/// The items of a peer's candidate, as they come in.
struct CollectedItems: Sendable {
    private var items: [Int: ConfigurationItem] = [:]
    private var count = 0

    mutating func add(_ statement: ConfigurationStatement) {
        guard statement.itemCount > 0 else { return }
        if statement.itemCount != count {
            items.removeAll()
            count = statement.itemCount
        }
        for (offset, item) in statement.items.enumerated() { items[statement.firstItem + offset] = item }
    }

    /// All of them; nil while some are missing.
    var whole: [ConfigurationItem]? {
        guard count > 0, items.count == count else { return nil }
        return items.sorted { $0.key < $1.key }.map(\.value)
    }
}
