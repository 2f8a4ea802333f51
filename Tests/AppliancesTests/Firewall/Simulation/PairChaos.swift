import Dataplane
import LabTime
import TestSupport
import Testing
import Wire

@testable import Appliances
@testable import Redundancy

/// A pair of whole firewalls (election, heartbeat, VRRP, session synchronisation with bulk transfers, NAT, agreement of
/// configurations) under everything that can happen to it: loss, repetition, reordering and delay on every link,
/// partitions, crashes, restarts, switchovers, replayed messages, and pushes. All of it follows from the seed.
///
/// After each step `PairInvariants` says whether a promise is broken.
final class PairChaos {
    /// What is broken on purpose.
    struct Breach: CustomTestStringConvertible {
        var name: String
        var rules: PairRules = []
        /// Both boxes grant mappings from the same ports.
        var sharesPorts = false
        /// Pushes are activated without comparing.
        var pushesUnseen = false

        var testDescription: String { name }
    }

    /// So many, and no more are opened: mappings are compared one by one.
    static let mostSessions = 120
    static let pool = FirewallLab.virtualAddresses[0]

    let seed: UInt64
    let lab: FirewallLab
    let breach: Breach?
    var invariants: PairInvariants
    private var random: SeededGenerator
    private var nextAction: Instant
    private var isQuiet = false
    private var phaseEnds: Instant
    private var nextPort: UInt16 = 10_000
    private var nextRule = 0
    private var seenAtClient = 0
    private var seenAtServer = 0
    /// Frames of the cross-connect that somebody recorded.
    private var recorded: [(to: Int, bytes: [UInt8])] = []

    init(seed: UInt64, breach: Breach? = nil) throws {
        self.seed = seed
        self.breach = breach
        random = SeededGenerator(seed: seed &* 0x9E37_79B9)
        let defers = seed % 2 == 1
        let nat = NATConfiguration(
            pools: [NATPool(name: "internet", addresses: [Self.pool], ports: 5000...5511)],
            rules: [NATRule(source: IPv4Network("198.51.100.0/24")!, pool: "internet")])
        lab = try FirewallLab(
            seed: seed, preempts: seed % 3 != 0, sessionCapacity: 2048, nat: { _ in nat },
            suspending: breach?.rules ?? []
        ) { _, configuration in
            if defers { configuration.redundancy?.deferral = .milliseconds(50) }
            guard breach?.sharesPorts == true else { return }
            // The name decides about the half: two of one name have one.
            configuration.name = "fw-a"
            configuration.redundancy?.peer = "fw-b"
        }
        lab.isLossy = [true, true, true]
        lab.outlivesRestarts = true
        nextAction = lab.now
        phaseEnds = lab.now + .seconds(1)
        invariants = PairInvariants(defers: defers)
        try lab.startBoth()
        nextAction = lab.now + .milliseconds(300)
    }

    /// - Returns: what promise was broken, and when; nil where none was
    func run(steps: Int) throws -> String? {
        var (instant, stepsThere) = (lab.now, 0)
        while lab.steps < steps {
            stepsThere = lab.now == instant ? stepsThere + 1 : 0
            instant = lab.now
            if stepsThere > 10_000 {
                return "seed \(seed), step \(lab.steps): time stands still, a timer is due for ever"
            }
            if lab.now >= nextAction { try act() }
            if lab.step(until: nextAction) {
                answer()
                invariants.check(lab)
                if let broken = invariants.broken {
                    return "seed \(seed), step \(lab.steps), at \(lab.now.nanoseconds / 1000) µs: \(broken)"
                }
            }
        }
        return nil
    }

    // MARK: Hosts

    /// The inside host opens connections; whoever gets a SYN or its answer goes on with the handshake.
    private func answer() {
        while seenAtClient < lab.client.received.count {
            let frame = lab.client.received[seenAtClient].frame
            seenAtClient += 1
            guard let layout = frame.layout, layout.fiveTuple.protocol == .tcp, layout.tcpFlags.isInitialSYN else {
                continue
            }
            invariants.left(frame, lab)
            lab.send(layout.fiveTuple.reversed, [.syn, .ack], from: lab.client)
            // The worst moment: the packet is out, and what tells of it is still on its way.
            if !isQuiet, lab.loss > 0, chance(1, in: 6) { crash(of: frame) }
        }
        while seenAtServer < lab.server.received.count {
            let frame = lab.server.received[seenAtServer].frame
            seenAtServer += 1
            guard let layout = frame.layout, layout.fiveTuple.protocol == .tcp, layout.tcpFlags == [.syn, .ack] else {
                continue
            }
            lab.send(layout.fiveTuple.reversed, .ack, payload: 4, from: lab.server)
        }
    }

    private func crash(of frame: SeenFrame) {
        guard let box = (0..<2).first(where: { FirewallLab.mac($0, 0) == frame.source }), lab.boxes[box].isAlive else {
            return
        }
        lab.powerOff(box)
        invariants.crashed(box, lab)
    }

