import Appliances
import Dataplane
import LabTime
import VirtualNetwork

/// Also records what an Active claims that its peer has: the pair has promised to keep that.
struct PeerGetsEverything: PairPromise {
    let sentence = "on a faultless cross-connect the peer has every record within \(PairBounds.synchronisation)"
    private var behindSince: Instant?
    private var opened: UInt64 = 0

    mutating func happened(_ what: PairHappening, _ pair: PairView) {
        if case .linksChanged = what { behindSince = nil }
    }

    mutating func check(_ pair: inout PairView) -> String? {
        guard pair.forwarding.count == 1, let active = pair.forwarding.first, pair.alive.count == 2 else {
            behindSince = nil
            return nil
        }
        let box = pair.lab.boxes[active]
        guard box.firewall.isPeerUpToDate, pair.receives(active) else {
            behindSince = pair.calm > PairBounds.receiving ? behindSince ?? pair.now : nil
            guard let since = behindSince, pair.now - since > PairBounds.synchronisation else { return nil }
            return "the peer did not get everything within \(pair.now - since)"
        }
        behindSince = nil
        guard
            box.firewall.sessionsOpened != opened || box.firewall.sessionCount != pair.counts[active]
                || !pair.wasForwarding[active]
        else { return nil }
        opened = box.firewall.sessionsOpened
        for flow in box.firewall.sessions { pair.held.hold(flow) }
        return nil
    }
}
