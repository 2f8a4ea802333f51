import Configuration
import LabTime
import TestSupport
import Testing
import Wire

@testable import Appliances
@testable import Dataplane
@testable import Redundancy

/// A pair of whole firewalls (election, heartbeat, VRRP, session synchronisation with bulk transfers, NAT, pinholes,
/// agreement of configurations) under everything that can happen to it: loss, repetition, reordering and delay on every
/// link, links without carrier, partitions, crashes, restarts within a partition too, switchovers, replayed messages, and
/// pushes. All of it follows from the seed.
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
        /// The second box does not keep the first one's pinholes.
        var forgetsPinholes = false
        /// What no pinhole lets in, the rules do.
        var allowsStrangers = false
        /// A mapping ends with its pool, not with its sessions.
        var freesWithPool = false

        var testDescription: String { name }
    }

    /// So many, and no more are opened: mappings are compared one by one.
    static let mostSessions = 120
    static let insides = IPv4Network("198.51.100.0/24")!
    static let pool = FirewallLab.virtualAddresses[0]

    let seed: UInt64
    let lab: FirewallLab
    let breach: Breach?
    var invariants: PairInvariants
    private var random: SeededGenerator
    private var nextAction: Instant
    /// What was done to the pair.
    private var trouble: [(Instant, String)] = []
    private var isQuiet = false
    private var phaseEnds: Instant
    private var nextPort: UInt16 = 10_000
    private var nextRule = 0
    private var transfers: PairTransfers
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
            rules: [NATRule(name: "internet", source: Self.insides, pool: "internet")])
        lab = try FirewallLab(
            seed: seed, preempts: seed % 3 != 0, sessionCapacity: 2048, nat: { _ in nat },
            suspending: breach?.rules ?? []
        ) { box, configuration in
            if defers { configuration.redundancy?.deferral = .milliseconds(50) }
            configuration.redundancy?.startupSilentPeriod = .milliseconds(500)
            configuration.policy = Self.policy
            if breach?.allowsStrangers == true { configuration.policy.otherwise = .allow }
            configuration.applicationGateways = breach?.forgetsPinholes == true && box == 1 ? [] : [.ftp]
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
        transfers = PairTransfers(lab)
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
                if breach?.freesWithPool == true { freeRetired() }
                answer()
                invariants.check(lab)
                if let broken = invariants.broken {
                    return "seed \(seed), step \(lab.steps), at \(lab.now.nanoseconds / 1000) µs: \(broken)\(story)"
                }
            }
        }
        return nil
    }

    /// What happened last, for whoever looks for the reason.
    private var story: String {
        let told = lab.boxes.flatMap { box in
            box.events.suffix(20).map { event in
                (event.at, "fw-\(box.number) \(event.kind) \(event.details.values.sorted().joined(separator: ", "))")
            }
        }
        return (told + trouble.suffix(20)).sorted { $0.0 < $1.0 }.suffix(30)
            .map { "\n  \($0.0.nanoseconds / 1000) µs  \($0.1)" }.joined()
    }

    /// Connections of the inside to port 80, control connections from outside, and nothing else.
    private static let policy = PolicyConfiguration(
        rules: [
            PolicyRule(name: "web", action: .allow, protocol: .tcp, destinationPorts: 80...80),
            PolicyRule(
                name: "ftp", action: .allow, protocol: .tcp,
                destinationPorts: PairTransfers.controlPort...PairTransfers.controlPort),
        ], otherwise: .deny)

    // MARK: Hosts

    /// The inside host opens connections; whoever gets a SYN or its answer goes on with the handshake.
    private func answer() {
        while seenAtClient < lab.client.received.count {
            let frame = lab.client.received[seenAtClient].frame
            seenAtClient += 1
            transfers.clientReceived(frame, lab)
            guard let layout = frame.layout, layout.fiveTuple.protocol == .tcp, layout.tcpFlags.isInitialSYN else {
                continue
            }
            invariants.left(frame, lab)
            lab.send(layout.fiveTuple.reversed, [.syn, .ack], from: lab.client)
            // The worst moment: the packet is out, and what tells of it is still on its way, or came before what it
            // has to wait for.
            if keepsBack(from: frame) && chance(1, in: 2) || !isQuiet && lab.loss > 0 && chance(1, in: 6) {
                crash(of: frame)
            }
        }
        while seenAtServer < lab.server.received.count {
            let frame = lab.server.received[seenAtServer].frame
            seenAtServer += 1
            if let stranger = transfers.serverReceived(frame, lab) { invariants.found(stranger) }
            for (control, port) in transfers.takeAnnounced() { invariants.announced(port, on: control) }
            guard let layout = frame.layout, layout.fiveTuple.protocol == .tcp, layout.tcpFlags == [.syn, .ack],
                layout.fiveTuple.sourcePort == 80
            else { continue }
            lab.send(layout.fiveTuple.reversed, .ack, payload: 4, from: lab.server)
        }
    }

    /// Whether the peer of the box that sent a frame has messages that it cannot consume yet.
    private func keepsBack(from frame: SeenFrame) -> Bool {
        guard let box = (0..<2).first(where: { FirewallLab.mac($0, 0) == frame.source }) else { return false }
        return lab.boxes[1 - box].isAlive && lab.boxes[1 - box].firewall.channel.receiveWindow.arrived != 0
    }

    private func crash(of frame: SeenFrame) {
        guard let box = (0..<2).first(where: { FirewallLab.mac($0, 0) == frame.source }), lab.boxes[box].isAlive else {
            return
        }
        crash(box)
    }

    /// The box is no more. Where its power is gone, so is the cross-connect's carrier; a crashed kernel's links stay up.
    private func crash(_ box: Int) {
        lab.powerOff(box)
        trouble.append((lab.now, "crash of \(box)"))
        // What the box had queued on the cross-connect goes with it.
        if chance(1, in: 2) {
            lab.deliveries.removeAll { $0.network == FirewallLab.crossConnect && $0.to == 1 - box }
        }
        if chance(1, in: 2) { lab.setCarrier(1 - box, FirewallLab.crossConnect, isUp: false) }
        invariants.crashed(box, lab)
    }

    private func open() {
        guard lab.boxes.allSatisfy({ $0.firewall.sessionCount < Self.mostSessions }) else { return }
        let flow = FiveTuple(
            source: lab.server.address, destination: lab.client.address, sourcePort: nextPort, destinationPort: 80,
            protocol: .tcp)
        nextPort = nextPort < 60_000 ? nextPort + 1 : 10_000
        guard let box = anActive() else { return }
        lab.transmit(
            TestFrame.tcp(from: lab.server.mac, to: FirewallLab.mac(box, 1), flow, .syn), on: FirewallLab.inside,
            from: 3)
    }

    /// Of two Actives either may be the one that a host's switch leads to.
    private func anActive() -> Int? {
        (0..<2).filter { lab.boxes[$0].isAlive && lab.boxes[$0].firewall.isForwarding }.randomElement(using: &random)
    }

    private func transfer() {
        guard let box = anActive(), lab.boxes[box].firewall.sessionCount < Self.mostSessions else { return }
        let talk = number(in: 0...(PairTransfers.clients - 1))
        switch number(in: 0...3) {
        case 0, 1: transfers.goOn(talk, through: box, lab)
        case 2:
            if let control = transfers.connect(talk, from: talk, through: box, lab) { invariants.usesPinhole(control) }
        default:
            let other = (talk + number(in: 1...(PairTransfers.clients - 1))) % PairTransfers.clients
            _ = transfers.connect(talk, from: other, through: box, lab)
        }
    }

    // MARK: What happens

    private func act() throws {
        nextAction = lab.now + .microseconds(chance(1, in: 4) ? number(in: 20...2000) : number(in: 2000...40_000))
        record()
        let box = number(in: 0...1)
        // Times of quiet between, of five seconds or more, in which what takes time can be seen to happen.
        if lab.now >= phaseEnds {
            isQuiet.toggle()
            if !isQuiet, chance(1, in: 2), let active = anActive() { return unplug(active, number(in: 0...1)) }
            phaseEnds = lab.now + .milliseconds(isQuiet ? number(in: 5500...8000) : number(in: 500...3000))
            if isQuiet, chance(2, in: 3) { heal() }
            if isQuiet, lab.boxes.contains(where: { $0.firewall.sessionCount >= Self.mostSessions }) { try startAnew() }
            if isQuiet, chance(2, in: 3) { try restartTheDead() }
        }
        switch number(in: 0...(isQuiet ? 73 : 99)) {
        case 0...46: open()
        case 47...54: transfer()
        case 55...64: push(mismatched: chance(1, in: 3))
        case 65...69: replay()
        case 70...73:
            guard lab.boxes[box].isAlive else { return }
            _ = lab.perform(box, .switchover)
        case 74...77:
            if lab.boxes[box].isAlive { crash(box) }
        case 78...86: try restartTheDead(evenApart: chance(1, in: 2))
        case 87...90: disturb { $0.isApart = [self.chance(1, in: 2), self.chance(1, in: 2), self.chance(1, in: 2)] }
        case 91: disturb { $0.isApart = [true, true, true] }
        case 92: disturb { $0.isApart = [true, true, false] }
        case 93: disturb { $0.isUp[self.number(in: 0...2)] = false }
        case 94: changeCarrier()
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
            for port in 0..<2 {
                for box in 0..<2 { $0.setCarrier(box, port, isUp: true) }
            }
            self.plugCrossConnect()
        }
    }

    /// Where both boxes have power, the cross-connect has carrier.
    private func plugCrossConnect() {
        for box in 0..<2 where lab.boxes[1 - box].isAlive {
            lab.setCarrier(box, FirewallLab.crossConnect, isUp: true)
        }
    }

    /// A link of one box loses its carrier or has it again; the cross-connect, a cable, at both ends.
    private func changeCarrier() {
        let (box, port) = (number(in: 0...1), number(in: 0...2))
        let isUp = !lab.boxes[box].carrier[port]
        disturb {
            guard port == FirewallLab.crossConnect else { return $0.setCarrier(box, port, isUp: isUp) }
            if isUp { return self.plugCrossConnect() }
            for box in 0..<2 { $0.setCarrier(box, port, isUp: false) }
        }
    }

    /// An Active loses a link of those that it serves, and nothing else happens for a while.
    private func unplug(_ box: Int, _ port: Int) {
        disturb { $0.setCarrier(box, port, isUp: false) }
        nextAction = lab.now + .milliseconds(20)
    }

    private func disturb(_ change: (FirewallLab) -> Void) {
        let leaving = invariants.mustLeave(lab)
        change(lab)
        trouble.append(
            (lab.now, "apart \(lab.isApart), up \(lab.isUp), carriers \(lab.boxes.map(\.carrier)), loss \(lab.loss)"))
        invariants.disturbed(lab)
        invariants.lostLink(leaving, lab)
        transfers.tidy(lab)
    }

    /// Both boxes lose everything, so that there is room for new sessions.
    private func startAnew() throws {
        heal()
        for box in 0..<2 {
            lab.powerOff(box)
            invariants.crashed(box, lab)
        }
        for box in 0..<2 { try restart(box) }
        transfers.tidy(lab)
    }

    /// - Parameter evenApart: also where the box cannot hear of what it granted before, and will grant it again
    private func restartTheDead(evenApart: Bool = false) throws {
        guard let dead = (0..<2).first(where: { !lab.boxes[$0].isAlive }) else { return }
        let isApart = lab.isApart.contains(true) || lab.isUp.contains(false) || lab.boxes[dead].carrier.contains(false)
        guard evenApart || !isApart else { return }
        if isApart { invariants.startsApart() }
        try restart(dead)
    }

    /// A restarted box has the policy that it had: it was saved.
    private func restart(_ box: Int) throws {
        let policy = lab.boxes[box].firewall.policy.running
        // Its own power brings the carrier at the other end, where nothing else took it.
        if lab.boxes[box].carrier[FirewallLab.crossConnect] {
            lab.setCarrier(1 - box, FirewallLab.crossConnect, isUp: true)
        }
        trouble.append((lab.now, "start of \(box)"))
        try lab.start(box)
        let restarted = lab.boxes[box]
        restarted.firewall.policy.running = policy
        let items = restarted.firewall.items(of: policy)
        restarted.firewall.agreement?.changed(running: items, at: lab.now)
        _ = try restarted.firewall.install(policy, at: lab.now, into: &restarted.queue)
        invariants.disturbed(lab)
    }

    private func push(mismatched: Bool) {
        guard lab.boxes.allSatisfy(\.isAlive) else { return }
        nextRule += 1
        // The same for both boxes, unless one is mistyped. Half of the seeds change no pool: what outlives one is told of
        // anew, which hides what was not sent again.
        let (changesPools, replaces, start) = (
            seed / 2 % 2 == 0 && chance(1, in: 2), chance(1, in: 2), UInt16(number(in: 0...4)) * 128 + 5000
        )
        for box in 0..<2 {
            var change: PolicyChange
            if changesPools {
                change = PolicyChange(
                    nat: translation(
                        of: box, replaces: replaces || mismatched, from: mismatched ? start + UInt16(box) * 8 : start,
                        named: mismatched ? "mismatch-\(nextRule)" : "pool-\(nextRule)"))
            } else {
                let name = mismatched ? "mismatch-\(nextRule)-\(box)" : "rule-\(nextRule)"
                change = PolicyChange(
                    addedRules: [.init(PolicyRule(name: name, action: .deny, protocol: .udp, destinationPorts: 9...9))],
                    deletedRules: lab.boxes[box].firewall.policy.running.policy.rules.map(\.name).filter {
                        name in !Self.policy.rules.contains { $0.name == name }
                    })
            }
            if change.isEmpty { continue }
            _ = lab.perform(box, .policy(breach?.pushesUnseen == true ? .push(change) : .agree(change)))
        }
    }

    /// The one pool gets other ports, or gives way to another with some of its ports.
    private func translation(of box: Int, replaces: Bool, from start: UInt16, named name: String) -> NATChange {
        let running = lab.boxes[box].firewall.policy.running.nat
        let ports = start...(start + 255)
        guard replaces else {
            return NATChange(
                changedPools: running.pools.map { NATPool(name: $0.name, addresses: [Self.pool], ports: ports) })
        }
        return NATChange(
            addedPools: [NATPool(name: name, addresses: [Self.pool], ports: ports)],
            deletedPools: running.pools.map(\.name),
            addedRules: [.init(name, [NATRule(source: Self.insides, pool: name)])], deletedRules: running.ruleNames)
    }

    /// What a box that frees mappings with their pool would have done.
    private func freeRetired() {
        for box in lab.boxes where box.isAlive && box.firewall.filter.nat.retiredCount > 0 {
            var next = box.firewall.filter.nat.bindings.next(after: nil)
            while let index = next {
                let binding = box.firewall.filter.nat.bindings[index]
                next = box.firewall.filter.nat.bindings.next(after: index)
                guard binding.isRetired else { continue }
                box.firewall.filter.nat.giveBack(binding.external, binding.protocol)
                box.firewall.filter.nat.bindings.remove(index)
            }
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
