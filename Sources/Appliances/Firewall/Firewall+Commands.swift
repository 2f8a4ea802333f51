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
        guard let redundancy else {
            return .refused(reason: "\(name) stands alone; there is no peer to switch over to")
        }
        switch election.switchOver(at: now) {
        case .notActive:
            return .refused(
                reason: "\(name) is not the Active of its pair; ask \(redundancy.peer) to switch over")
        case .peerSilent:
            return .refused(
                reason: "the heartbeat of \(redundancy.peer) is not heard, so nobody would take over from \(name)")
        case .peerWithoutSessions:
            return .refused(
                reason: "\(redundancy.peer) has not received the sessions yet; ask again when it has (sync-complete)")
        case nil:
            carryOut(at: now, into: &output)
            flush(at: now, into: &output)
            return .done
        }
    }

    mutating func setCarrier(
        of port: String, isUp: Bool, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        guard let place = portNames.firstIndex(of: port) else {
            return .refused(
                reason: "\(name) has no port '\(port)'; its ports are \(portNames.joined(separator: ", "))")
        }
        let index = PortIndex(place)
        guard ports[index].isUp != isUp else { return .done }
        ports.setCarrier(of: index, isUp: isUp)
        portsWithoutCarrier += isUp ? -1 : 1
        guard let redundancy, !Mutant.isOn(.ignoresLostLinks) else { return .done }
        let isTracked =
            redundancy.tracked.firstIndex(of: index).map { election.trackedLink($0, isUp: isUp, at: now) } ?? false
        for (number, router) in redundancy.routers.enumerated() where router.port == index {
            election.carrier(ofRouter: number, named: port, isUp: isUp, at: now)
        }
        if isTracked, !redundancy.routers.contains(where: { $0.port == index }) {
            election.trackedLinkChanged(named: port, isUp: isUp, at: now)
        }
        if redundancy.crossConnect?.port == index { election.crossConnectCarrier(isUp: isUp, at: now) }
        carryOut(at: now, into: &output)
        flush(at: now, into: &output)
        return .done
    }
}
