import Configuration
import LabEvents
import LabTime
import TestSupport
import Wire

@testable import Appliances
@testable import Dataplane
@testable import Redundancy

/// The promises of a pair, as somebody sees them who sees everything.
struct PairInvariants {
    /// Two Actives whose cross-connect works are one within this time, whatever is lost on it.
    static let dualBound: Duration = .milliseconds(600)
    /// The time within which two boxes with a faultless cross-connect have heard each other.
    static let hearing: Duration = .milliseconds(250)
    /// While a box lives, somebody is Active within this time; where nothing is lost and a box has heard the other within
    /// the shorter one: the heartbeat's bound and grace, or the next advertisement overdue. VRRP alone would need 361 ms.
    static let vacancyBound: Duration = .milliseconds(1500)
    static let faultlessVacancyBound: Duration = .milliseconds(300)
    /// With a faultless cross-connect the peer has every record within this time.
    static let synchronisationBound: Duration = .seconds(2)
    /// And differing configurations are noticed within this one, which covers an agreement's patience.
    static let agreementBound: Duration = .seconds(5)

    /// More than a frame is ever under way.
    static let longestDelay: Duration = .milliseconds(5)
    /// An Active that lost a link has left the role to a better peer within this one.
    static let leavingBound: Duration = .milliseconds(5)

    let defers: Bool
    private(set) var broken: String?
    /// Which boxes have a synchronised session, as bits, by its first packet's flow.
    private var holders: [FiveTuple: UInt8] = [:]
    private var order: [FiveTuple] = []
    private var next = 0
    /// Since when the cross-connect is faultless and both boxes live.
    private var calmSince: Instant?
    private var dualSince: Instant?
    private var vacantSince: Instant?
    private var behindSince: Instant?
    private var differSince: Instant?
    private var wasForwarding = [false, false]
    private var counts = [0, 0]
    private var opened: UInt64 = 0
    /// A box has started where it could not hear what it granted before: an endpoint may be granted twice, until the two
    /// hear each other again.
    private var mayGrantTwice = false
    private var linkLost: (box: Int, at: Instant)?
    private var carriers = [[true, true, true], [true, true, true]]
    private var carrierChangedAt: Instant?
    private var pinholes = PinholePromises()
    private var deferralsMissed: [UInt64] = [0, 0]
    private var heard = [false, false]
    /// Until when a packet may be under way that a box did not keep until its peer had the record.
    private var promisesFrom = [FirewallLab.origin, FirewallLab.origin]

    init(defers: Bool) { self.defers = defers }

    // MARK: What the chaos tells

    /// What was true of links, loss or lives is not any more.
    mutating func disturbed(_ lab: FirewallLab) {
        dualSince = nil
        vacantSince = nil
        behindSince = nil
        differSince = nil
        calmSince = Self.isCalm(lab) ? lab.now : nil
        linkLost = nil
        let carriers = lab.boxes.map(\.carrier)
        if carriers != self.carriers {
            self.carriers = carriers
            carrierChangedAt = lab.now
        }
    }

    mutating func crashed(_ box: Int, _ lab: FirewallLab) {
        pinholes.crashed(box)
        for flow in order { holders[flow]? &= ~(1 << UInt8(box)) }
        order.removeAll { holders[$0] == 0 }
        holders = holders.filter { $0.value != 0 }
        wasForwarding[box] = false
        counts[box] = 0
        disturbed(lab)
    }

    /// The first packet of a connection has left the pair: with `defer` its peer has the record by then.
    mutating func left(_ frame: SeenFrame, _ lab: FirewallLab) {
        guard defers, let box = (0..<2).first(where: { FirewallLab.mac($0, 0) == frame.source }),
            lab.boxes[box].isAlive,
            Self.receives(lab, box), lab.now > promisesFrom[box], let flow = frame.flow,
            let match = lab.boxes[box].firewall.filter.table.find(flow.reversed)
        else { return }
        hold(lab.boxes[box].firewall.filter.table.original(of: match.index), by: 0b11)
    }

    mutating func startsApart() { mayGrantTwice = true }

    /// - Returns: the Active that is to leave the role, should it now lose a link: its peer has every link and session
    func mustLeave(_ lab: FirewallLab) -> Int? {
        guard let since = calmSince, lab.now - since > Self.hearing,
            let box = (0..<2).first(where: { lab.boxes[$0].firewall.isForwarding }),
            lab.boxes.allSatisfy({ !$0.carrier.contains(false) }), !lab.boxes[1 - box].firewall.isForwarding,
            lab.boxes[1 - box].firewall.election.knowsSessions
        else { return nil }
        return box
    }

    /// - Parameter leaving: what `mustLeave` said just before
    mutating func lostLink(_ leaving: Int?, _ lab: FirewallLab) {
        guard let leaving, Self.isCalm(lab), lab.boxes[leaving].carrier[..<2].contains(false),
            !lab.boxes[1 - leaving].carrier.contains(false)
        else { return }
        linkLost = (leaving, lab.now)
    }

