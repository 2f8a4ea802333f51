import Dataplane
import LabTime
import TestSupport
import Wire

@testable import Appliances
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

    let defers: Bool
    private(set) var broken: String?
    /// Which boxes have a synchronised session, as bits, by its inside port.
    private var holders: [UInt16: UInt8] = [:]
    private var order: [UInt16] = []
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
    private var deferralsMissed: [UInt64] = [0, 0]

    init(defers: Bool) { self.defers = defers }

    // MARK: What the chaos tells

    /// What was true of links, loss or lives is not any more.
    mutating func disturbed(_ lab: FirewallLab) {
        dualSince = nil
        vacantSince = nil
        behindSince = nil
        differSince = nil
        calmSince = Self.isCalm(lab) ? lab.now : nil
        for box in 0..<2 { deferralsMissed[box] = Self.missed(lab, box) }
    }

    mutating func crashed(_ box: Int, _ lab: FirewallLab) {
        for port in order { holders[port]? &= ~(1 << UInt8(box)) }
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
            Self.hears(lab, box), let flow = frame.flow,
            let match = lab.boxes[box].firewall.filter.table.find(flow)
        else { return }
        let missed = Self.missed(lab, box)
        guard missed == deferralsMissed[box] else {
            deferralsMissed[box] = missed
            return
        }
        hold(lab.boxes[box].firewall.filter.table.original(of: match.index).sourcePort, by: 0b11)
    }

    // MARK: After each step

    mutating func check(_ lab: FirewallLab) {
        if calmSince == nil, Self.isCalm(lab) { calmSince = lab.now }
        let calm = calmSince.map { lab.now - $0 } ?? .zero
        let alive = (0..<2).filter { lab.boxes[$0].isAlive }
        let forwarding = alive.filter { lab.boxes[$0].firewall.isForwarding }
        checkRoles(lab, alive.count, forwarding.count, calm)
        noteSynchronised(lab, forwarding, calm)
        checkSessions(lab, forwarding)
        checkMappings(lab, alive)
        checkConfiguration(lab, alive, calm)
        for box in 0..<2 {
            wasForwarding[box] = forwarding.contains(box)
            counts[box] = lab.boxes[box].isAlive ? lab.boxes[box].firewall.sessionCount : 0
        }
    }

    /// Never two boxes that process sessions while they can hear each other, and never none for long.
    private mutating func checkRoles(_ lab: FirewallLab, _ alive: Int, _ forwarding: Int, _ calm: Duration) {
        let canHear = alive == 2 && lab.isUp[2] && !lab.isApart[2]
        dualSince = forwarding == 2 && canHear ? dualSince ?? lab.now : nil
        vacantSince = forwarding == 0 && alive > 0 ? vacantSince ?? lab.now : nil
        if forwarding == 2, calm > Self.hearing { broken = "both process sessions although they hear each other" }
        if let since = dualSince, lab.now - since > Self.dualBound {
            broken = "two Actives for \(lab.now - since) although their cross-connect works"
        }
        // Who has never heard an Active, or has no cross-connect, waits for VRRP's own time.
        let isSettled =
            lab.isUp[2] && !lab.isApart[2] && lab.boxes.contains { $0.isAlive && $0.firewall.election.isReady }
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
        guard lab.boxes[active].firewall.isPeerUpToDate, Self.hears(lab, active) else {
            behindSince = calm > Self.hearing ? behindSince ?? lab.now : nil
            if let since = behindSince, lab.now - since > Self.synchronisationBound {
                broken = "the peer did not get everything within \(lab.now - since) on a faultless cross-connect"
            }
            return
        }
        behindSince = nil
        let count = lab.boxes[active].firewall.sessionCount
        guard lab.boxes[active].firewall.filter.opened != opened || count != counts[active] || !wasForwarding[active]
        else { return }
        opened = lab.boxes[active].firewall.filter.opened
        var index = lab.boxes[active].firewall.filter.table.next(after: nil)
        while let place = index {
            hold(lab.boxes[active].firewall.filter.table.original(of: place).sourcePort, by: 0b11)
            index = lab.boxes[active].firewall.filter.table.next(after: place)
        }
    }

    /// No box that processes lacks a session that it has been told of.
    private mutating func checkSessions(_ lab: FirewallLab, _ forwarding: [Int]) {
        for box in forwarding {
            let hasNews = !wasForwarding[box] || lab.boxes[box].firewall.sessionCount < counts[box]
            for look in 0..<(hasNews ? order.count : min(2, order.count)) {
                let port = order[hasNews ? look : (next + look) % order.count]
                guard !knows(lab, box, port) else { continue }
                if holders[port, default: 0] & 1 << UInt8(box) != 0 {
                    broken = "box \(box) processes without the session of port \(port), which it was told of"
                } else if !wasForwarding[box], Self.hears(lab, box), !lab.isApart[2], lab.isUp[2] {
                    broken = "box \(box) took the role from a peer whose session of port \(port) it does not have"
                }
            }
        }
        next = order.isEmpty ? 0 : (next + 2) % order.count
    }

    /// No external endpoint stands for two inside ones.
    private mutating func checkMappings(_ lab: FirewallLab, _ alive: [Int]) {
        guard alive.contains(where: { lab.boxes[$0].firewall.sessionCount != counts[$0] }) else { return }
        var owners: [UInt16: UInt16] = [:]
        for box in alive {
            var index = lab.boxes[box].firewall.filter.table.next(after: nil)
            while let place = index {
                let flow = lab.boxes[box].firewall.filter.table.original(of: place)
                let outgoing = lab.boxes[box].firewall.filter.outgoing(of: place, arrivedAs: flow)
                if let owner = owners.updateValue(flow.sourcePort, forKey: outgoing.sourcePort),
                    owner != flow.sourcePort
                {
                    broken =
                        "external port \(outgoing.sourcePort) stands for the inside ports \(owner) and \(flow.sourcePort)"
                }
                index = lab.boxes[box].firewall.filter.table.next(after: place)
            }
        }
    }

    /// What the boxes did not agree on is in effect nowhere, and differences are told.
    private mutating func checkConfiguration(_ lab: FirewallLab, _ alive: [Int], _ calm: Duration) {
        for box in alive {
            if let rule = lab.boxes[box].firewall.policy.running.rules.first(where: { $0.name.hasPrefix("mismatch") }) {
                broken = "box \(box) activated '\(rule.name)', which its peer does not have"
            }
        }
        let differ =
            alive.count == 2
            && lab.boxes[0].firewall.policy.running.rules != lab.boxes[1].firewall.policy.running.rules
            && lab.boxes.allSatisfy { $0.firewall.agreement?.isOpen == false }
        differSince = differ && calm > Self.hearing ? differSince ?? lab.now : nil
        if let since = differSince, lab.now - since > Self.agreementBound,
            !lab.boxes.contains(where: { $0.events.contains { $0.kind == "configuration-differs" } })
        {
            broken = "the configurations differ for \(lab.now - since), and nobody says so"
        }
    }

    // MARK: What is seen

    private mutating func hold(_ port: UInt16, by boxes: UInt8) {
        if holders.updateValue(boxes, forKey: port) == nil { order.append(port) }
    }

    private func knows(_ lab: FirewallLab, _ box: Int, _ port: UInt16) -> Bool {
        lab.boxes[box].firewall.knows(
            FiveTuple(
                source: lab.server.address, destination: lab.client.address, sourcePort: port, destinationPort: 80,
                protocol: .tcp))
    }

    /// Whether a box hears this life of its peer.
    private static func hears(_ lab: FirewallLab, _ box: Int) -> Bool {
        lab.boxes[1 - box].isAlive && lab.boxes[box].firewall.election.hearsHeartbeat
            && lab.boxes[box].firewall.election.monitor?.statement?.epoch == lab.boxes[1 - box].firewall.election.epoch
    }

    private static func isCalm(_ lab: FirewallLab) -> Bool {
        lab.isUp[2] && !lab.isApart[2] && lab.loss == 0 && lab.boxes.allSatisfy(\.isAlive)
    }

    private static func missed(_ lab: FirewallLab, _ box: Int) -> UInt64 {
        lab.boxes[box].firewall.tally.deferralsExpired &+ lab.boxes[box].firewall.tally.deferralsWithoutRoom
    }
}