    private func open() {
        guard lab.boxes.allSatisfy({ $0.firewall.sessionCount < Self.mostSessions }) else { return }
        let flow = FiveTuple(
            source: lab.server.address, destination: lab.client.address, sourcePort: nextPort, destinationPort: 80,
            protocol: .tcp)
        nextPort = nextPort < 60_000 ? nextPort + 1 : 10_000
        // Of two Actives either may be the one that the host's switch leads to.
        let active = (0..<2).filter { lab.boxes[$0].isAlive && lab.boxes[$0].firewall.isForwarding }
        guard let box = active.randomElement(using: &random) else { return }
        lab.transmit(
            TestFrame.tcp(from: lab.server.mac, to: FirewallLab.mac(box, 1), flow, .syn), on: FirewallLab.inside,
            from: 3)
    }

    // MARK: What happens

    private func act() throws {
        nextAction = lab.now + .microseconds(chance(1, in: 4) ? number(in: 20...2000) : number(in: 2000...40_000))
        record()
        let box = number(in: 0...1)
        // Times of quiet between, of five seconds or more, in which what takes time can be seen to happen.
        if lab.now >= phaseEnds {
            isQuiet.toggle()
            phaseEnds = lab.now + .milliseconds(isQuiet ? number(in: 5500...8000) : number(in: 500...3000))
            if isQuiet, chance(2, in: 3) { heal() }
            if isQuiet, lab.boxes.contains(where: { $0.firewall.sessionCount >= Self.mostSessions }) { try startAnew() }
            if isQuiet, chance(2, in: 3) { try restartTheDead() }
        }
        switch number(in: 0...(isQuiet ? 73 : 99)) {
        case 0...54: open()
        case 55...64: push(mismatched: chance(1, in: 3))
        case 65...69: replay()
        case 70...73:
            guard lab.boxes[box].isAlive, lab.boxes[box].firewall.isForwarding,
                lab.boxes[box].firewall.election.monitor?.statement?.flags.contains(.knowsSessions) == true
            else { return }
            _ = lab.perform(box, .switchover)
        case 74...77:
            guard lab.boxes[box].isAlive else { return }
            lab.powerOff(box)
            invariants.crashed(box, lab)
        case 78...87: try restartTheDead()
        case 88...91: disturb { $0.isApart = [self.chance(1, in: 2), self.chance(1, in: 2), self.chance(1, in: 2)] }
        case 92: disturb { $0.isApart = [true, true, true] }
        case 93: disturb { $0.isApart = [true, true, false] }
        case 94: disturb { $0.isUp[self.number(in: 0...2)] = false }
        case 95, 96:
            disturb {
                $0.loss = [0, 0, 50, 100, 300][self.number(in: 0...4)]
                $0.duplication = $0.loss / 3
                $0.delay = 20...[60, 500, 3000][self.number(in: 0...2)]
            }
        default: heal()
        }
    }

    private func heal() {
        disturb {
            $0.isApart = [false, false, false]
            $0.isUp = [true, true, true]
            $0.loss = 0
        }
    }

    private func disturb(_ change: (FirewallLab) -> Void) {
        change(lab)
        invariants.disturbed(lab)
    }

    /// Both boxes lose everything, so that there is room for new sessions.
    private func startAnew() throws {
        heal()
        for box in 0..<2 {
            lab.powerOff(box)
            invariants.crashed(box, lab)
        }
        for box in 0..<2 { try restart(box) }
    }

    /// A box that starts alone, cut off from what it granted before, could grant it again, and nobody could know: so
    /// none does here.
    private func restartTheDead() throws {
        guard let dead = (0..<2).first(where: { !lab.boxes[$0].isAlive }), !lab.isApart.contains(true),
            !lab.isUp.contains(false)
        else { return }
        try restart(dead)
    }

    /// A restarted box has the policy that it had: it was saved.
    private func restart(_ box: Int) throws {
        let policy = lab.boxes[box].firewall.policy.running
        try lab.start(box)
        lab.boxes[box].firewall.policy.running = policy
        lab.boxes[box].firewall.agreement?.changed(running: policy.items, at: lab.now)
        _ = lab.boxes[box].firewall.filter.install(
            try policy.compiled(for: FirewallLab.portNames, of: "restarted"), otherwise: policy.otherwise)
        invariants.disturbed(lab)
    }

    private func push(mismatched: Bool) {
        guard lab.boxes.allSatisfy(\.isAlive) else { return }
        nextRule += 1
        for box in 0..<2 {
            let name = mismatched ? "mismatch-\(nextRule)-\(box)" : "rule-\(nextRule)"
            let change = PolicyChange(
                addedRules: [.init(PolicyRule(name: name, action: .deny, protocol: .udp, destinationPorts: 9...9))],
                deletedRules: lab.boxes[box].firewall.policy.running.rules.map(\.name))
            _ = lab.perform(box, .policy(breach?.pushesUnseen == true ? .push(change) : .agree(change)))
        }
    }

    /// Keeps a frame that is under way on the cross-connect.
    private func record() {
        guard let frame = lab.deliveries.first(where: { $0.network == FirewallLab.crossConnect && $0.to < 2 }) else {
            return
        }
        if recorded.count < 64 {
            recorded.append((frame.to, frame.bytes))
        } else {
            recorded[number(in: 0...63)] = (frame.to, frame.bytes)
        }
    }

    private func replay() {
        guard let frame = recorded.randomElement(using: &random), lab.boxes[frame.to].isAlive else { return }
        lab.deliver(frame.bytes, to: frame.to, port: FirewallLab.crossConnect)
    }

    private func number(in range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private func chance(_ of: Int, in all: Int) -> Bool { number(in: 0...(all - 1)) < of }
}
