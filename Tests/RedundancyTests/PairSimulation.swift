import LabEvents
import LabTime
import Redundancy
import TestSupport
import Wire

/// Two elections in virtual time, with a cross-connect and two networks of virtual routers between them that lose,
/// repeat, delay and overtake messages, and can be cut.
struct PairSimulation {
    enum Message {
        case statement(PairStatement)
        case advertisement(router: Int, Advertisement)
    }

    struct Delivery {
        var at: Instant
        var order: Int
        var to: Int
        var incarnation: Int
        var message: Message
    }

    struct Box {
        var election: Election
        var isAlive = false
        /// Counts starts, so that what was sent to an earlier life does not arrive in a later one.
        var incarnation = 0
        var isForwarding = false
        var reports: [(at: Instant, kind: EventKind, details: EventDetails)] = []
        var knowsSessionsAt: Instant?
    }

    static let heartbeat = HeartbeatSettings(interval: .milliseconds(20), misses: 3)
    /// After a death: the missed heartbeats and the grace, or the overdue advertisement, whichever is later.
    static let detectionBound = max(
        heartbeat.bound + heartbeat.grace,
        .milliseconds(100) + VirtualRouterTimers.skew(priority: 100, interval: .milliseconds(100)))
    static let epoch = Instant(nanoseconds: 10_000_000_000)

    var now = PairSimulation.epoch
    var boxes: [Box]
    var random: SeededGenerator
    var deliveries: [Delivery] = []
    var sent = 0
    var steps = 0
    /// In thousandths.
    var loss = 0
    var duplication = 0
    var delay: ClosedRange<Int> = 50...50  // microseconds
    var crossConnectIsUp = true
    var networkIsUp = [true, true]
    let priorities: [UInt8]
    let preempts: [Bool]
    let advertisementInterval: Duration
    let heartbeat: HeartbeatSettings
    let startupSilentPeriod: Duration

    init(
        seed: UInt64 = 1, priorities: [UInt8] = [200, 100], preempts: [Bool] = [true, true],
        advertisementInterval: Duration = .milliseconds(100), heartbeat: HeartbeatSettings = PairSimulation.heartbeat,
        startupSilentPeriod: Duration = .zero
    ) {
        random = SeededGenerator(seed: seed)
        self.priorities = priorities
        self.preempts = preempts
        self.advertisementInterval = advertisementInterval
        self.heartbeat = heartbeat
        self.startupSilentPeriod = startupSilentPeriod
        boxes = (0..<2).map {
            Box(
                election: Self.election(
                    $0, priorities, preempts, advertisementInterval: advertisementInterval, heartbeat: heartbeat,
                    startupSilentPeriod: startupSilentPeriod))
        }
    }

    static func election(
        _ box: Int, _ priorities: [UInt8], _ preempts: [Bool], advertisementInterval: Duration = .milliseconds(100),
        heartbeat: HeartbeatSettings? = PairSimulation.heartbeat, startupSilentPeriod: Duration = .zero
    ) -> Election {
        let last = UInt8(box + 2)
        return Election(
            ElectionSettings(
                priority: priorities[box], preempts: preempts[box], advertisementInterval: advertisementInterval,
                heartbeat: heartbeat,
                routerAddresses: [IPv4Address(192, 0, 2, last), IPv4Address(198, 51, 100, last)],
                ownAddress: IPv4Address(10, 0, 0, last), peerAddress: IPv4Address(10, 0, 0, 5 - last),
                startupSilentPeriod: startupSilentPeriod))
    }

    // MARK: What happens

    mutating func start(_ box: Int) {
        boxes[box].election = Self.election(
            box, priorities, preempts, advertisementInterval: advertisementInterval, heartbeat: heartbeat,
            startupSilentPeriod: startupSilentPeriod)
        boxes[box].isAlive = true
        boxes[box].incarnation += 1
        boxes[box].isForwarding = false
        boxes[box].knowsSessionsAt = nil
        boxes[box].election.start(at: now)
        carryOut(box)
    }

    mutating func startBoth() {
        start(0)
        start(1)
    }

    mutating func powerOff(_ box: Int) {
        boxes[box].isAlive = false
        boxes[box].isForwarding = false
    }

    mutating func switchOver(_ box: Int) -> Election.Refusal? {
        let refusal = boxes[box].election.switchOver(at: now)
        carryOut(box)
        return refusal
    }

    mutating func carrier(_ box: Int, router: Int, isUp: Bool) {
        boxes[box].election.carrier(ofRouter: router, named: "port \(router)", isUp: isUp, at: now)
        carryOut(box)
    }

