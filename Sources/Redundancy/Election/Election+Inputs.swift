public import LabTime

/// Each input by a method of its own.
extension Election {
    /// Every port is ready: send, receive, and wait as Backup.
    ///
    /// The instant also names this incarnation of the box, so it must be later than that of any earlier one.
    public mutating func start(at now: Instant) { step(.start, at: now) }

    /// The box goes down in an orderly manner: its peer takes over at once.
    public mutating func shutDown(at now: Instant) { step(.shutDown, at: now) }

    /// Handles a valid advertisement that arrived on the port of a virtual router.
    public mutating func receive(_ advertisement: Advertisement, on index: Int, at now: Instant) {
        step(.advertisement(advertisement, router: index), at: now)
    }

    /// Handles a heartbeat of the peer.
    /// - Parameter startsOver: it counts whatever the peer seemed to have sent before
    /// - Returns: false where it was overtaken by a later one and changed nothing.
    @discardableResult
    public mutating func receive(_ statement: PairStatement, startsOver: Bool = false, at now: Instant) -> Bool {
        step(.statement(statement, startsOver: startsOver), at: now) == .done
    }

    /// The peer does not know this incarnation of the box yet: send at once which it is. Where the peer's heartbeat is
    /// received, that is a former incarnation's, and the role is not left to it.
    public mutating func receiveHello(at now: Instant) { step(.hello, at: now) }

    /// Somebody sends on the cross-connect who cannot be understood: there is nothing to wait for.
    public mutating func peerIsForeign(at now: Instant) { step(.foreignPeer, at: now) }

    /// Hands the role over because somebody asked for it. This box then yields.
    public mutating func switchOver(at now: Instant) -> Refusal? {
        if case .refused(let refusal) = step(.switchoverRequest, at: now) { refusal } else { nil }
    }

    /// Every session of the peer was received: this box may take the role.
    public mutating func sessionsComplete(at now: Instant) { step(.sessionsComplete, at: now) }

    /// A full resync of this box's sessions began, or the peer has acknowledged all of it: an Active does not hand over
    /// in between.
    public mutating func resync(isUnderWay: Bool, at now: Instant) { step(.resync(isUnderWay: isUnderWay), at: now) }

    /// The port of a virtual router gained or lost its carrier. It is a tracked link of the whole pair.
    /// - Parameter name: the port's name, for reports
    public mutating func carrier(ofRouter index: Int, named name: String, isUp: Bool, at now: Instant) {
        step(.routerCarrier(router: index, port: name, isUp: isUp), at: now)
    }

    /// A tracked link lost its carrier, or has it again. Where it is a virtual router's port too, this comes first.
    /// - Returns: false where nothing changed
    @discardableResult
    public mutating func trackedLink(_ index: Int, isUp: Bool, at now: Instant) -> Bool {
        step(.trackedLink(index, isUp: isUp), at: now) == .done
    }

    /// A tracked link that is no virtual router's port changed: advertise the priority that is left.
    public mutating func trackedLinkChanged(named name: String, isUp: Bool, at now: Instant) {
        step(.trackedLinkChanged(port: name, isUp: isUp), at: now)
    }

    /// The cross-connect's port gained or lost its carrier.
    public mutating func crossConnectCarrier(isUp: Bool, at now: Instant) {
        step(.crossConnectCarrier(isUp: isUp), at: now)
    }
}
