import LabEvents
public import LabTime

extension Election {
    /// Why a requested switchover cannot be carried out.
    public enum Refusal: Hashable, Sendable {
        case notActive
        /// The peer's heartbeat is not heard, so nobody would take over.
        case peerSilent
        /// The peer has not received the sessions yet, and would lose them.
        case peerWithoutSessions
    }

    /// Hands the role over because somebody asked for it. This box then stands back.
    public mutating func switchOver(at now: Instant) -> Refusal? {
        guard role == .active else { return .notActive }
        guard monitor == nil || receivesHeartbeat else { return .peerSilent }
        if let peer = monitor?.statement, settings.rules.contains(.waitsForSessions),
            !peer.flags.contains(.knowsSessions)
        {
            return .peerWithoutSessions
        }
        yields = true
        report(.switchover, [.reason: "requested"])
        handOver(at: now, because: "handed over on request")
        return nil
    }

    /// Every session of the peer was received: this box may take the role.
    public mutating func sessionsComplete(at now: Instant) {
        knowsSessions = true
        considerPreempting(at: now)
    }

    /// The port of a virtual router gained or lost its carrier. It is a tracked link of the whole pair.
    /// - Parameter name: the port's name, for reports
    public mutating func carrier(ofRouter index: Int, named name: String, isUp up: Bool, at now: Instant) {
        guard routers.indices.contains(index), isUp[index] != up else { return }
        isUp[index] = up
        for other in routers.indices { routers[other].priority = effectivePriority }
        guard role != .initialize else { return }
        if up {
            if role == .active {
                act(.announceAddresses)
                advertiseAll(at: now)
            } else {
                routers[index].becomeBackup(at: now)
            }
            sendHeartbeat(at: now)
            considerPreempting(at: now)
            return
        }
        reconsider(because: name, at: now)
    }

    /// A tracked link lost its carrier, or has it again. Where it is a virtual router's port too, this comes first.
    /// - Returns: false where nothing changed
    @discardableResult
    public mutating func trackedLink(_ index: Int, isUp up: Bool) -> Bool {
        guard trackedIsUp.indices.contains(index), trackedIsUp[index] != up else { return false }
        trackedIsUp[index] = up
        return true
    }

    /// A tracked link that is no virtual router's port changed: tell everybody the priority that is left.
    public mutating func trackedLinkChanged(named name: String, isUp up: Bool, at now: Instant) {
        guard role != .initialize else { return }
        for index in routers.indices { routers[index].priority = effectivePriority }
        guard up else { return reconsider(because: name, at: now) }
        if role == .active { advertiseAll(at: now) }
        sendHeartbeat(at: now)
        considerPreempting(at: now)
    }

    /// A link is gone, and with it perhaps the better claim.
    private mutating func reconsider(because name: String, at now: Instant) {
        guard role == .active else {
            requestsRole = false
            sendHeartbeat(at: now)
            return
        }
        if receivesHeartbeat, let peer = monitor?.statement, mayLeave(to: peer) {
            report(.switchover, [.reason: "carrier lost on \(name)"])
            handOver(at: now, because: "carrier lost on \(name)")
        } else {
            // The lowered priority lets a healthy preempting peer take over through VRRP; and a peer that is still
            // receiving the sessions is left the role when it has them.
            advertiseAll(at: now)
            sendHeartbeat(at: now)
        }
    }

    /// Whether a box with a lost link is to leave the role to its peer.
    func mayLeave(to peer: PairStatement) -> Bool {
        settings.rules.contains(.leavesWithLinks) && (isUp.contains(false) || trackedIsUp.contains(false))
            && peer.priority > effectivePriority
            && (peer.flags.contains(.knowsSessions) || !settings.rules.contains(.waitsForSessions))
    }

    /// Somebody speaks on the cross-connect who cannot be understood: there is nothing to wait for.
    public mutating func peerIsForeign(at now: Instant) {
        if role != .initialize { endSilence(at: now) }
    }

    /// The cross-connect's port gained or lost its carrier.
    public mutating func crossConnectCarrier(isUp up: Bool, at now: Instant) {
        guard role != .initialize else { return }
        if up {
            sendHeartbeat(at: now)
        } else {
            monitor?.lostCarrier(at: now)
            noticeSilence(at: now)
            endSilence(at: now)
        }
    }
}