    mutating func crossConnectCarrier(_ box: Int, isUp: Bool) {
        boxes[box].election.crossConnectCarrier(isUp: isUp, at: now)
        carryOut(box)
    }

    mutating func carryOut(_ box: Int) {
        for action in boxes[box].election.takeActions() {
            switch action {
            case .startForwarding: boxes[box].isForwarding = true
            case .stopForwarding: boxes[box].isForwarding = false
            case .advertise(let router, let priority):
                guard boxes[box].election.isUp(router: router), networkIsUp[router] else { continue }
                let source = IPv4Address(
                    router == 0 ? 192 : 198, router == 0 ? 0 : 51, router == 0 ? 2 : 100, UInt8(box + 2))
                send(
                    .advertisement(
                        router: router,
                        Advertisement(priority: priority, interval: advertisementInterval, source: source)),
                    to: 1 - box)
            case .send(let statement):
                if crossConnectIsUp { send(.statement(statement), to: 1 - box) }
            case .report(let kind, let details):
                boxes[box].reports.append((now, kind, details))
            case .announceAddresses, .peerAppeared, .peerLost:
                continue
            }
        }
    }

    private mutating func send(_ message: Message, to box: Int) {
        if Int.random(in: 0..<1000, using: &random) < loss { return }
        let copies = Int.random(in: 0..<1000, using: &random) < duplication ? 2 : 1
        for _ in 0..<copies {
            sent += 1
            let at = now + .microseconds(Int.random(in: delay, using: &random))
            deliveries.append(
                Delivery(at: at, order: sent, to: box, incarnation: boxes[box].incarnation, message: message))
        }
    }

    // MARK: Time

    /// The next thing that happens, if it does until `end`.
    mutating func step(until end: Instant) -> Bool {
        var nextDelivery: Int?
        for (index, delivery) in deliveries.enumerated() {
            if let best = nextDelivery,
                (deliveries[best].at.nanoseconds, deliveries[best].order) <= (delivery.at.nanoseconds, delivery.order)
            {
                continue
            }
            nextDelivery = index
        }
        var due = nextDelivery.map { deliveries[$0].at }
        var timer: Int?
        for box in boxes.indices where boxes[box].isAlive {
            if let deadline = boxes[box].election.deadline, due.map({ deadline < $0 }) ?? true {
                due = deadline
                timer = box
            }
        }
        guard let due, due <= end else {
            now = end
            return false
        }
        now = max(now, due)
        steps += 1
        if let timer {
            boxes[timer].election.advance(to: now)
            carryOut(timer)
        } else if let index = nextDelivery {
            let delivery = deliveries.remove(at: index)
            receive(delivery)
        }
        synchroniseSessions()
        return true
    }

    private mutating func receive(_ delivery: Delivery) {
        let box = delivery.to
        guard boxes[box].isAlive, boxes[box].incarnation == delivery.incarnation else { return }
        switch delivery.message {
        case .statement(let statement):
            guard crossConnectIsUp else { return }
            boxes[box].election.receive(statement, at: now)
        case .advertisement(let router, let advertisement):
            guard networkIsUp[router] else { return }
            boxes[box].election.receive(advertisement, on: router, at: now)
        }
        carryOut(box)
    }

    /// Stands for the bulk transfer: 30 ms after a Backup hears an Active it knows the sessions.
    private mutating func synchroniseSessions() {
        for box in boxes.indices where boxes[box].isAlive && boxes[box].election.role == .backup {
            guard !boxes[box].election.knowsSessions, boxes[box].election.receivesHeartbeat,
                boxes[1 - box].isForwarding
            else {
                boxes[box].knowsSessionsAt = nil
                continue
            }
            if let at = boxes[box].knowsSessionsAt {
                guard at <= now else { continue }
                boxes[box].election.sessionsComplete(at: now)
                carryOut(box)
            } else {
                boxes[box].knowsSessionsAt = now + .milliseconds(30)
            }
        }
    }

    mutating func run(for duration: Duration) {
        let end = now + duration
        while step(until: end) {}
    }

    // MARK: What is seen

    var roles: [VirtualRouter.State?] { boxes.map { $0.isAlive ? $0.election.role : nil } }

    func reports(_ box: Int, _ kind: EventKind) -> [(at: Instant, kind: EventKind, details: EventDetails)] {
        boxes[box].reports.filter { $0.kind == kind }
    }
}
