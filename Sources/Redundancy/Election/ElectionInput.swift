import LabTime

extension Election {
    /// What can happen to a box of a pair.
    package enum Input: Hashable, Sendable {
        /// Every port is ready. The instant also names this incarnation of the box, so it must be later than that of
        /// any earlier one.
        case start
        /// The box goes down in an orderly manner: its peer takes over at once.
        case shutDown
        /// A valid advertisement arrived on the port of a virtual router.
        case advertisement(Advertisement, router: Int)
        /// A heartbeat of the peer. One that starts over counts whatever the peer seemed to have sent before.
        case statement(PairStatement, startsOver: Bool)
        /// The peer does not know this incarnation of the box yet, and asks which it is. It may have started anew.
        case hello
        /// Somebody sends on the cross-connect who cannot be understood.
        case foreignPeer
        /// Every session of the peer was received.
        case sessionsComplete
        /// A full resync of this box's sessions began, or the peer has acknowledged all of it.
        case resync(isUnderWay: Bool)
        /// Somebody asked for a switchover.
        case switchoverRequest
        /// The port of a virtual router, by the port's name, gained or lost its carrier.
        case routerCarrier(router: Int, port: String, isUp: Bool)
        /// A tracked link changed. Where it is a virtual router's port too, `routerCarrier` follows; otherwise
        /// `trackedLinkChanged`.
        case trackedLink(Int, isUp: Bool)
        /// A tracked link that is no virtual router's port changed, by its port's name.
        case trackedLinkChanged(port: String, isUp: Bool)
        /// The cross-connect's port gained or lost its carrier.
        case crossConnectCarrier(isUp: Bool)
        /// A timer is due.
        case due(Timer)
    }

    /// In the order in which timers that are due at one instant fire.
    package enum Timer: CaseIterable, Hashable, Sendable {
        /// The next heartbeat.
        case heartbeat
        /// The peer did not take the role that was left to it.
        case handover
        /// The peer's heartbeat has been missing for its bound.
        case peerSilence
        /// No advertisement came either.
        case grace
        /// The Active that misses the peer's heartbeat advertises once more.
        case alarm
        /// The virtual routers' own: advertisements of an Active, the Active-down interval of a Backup.
        case routers
        /// The end of the startup silent period.
        case silentPeriod
        /// A rival that is heard on no path. It wakes nobody: the next timer of another kind notices it.
        case rivalSilence
    }

    /// What became of an input.
    package enum Reply: Hashable, Sendable {
        case done
        /// It has no meaning in this phase, was overtaken, or changed nothing.
        case ignored
        case refused(Refusal)
    }

    /// Why a requested switchover cannot be carried out.
    public enum Refusal: Hashable, Sendable {
        case notActive
        /// The peer's heartbeat is not received, so nobody would take over.
        case peerSilent
        /// The peer has not received the sessions yet, and would lose them.
        case peerWithoutSessions
    }
}
