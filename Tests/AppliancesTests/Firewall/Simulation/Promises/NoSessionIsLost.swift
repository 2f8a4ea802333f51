import Appliances
import Dataplane
import LabTime
import VirtualNetwork
import Wire

struct NoSessionIsLost: PairPromise {
    let sentence = "no box that processes lacks a session that its peer has reported to it"
    /// Whether first packets leave only when the peer has their record.
    let defers: Bool
    /// The next of the sessions that are looked at in every step.
    private var next = 0
    private var missed: [UInt64] = [0, 0]
    private var received = [false, false]
    /// Until when a packet may be under way that a box did not keep until its peer had the record.
    private var promisesFrom = [FirewallLab.origin, FirewallLab.origin]
    /// Sessions whose packets a box let go without their record. Such a packet may also wait for a MAC address first, for
    /// as long as that takes.
    private var withoutRecord: Set<FiveTuple> = []

    init(defers: Bool) { self.defers = defers }

    /// - Returns: the session of a first packet that has left, of which the peer has the record by then
    private func recorded(_ frame: SeenFrame, _ pair: PairView) -> FiveTuple? {
        guard defers, let box = pair.sender(of: frame), pair.lab.boxes[box].isAlive, pair.receives(box),
            pair.now > promisesFrom[box], let flow = frame.flow,
            let session = pair.lab.boxes[box].firewall.original(of: flow.reversed), !withoutRecord.contains(session)
        else { return nil }
        return session
    }

    mutating func check(_ pair: inout PairView) -> String? {
        for frame in pair.left {
            if let session = recorded(frame, pair) { pair.held.hold(session) }
        }
        observeDeferrals(pair)
        defer { next = pair.held.flows.isEmpty ? 0 : (next + 2) % pair.held.flows.count }
        for box in pair.forwarding {
            if let broken = lost(by: box, pair) { return broken }
        }
        return nil
    }

    /// Packets that waited to the bound, or found nobody to wait for any more, promise nothing.
    private mutating func observeDeferrals(_ pair: PairView) {
        for box in 0..<2 {
            let (missed, receives) = (pair.lab.boxes[box].firewall.packetsNotDeferred, pair.receives(box))
            guard missed != self.missed[box] || receives != received[box] else { continue }
            (self.missed[box], received[box]) = (missed, receives)
            promisesFrom[box] = pair.now + PairBounds.longestDelay
            guard defers, pair.lab.boxes[box].isAlive else { continue }
            let peer = 1 - box
            withoutRecord.formUnion(
                pair.lab.boxes[box].firewall.sessions.filter {
                    !(pair.lab.boxes[peer].isAlive && pair.lab.boxes[peer].firewall.knows($0))
                })
        }
    }

    private func lost(by box: Int, _ pair: PairView) -> String? {
        let (flows, wasForwarding) = (pair.held.flows, pair.wasForwarding[box])
        let hasChanges = !wasForwarding || pair.lab.boxes[box].firewall.sessionCount < pair.counts[box]
        for look in 0..<(hasChanges ? flows.count : min(2, flows.count)) {
            let flow = flows[hasChanges ? look : (next + look) % flows.count]
            let isKnown = pair.lab.boxes[box].firewall.knows(flow)
            if isKnown { continue }
            if pair.held.isHeld(flow, by: box) {
                return "box \(box) processes without the session \(flow), which it has received"
            }
            if !wasForwarding, pair.receives(box), pair.isConnected {
                return "box \(box) took the role from a peer whose session \(flow) it does not have"
            }
        }
        return nil
    }
}
