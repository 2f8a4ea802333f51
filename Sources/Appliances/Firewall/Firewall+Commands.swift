import Dataplane
import LabTime
import Mutants
import Redundancy
import Wire

extension Firewall {
    /// The sessions, those of the peer included.
    func connections(at now: Instant) -> ConnectionList {
        filter.table.flows.connections { place in
            let flow = filter.table.original(of: place)
            return ConnectionReading(
                source: flow.sourceWords, destination: flow.destinationWords, protocol: "\(flow.protocol)",
                state: filter.table[place].state.words(of: flow.protocol),
                remaining: max(.zero, filter.table.expiry(of: place) - now),
                translated: filter.table[place].isTranslated
                    ? filter.outgoing(of: place, arrivedAs: flow).connectionWords : nil)
        }
    }

    mutating func switchOver(at now: Instant, into output: inout FrameQueue) -> ApplianceReply {
        guard pair != nil, let peer = pair?.settings.peer else {
            return .refused(reason: "\(name) stands alone; there is no peer to switch over to")
        }
        switch pair!.election.switchOver(at: now) {
        case .notActive:
            return .refused(reason: "\(name) is not the Active of its pair; ask \(peer) to switch over")
        case .peerSilent:
            return .refused(
                reason: "the heartbeat of \(peer) is not heard, so nobody would take over from \(name)")
        case .peerWithoutSessions:
            return .refused(
                reason: "\(peer) has not received the sessions yet; ask again when it has (sync-complete)")
        case nil:
            carryOutElection(at: now, into: &output)
            flush(at: now, into: &output)
            return .done
        }
    }

    mutating func setCarrier(
        of port: String, isUp: Bool, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        guard let place = policy.portNames.firstIndex(of: port) else {
            return .refused(
                reason: "\(name) has no port '\(port)'; its ports are \(policy.portNames.joined(separator: ", "))")
        }
        let index = PortIndex(place)
        guard ports[index].isUp != isUp else { return .done }
        ports.setCarrier(of: index, isUp: isUp)
        guard pair != nil, !Mutant.isOn(.ignoresLostLinks) else { return .done }
        pair?.setCarrier(of: index, named: port, isUp: isUp, at: now)
        carryOutElection(at: now, into: &output)
        flush(at: now, into: &output)
        return .done
    }
}

extension PairMember {
    /// A port's carrier decides about the role where the port is tracked, a virtual router's, or the cross-connect's.
    fileprivate mutating func setCarrier(of port: PortIndex, named name: String, isUp: Bool, at now: Instant) {
        let isTracked =
            settings.tracked.firstIndex(of: port).map { election.trackedLink($0, isUp: isUp, at: now) } ?? false
        for (number, router) in settings.routers.enumerated() where router.port == port {
            election.carrier(ofRouter: number, named: name, isUp: isUp, at: now)
        }
        if isTracked, !settings.routers.contains(where: { $0.port == port }) {
            election.trackedLinkChanged(named: name, isUp: isUp, at: now)
        }
        if settings.crossConnect?.port == port { election.crossConnectCarrier(isUp: isUp, at: now) }
    }
}
