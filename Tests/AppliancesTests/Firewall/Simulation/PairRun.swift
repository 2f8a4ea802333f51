import Configuration
import Dataplane
import LabTime
import VirtualNetwork
import Wire

@testable import Appliances

/// What happens to a pair, and when.
protocol PairDirector {
    /// When it acts next, whatever the frames do.
    func nextAction(_ run: PairRun) -> Instant

    /// Called after every step, and at `nextAction`: does what is to be done now.
    mutating func act(on run: PairRun) throws
}

/// A pair of whole firewalls (election, heartbeat, VRRP, session synchronisation with bulk transfers, NAT, pinholes,
/// agreement of configurations) with its hosts, to which a director does things, and the promises of a pair, which are
/// checked after every step.
final class PairRun {
    static let insides = IPv4Network("198.51.100.0/24")!
    static let pool = FirewallLab.virtualAddresses[0]

    let lab: FirewallLab
    let breach: PairBreach?
    private(set) var hosts: PairHosts
    private(set) var view: PairView
    private var promises: [any PairPromise]
    /// What was done so far.
    private(set) var trace: PairTrace
    /// Steps since the time last passed, and whether this instant has no more of them.
    private(set) var stepsOfInstant = 0
    private(set) var isInstantOver = false

    init(seed: UInt64, breach: PairBreach? = nil) throws {
        self.breach = breach
        let defers = seed % 2 == 1
        lab = try Self.lab(seed: seed, defers: defers, breach: breach)
        lab.isCapturing = false
        lab.links.isLossy = [true, true, true]
        hosts = PairHosts(lab)
        view = PairView(lab)
        promises = Self.promises(defers: defers)
        trace = PairTrace(seed: seed, breach: breach?.name)
        try lab.startBoth()
    }

    private static func lab(seed: UInt64, defers: Bool, breach: PairBreach?) throws -> FirewallLab {
        let nat = NATConfiguration(
            pools: [NATPool(name: "internet", addresses: [pool], ports: 5000...5511)],
            rules: [NATRule(name: "internet", source: insides, pool: "internet")])
        return try FirewallLab(
            seed: seed, preempts: seed % 3 != 0, sessionCapacity: 2048, nat: { _ in nat },
            suspending: breach?.rules ?? []
        ) { box, configuration in
            if defers { configuration.redundancy?.deferral = .milliseconds(50) }
            configuration.redundancy?.startupSilentPeriod = .milliseconds(500)
            configuration.policy = PairPush.policy
            if breach?.allowsStrangers == true { configuration.policy.otherwise = .allow }
            configuration.applicationGateways = breach?.forgetsPinholes == true && box == 1 ? [] : [.ftp]
            guard breach?.sharesPorts == true else { return }
            // The name decides about the half: two of one name have one.
            configuration.name = "fw-a"
            configuration.redundancy?.peer = "fw-b"
        }
    }

    /// The promises of a pair. One that records what the pair has promised precedes those that hold it to that.
    private static func promises(defers: Bool) -> [any PairPromise] {
        [
            TimePasses(), NeverTwoActives(), DualActiveEnds(), SomebodyIsActive(), LostLinkMovesTheRole(),
            PeerGetsEverything(), NoSessionIsLost(defers: defers), NoPinholeIsLost(), NoStrangerGetsIn(),
            EndpointHasOneOwner(), NothingUnagreedIsActive(), DifferencesAreReported(),
        ]
    }

    // MARK: Steps

    /// - Returns: which promise was broken, and when; nil where none was
    func run(_ director: inout some PairDirector, steps: Int) throws -> PairFailure? {
        while lab.network.steps < steps {
            try director.act(on: self)
            let before = lab.now
            isInstantOver = !lab.step(until: director.nextAction(self))
            stepsOfInstant = (lab.now == before ? stepsOfInstant : 0) + (isInstantOver ? 0 : 1)
            if !isInstantOver, let broken = check() { return broken }
        }
        return nil
    }

    private func check() -> PairFailure? {
        if breach?.freesWithPool == true {
            for box in lab.boxes where box.isAlive { box.firewall.freeRetiredMappings() }
        }
        for observation in hosts.answer(lab) { happened(observation) }
        view.stepsOfInstant = stepsOfInstant
        view.update()
        defer { view.remember() }
        for index in promises.indices {
            guard let broken = promises[index].check(&view) else { continue }
            return PairFailure(promise: promises[index].sentence, finding: broken, of: self)
        }
        return nil
    }

    private func happened(_ what: PairHappening) {
        view.happened(what)
        for index in promises.indices { promises[index].happened(what, view) }
    }

    // MARK: What is done to it

    func perform(_ action: PairAction) throws {
        trace.entries.append(
            PairTrace.Entry(at: (lab.now - FirewallLab.origin).nanoseconds, steps: stepsOfInstant, action: action))
        switch action {
        case .open(let port, let box): hosts.open(port, through: box, lab)
        case .transfer(let client, let box): hosts.transfers.goOn(client, through: box, lab)
        case .connect(let owner, let client, let box):
            if let control = hosts.transfers.connect(owner, from: client, through: box, lab) {
                happened(.usesPinhole(control))
            }
        case .switchover(let box): _ = lab.perform(box, .switchover)
        case .push(let push): push.perform(on: lab, unseen: breach?.pushesUnseen == true)
        case .replay(let bytes, let box): lab.deliver(bytes, to: box, port: FirewallLab.crossConnect)
        case .crash(let box, let losesMessages, let losesCarrier):
            lab.powerOff(box)
            if losesMessages { lab.loseFrames(to: 1 - box, on: FirewallLab.crossConnect) }
            if losesCarrier { lab.setCarrier(1 - box, FirewallLab.crossConnect, isUp: false) }
            happened(.crashed(box))
            happened(.linksChanged)
            hosts.transfers.tidy(lab)
        case .start(let box): try start(box)
        case .links(let links): disturb { lab.links = links }
        case .carrier(let port, let isUp, let box): disturb { lab.setCarrier(box, port, isUp: isUp) }
        }
    }

    private func disturb(_ change: () -> Void) {
        happened(.linksChange)
        change()
        happened(.linksChanged)
        hosts.transfers.tidy(lab)
    }

    /// A box that starts has the policy that it had: it was saved.
    private func start(_ box: Int) throws {
        let isApart = lab.isApart.contains(true) || lab.isUp.contains(false) || lab.boxes[box].carrier.contains(false)
        if isApart { happened(.startsApart) }
        let running = lab.boxes[box].firewall.runningConfiguration
        // Its own power brings the carrier at the other end, where nothing else took it.
        if lab.boxes[box].carrier[FirewallLab.crossConnect] {
            lab.setCarrier(1 - box, FirewallLab.crossConnect, isUp: true)
        }
        try lab.start(box)
        try lab.boxes[box].call { try $0.restore(running, at: $1, into: &$2) }
        happened(.linksChanged)
        hosts.transfers.tidy(lab)
    }

    /// First packets of connections that the outside host has received since the last call.
    func takeFirstPackets() -> [SeenFrame] {
        defer { hosts.firstPackets = [] }
        return hosts.firstPackets
    }
}