    mutating func announced(_ port: UInt16, on control: FiveTuple) { pinholes.announced(port, on: control) }
    mutating func usesPinhole(_ control: FiveTuple) { pinholes.ended(control) }
    mutating func found(_ what: String) { broken = broken ?? what }

    // MARK: After each step

    mutating func check(_ lab: FirewallLab) {
        if calmSince == nil, Self.isCalm(lab) { calmSince = lab.now }
        noteDeferrals(lab)
        let calm = calmSince.map { lab.now - $0 } ?? .zero
        let alive = (0..<2).filter { lab.boxes[$0].isAlive }
        let forwarding = alive.filter { lab.boxes[$0].firewall.isForwarding }
        checkRoles(lab, alive.count, forwarding.count, calm)
        noteSynchronised(lab, forwarding, calm)
        checkSessions(lab, forwarding)
        for box in forwarding {
            if let lost = pinholes.lost(by: box, lab.boxes[box].firewall.filter, at: lab.now) {
                broken = "box \(box) processes without the pinhole of port \(lost), which it was told of"
            }
        }
        checkMappings(lab, alive, calm)
        checkConfiguration(lab, alive, calm)
        for box in 0..<2 {
            wasForwarding[box] = forwarding.contains(box)
            counts[box] = lab.boxes[box].isAlive ? lab.boxes[box].firewall.sessionCount : 0
        }
    }

    /// Packets that waited to the bound, or found nobody to wait for any more, promise nothing.
    private mutating func noteDeferrals(_ lab: FirewallLab) {
        for box in 0..<2 {
            let (missed, receives) = (Self.missed(lab, box), Self.receives(lab, box))
            guard missed != deferralsMissed[box] || receives != heard[box] else { continue }
            (deferralsMissed[box], heard[box]) = (missed, receives)
            promisesFrom[box] = lab.now + Self.longestDelay
        }
    }

    /// Never two boxes that process sessions while they can hear each other, and never none for long.
    private mutating func checkRoles(_ lab: FirewallLab, _ alive: Int, _ forwarding: Int, _ calm: Duration) {
        let canReceive = alive == 2 && Self.isConnected(lab)
        dualSince = forwarding == 2 && canReceive ? dualSince ?? lab.now : nil
        // With all its links down a box has nothing to be Active on.
        let canServe = lab.boxes.contains { $0.isAlive && ($0.carrier[0] || $0.carrier[1]) }
        vacantSince = forwarding == 0 && canServe ? vacantSince ?? lab.now : nil
        if let lost = linkLost, lab.now - lost.at > Self.leavingBound {
            linkLost = nil
            if lab.boxes[lost.box].firewall.isForwarding {
                broken = "box \(lost.box) keeps the role without a link that its peer has"
            }
        }
        if forwarding == 2, calm > Self.hearing { broken = "both process sessions although they hear each other" }
        if let since = dualSince, lab.now - since > Self.dualBound {
            broken = "two Actives for \(lab.now - since) although their cross-connect works"
        }
        // Who has never heard an Active, or has no cross-connect, or got its links back, waits for VRRP's own time.
        let isSettled =
            Self.isConnected(lab) && lab.boxes.contains { $0.isAlive && $0.firewall.election.isReady }
            && carrierChangedAt.map { lab.now - $0 > Self.vacancyBound } ?? true
            && !lab.boxes.contains { $0.isAlive && $0.carrier.contains(false) }
        let bound = lab.loss == 0 && isSettled ? Self.faultlessVacancyBound : Self.vacancyBound
        if let since = vacantSince, lab.now - since > bound {
            broken = "nobody is Active for \(lab.now - since)"
        }
    }

    /// What an Active says its peer has, the pair has promised to keep.
    private mutating func noteSynchronised(_ lab: FirewallLab, _ forwarding: [Int], _ calm: Duration) {
        guard forwarding.count == 1, let active = forwarding.first, lab.boxes[1 - active].isAlive else {
            behindSince = nil
            return
        }
        guard lab.boxes[active].firewall.isPeerUpToDate, Self.receives(lab, active) else {
            behindSince = calm > Self.hearing ? behindSince ?? lab.now : nil
            if let since = behindSince, lab.now - since > Self.synchronisationBound {
                broken = "the peer did not get everything within \(lab.now - since) on a faultless cross-connect"
            }
            return
        }
        behindSince = nil
        pinholes.note(lab.boxes[active].firewall.filter)
        let count = lab.boxes[active].firewall.sessionCount
        guard
            lab.boxes[active].firewall.filter.table.opened != opened || count != counts[active]
                || !wasForwarding[active]
        else { return }
        opened = lab.boxes[active].firewall.filter.table.opened
        var index = lab.boxes[active].firewall.filter.table.next(after: nil)
        while let place = index {
            hold(lab.boxes[active].firewall.filter.table.original(of: place), by: 0b11)
            index = lab.boxes[active].firewall.filter.table.next(after: place)
        }
    }

