import Appliances
import LabTime
import Redundancy
import VirtualNetwork
import Wire

/// Something that promises depend on.
enum PairHappening {
    /// Links or carriers are about to change.
    case linksChange
    /// What was true of links, loss or of which boxes run is not any more.
    case linksChanged
    case crashed(Int)
    /// A box starts where it cannot receive what it granted before.
    case startsApart
    /// The first packet of a connection has reached the outside host.
    case left(SeenFrame)
    /// The server has announced a port on a control connection.
    case announced(UInt16, on: FiveTuple)
    /// A packet is under way that uses up the pinhole of a control connection.
    case usesPinhole(FiveTuple)
    case strangerGotIn(FiveTuple)
}

/// A pair after a step, as somebody sees it who sees everything, and what it has promised to keep.
struct PairView {
    let lab: FirewallLab
    var stepsOfInstant = 0
    /// The boxes that run, and those of them that forward.
    private(set) var alive: [Int] = []
    private(set) var forwarding: [Int] = []
    /// Since when the cross-connect is faultless and both boxes run.
    private(set) var calmSince: Instant?
    /// After the step before: which boxes forwarded, and their sessions.
    private(set) var wasForwarding = [false, false]
    private(set) var counts = [0, 0]
    /// Sessions that a box has reported to its peer, or by `defer` must have.
    var held = HeldSessions()
    /// A box has started where it could not receive what it granted before: an endpoint may be granted twice, until the
    /// two receive each other again.
    var mayGrantTwice = false

    /// First packets that have left since the step before.
    private(set) var left: [SeenFrame] = []

    init(_ lab: FirewallLab) { self.lab = lab }

    mutating func update() {
        if calmSince == nil, isCalm { calmSince = lab.now }
        alive = (0..<2).filter { lab.boxes[$0].isAlive }
        forwarding = alive.filter { lab.boxes[$0].firewall.forwards }
    }

    mutating func remember() {
        left = []
        for box in 0..<2 {
            wasForwarding[box] = forwarding.contains(box)
            counts[box] = alive.contains(box) ? lab.boxes[box].firewall.sessionCount : 0
        }
    }

    mutating func happened(_ what: PairHappening) {
        switch what {
        case .linksChanged: calmSince = isCalm ? lab.now : nil
        case .crashed(let box):
            held.lost(by: box)
            wasForwarding[box] = false
            counts[box] = 0
        case .startsApart: mayGrantTwice = true
        case .left(let frame): left.append(frame)
        default: break
        }
    }

    var now: Instant { lab.now }

    /// For how long the cross-connect has been faultless, with both boxes running.
    var calm: Duration { calmSince.map { lab.now - $0 } ?? .zero }

    var isCalm: Bool { isConnected && lab.loss == 0 && lab.boxes.allSatisfy(\.isAlive) }

    /// Whether the cross-connect works.
    var isConnected: Bool {
        let cross = FirewallLab.crossConnect
        return lab.isUp[cross] && !lab.isApart[cross] && lab.boxes.allSatisfy { $0.carrier[cross] }
    }

    /// Whether a box receives the heartbeats of this incarnation of its peer.
    func receives(_ box: Int) -> Bool {
        lab.boxes[1 - box].isAlive && lab.boxes[box].firewall.receivedEpoch == lab.boxes[1 - box].firewall.bootEpoch
    }

    /// The box that a frame on the outside network came from.
    func sender(of frame: SeenFrame) -> Int? {
        (0..<2).first { FirewallLab.mac($0, FirewallLab.outside) == frame.source }
    }
}

/// Sessions by their first packets' flows, and which boxes have promised to keep them.
struct HeldSessions {
    /// As bits.
    private var holders: [FiveTuple: UInt8] = [:]
    private(set) var flows: [FiveTuple] = []

    /// Both boxes have it.
    mutating func hold(_ flow: FiveTuple) {
        if holders.updateValue(0b11, forKey: flow) == nil { flows.append(flow) }
    }

    func isHeld(_ flow: FiveTuple, by box: Int) -> Bool { holders[flow, default: 0] >> UInt8(box) & 1 == 1 }

    mutating func forget(_ flow: FiveTuple) {
        if holders.removeValue(forKey: flow) != nil { flows.removeAll { $0 == flow } }
    }

    /// A box has nothing any more.
    mutating func lost(by box: Int) {
        for flow in flows { holders[flow]? &= ~(1 << UInt8(box)) }
        flows.removeAll { holders[$0] == 0 }
        holders = holders.filter { $0.value != 0 }
    }
}
