import Dataplane
import LabTime
import Mutants
import Redundancy
import Wire

// What the firewall does as its role changes.
extension Firewall {
    /// Carries out what the election has decided, in its order.
    mutating func carryOutElection(at now: Instant, into output: inout FrameQueue) {
        guard pair != nil else { return }
        for action in pair!.election.takeActions() {
            switch action {
            case .stopForwarding(let handingOver): stopForwarding(handingOver: handingOver, at: now, into: &output)
            case .startForwarding: startForwarding(at: now)
            case .advertise(let router, let priority):
                pair?.sendAdvertisement(router: router, priority: priority, by: &ports, into: &output)
            case .announceAddresses:
                pair?.announcements.begin(at: now)
                announceAddresses(into: &output)
            case .send(let statement):
                pair?.send(statement, sessions: filter.count, by: &ports, at: now, into: &output)
            case .peerAppeared(let restarted):
                pair?.peerAppeared(restarted: restarted, isForwarding: isForwarding, at: now)
            case .peerLost:
                pair?.peerLost()
                releaseDeferred(at: now, into: &output)
            case .report(let kind, let details): log.report(kind, at: now, details)
            }
        }
    }

    private mutating func startForwarding(at now: Instant) {
        guard let settings = pair?.settings else { return }
        pair?.beginForwarding(&filter, at: now)
        isForwarding = true
        for router in settings.routers {
            ports[router.port].sourceMAC = Mutant.isOn(.sendsFromOwnMAC) ? ports[router.port].mac : router.mac
            for address in router.addresses { ports.own(address, on: router.port, answering: router.mac) }
        }
        ownPoolAddresses()
        pair?.recordTerm(at: now)
    }

    private mutating func stopForwarding(handingOver: Bool, at now: Instant, into output: inout FrameQueue) {
        guard let settings = pair?.settings else { return }
        isForwarding = false
        pair?.endForwarding()
        for router in settings.routers {
            ports[router.port].sourceMAC = ports[router.port].mac
            for address in router.addresses { ports.removeAddress(address, on: router.port) }
        }
        removePoolAddresses()
        releaseDeferred(at: now, into: &output)
        if handingOver {
            // The successor receives the last changes before it receives its role.
            flush(isUrgent: true, at: now, into: &output)
        } else {
            pair?.loseRole()
        }
    }

    /// Gratuitous ARP for every address of the pair, of virtual routers and of pools.
    mutating func announceAddresses(into output: inout FrameQueue) {
        guard isForwarding, let settings = pair?.settings else {
            pair?.announcements.end()
            return
        }
        for router in settings.routers {
            for address in router.addresses {
                ports.announce(address, at: router.mac, on: router.port, into: &output)
                pair?.tally.count(.addressAnnounced)
            }
        }
        announcePoolAddresses(into: &output)
        pair?.announcements.proceed(through: settings.announcementTimes)
    }

    /// Sends what the peer is to know.
    /// - Parameter isUrgent: records do not wait until a message is full
    mutating func flush(isUrgent: Bool = false, at now: Instant, into output: inout FrameQueue) {
        pair?.flush(filter, isUrgent: isUrgent, by: &ports, at: now, into: &output)
    }
}