    /// No box that processes lacks a session that it has been told of.
    private mutating func checkSessions(_ lab: FirewallLab, _ forwarding: [Int]) {
        for box in forwarding {
            let hasChanges = !wasForwarding[box] || lab.boxes[box].firewall.sessionCount < counts[box]
            for look in 0..<(hasChanges ? order.count : min(2, order.count)) {
                let flow = order[hasChanges ? look : (next + look) % order.count]
                guard !lab.boxes[box].firewall.knows(flow) else { continue }
                if holders[flow, default: 0] & 1 << UInt8(box) != 0 {
                    broken = "box \(box) processes without the session \(flow), which it was told of"
                } else if !wasForwarding[box], Self.receives(lab, box), Self.isConnected(lab) {
                    broken = "box \(box) took the role from a peer whose session \(flow) it does not have"
                }
            }
        }
        next = order.isEmpty ? 0 : (next + 2) % order.count
    }

    /// No external endpoint stands for two inside ones. Where that could not be known, it ends when the two boxes hear each
    /// other, and one of the two sessions with it.
    private mutating func checkMappings(_ lab: FirewallLab, _ alive: [Int], _ calm: Duration) {
        let isMended = mayGrantTwice && calm > Self.synchronisationBound
        guard isMended || alive.contains(where: { lab.boxes[$0].firewall.sessionCount != counts[$0] }) else { return }
        if isMended { mayGrantTwice = false }
        var owners: [UInt16: FiveTuple] = [:]
        for box in alive {
            var index = lab.boxes[box].firewall.filter.table.next(after: nil)
            while let place = index {
                let flow = lab.boxes[box].firewall.filter.table.original(of: place)
                let source = lab.boxes[box].firewall.filter.table[place].source
                index = lab.boxes[box].firewall.filter.table.next(after: place)
                guard flow.source == lab.server.address else { continue }
                let outgoing = lab.boxes[box].firewall.filter.outgoing(of: place, arrivedAs: flow)
                let external = NATEndpoint<IPv4>(outgoing.source, outgoing.sourcePort)
                if !source.isNone, lab.boxes[box].firewall.filter.nat.binding(ofExternal: external, .tcp) != source {
                    broken = "box \(box) has the session \(flow), whose mapping \(external) is not its own any more"
                }
                guard let owner = owners.updateValue(flow, forKey: outgoing.sourcePort), owner != flow else { continue }
                if mayGrantTwice {
                    for contested in [owner, flow] where holders.removeValue(forKey: contested) != nil {
                        order.removeAll { $0 == contested }
                    }
                } else {
                    broken = "external port \(outgoing.sourcePort) stands for two: \(owner) and \(flow)"
                }
            }
        }
    }

    /// What the boxes did not agree on is in effect nowhere, and differences are told.
    private mutating func checkConfiguration(_ lab: FirewallLab, _ alive: [Int], _ calm: Duration) {
        for box in alive {
            if let rule = lab.boxes[box].firewall.policy.running.policy.rules.first(where: {
                $0.name.hasPrefix("mismatch")
            }) {
                broken = "box \(box) activated '\(rule.name)', which its peer does not have"
            }
            if let pool = lab.boxes[box].firewall.filter.nat.pools.first(where: { $0.name.hasPrefix("mismatch") }) {
                broken = "box \(box) translates from '\(pool.name)', which its peer has otherwise"
            }
        }
        let differ =
            alive.count == 2
            && (lab.boxes[0].firewall.policy.running.policy.rules != lab.boxes[1].firewall.policy.running.policy.rules
                || lab.boxes[0].firewall.policy.running.nat != lab.boxes[1].firewall.policy.running.nat)
            && lab.boxes.allSatisfy { $0.firewall.agreement?.isOpen == false }
        differSince = differ && calm > Self.hearing ? differSince ?? lab.now : nil
        if let since = differSince, lab.now - since > Self.agreementBound,
            !lab.boxes.contains(where: { $0.events.contains { $0.kind == .configurationDiffers } })
        {
            broken = "the configurations differ for \(lab.now - since), and nobody says so"
        }
    }

    // MARK: What is seen

    private mutating func hold(_ flow: FiveTuple, by boxes: UInt8) {
        if holders.updateValue(boxes, forKey: flow) == nil { order.append(flow) }
    }

    /// Whether a box hears this life of its peer.
    private static func receives(_ lab: FirewallLab, _ box: Int) -> Bool {
        lab.boxes[1 - box].isAlive && lab.boxes[box].firewall.election.receivesHeartbeat
            && lab.boxes[box].firewall.election.monitor?.statement?.epoch == lab.boxes[1 - box].firewall.election.epoch
    }

    private static func isCalm(_ lab: FirewallLab) -> Bool {
        isConnected(lab) && lab.loss == 0 && lab.boxes.allSatisfy(\.isAlive)
    }

    /// Whether the cross-connect works.
    private static func isConnected(_ lab: FirewallLab) -> Bool {
        lab.isUp[2] && !lab.isApart[2] && lab.boxes.allSatisfy { $0.carrier[FirewallLab.crossConnect] }
    }

    private static func missed(_ lab: FirewallLab, _ box: Int) -> UInt64 {
        lab.boxes[box].firewall.tally.deferralsExpired &+ lab.boxes[box].firewall.tally.deferralsWithoutRoom
    }
}
