import Appliances
import LabTime
import TestSupport
import VirtualNetwork
import Wire

/// Draws from a seed what happens to a pair, and when: loss, repetition, reordering and delay on every link, links without
/// carrier, partitions, crashes, restarts within a partition too, switchovers, replayed messages, pushes, connections and
/// transfers.
struct PairChaos: PairDirector {
    /// So many, and no more are opened: mappings are compared one by one.
    private static let mostSessions = 120

    private let seed: UInt64
    private var random: SeededGenerator
    private var next: Instant
    private var isQuiet = false
    private var phaseEnds: Instant
    private var nextPort: UInt16 = 10_000
    private var pushes = 0
    private var recorder = MessageRecorder()

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed &* 0x9E37_79B9)
        next = FirewallLab.origin + .milliseconds(300)
        phaseEnds = FirewallLab.origin + .seconds(1)
    }

    func nextAction(_ run: PairRun) -> Instant { next }

    mutating func act(on run: PairRun) throws {
        for frame in run.takeFirstPackets() { try crash(of: frame, run) }
        guard run.lab.now >= next else { return }
        next = run.lab.now + .microseconds(happens(1, in: 4) ? number(in: 20...2000) : number(in: 2000...40_000))
        recorder.record(run.lab, &random)
        if run.lab.now >= phaseEnds, try !beginPhase(run) { return }
        let box = number(in: 0...1)
        switch number(in: 0...(isQuiet ? 73 : 99)) {
        case 0...46: try open(run)
        case 47...54: try transfer(run)
        case 55...64: try push(isMistyped: happens(1, in: 3), run)
        case 65...69: try replay(run)
        case 70...73: if run.lab.boxes[box].isAlive { try run.perform(.switchover(box: box)) }
        case 74...77: try crash(box, run)
        case 78...86: try restartTheDead(evenApart: happens(1, in: 2), run)
        case 87...90:
            let isApart = (0..<3).map { _ in happens(1, in: 2) }
            try change(run) { $0.isApart = isApart }
        case 91: try change(run) { $0.isApart = [true, true, true] }
        case 92: try change(run) { $0.isApart = [true, true, false] }
        case 93:
            let network = number(in: 0...2)
            try change(run) { $0.isUp[network] = false }
        case 94: try changeCarrier(run)
        case 95, 96:
            let (loss, longest) = ([0, 0, 50, 100, 300][number(in: 0...4)], [60, 500, 3000][number(in: 0...2)])
            try change(run) { ($0.loss, $0.duplication, $0.delay) = (loss, loss / 3, 20...longest) }
        default: try heal(run)
        }
    }

    /// Times of quiet between, of five seconds or more, in which what takes time can be seen to happen.
    /// - Returns: false where nothing else is to happen now
    private mutating func beginPhase(_ run: PairRun) throws -> Bool {
        isQuiet.toggle()
        if !isQuiet, happens(1, in: 2), let active = anActive(run) {
            // An Active loses a link of those that it serves, and nothing else happens for a while.
            try run.perform(.carrier(port: number(in: 0...1), isUp: false, box: active))
            next = run.lab.now + .milliseconds(20)
            return false
        }
        phaseEnds = run.lab.now + .milliseconds(isQuiet ? number(in: 5500...8000) : number(in: 500...3000))
        guard isQuiet else { return true }
        if happens(2, in: 3) { try heal(run) }
        if run.lab.boxes.contains(where: { $0.firewall.sessionCount >= Self.mostSessions }) { try startAnew(run) }
        if happens(2, in: 3) { try restartTheDead(evenApart: false, run) }
        return true
    }

    // MARK: Traffic

    private mutating func open(_ run: PairRun) throws {
        guard run.lab.boxes.allSatisfy({ $0.firewall.sessionCount < Self.mostSessions }) else { return }
        let port = nextPort
        nextPort = nextPort < 60_000 ? nextPort + 1 : 10_000
        if let box = anActive(run) { try run.perform(.open(port: port, box: box)) }
    }

    private mutating func transfer(_ run: PairRun) throws {
        guard let box = anActive(run), run.lab.boxes[box].firewall.sessionCount < Self.mostSessions else { return }
        let clients = PairTransfers.clients
        let client = number(in: 0...(clients - 1))
        switch number(in: 0...3) {
        case 0, 1: try run.perform(.transfer(client: client, box: box))
        case 2: try run.perform(.connect(announcedTo: client, client: client, box: box))
        default:
            let other = (client + number(in: 1...(clients - 1))) % clients
            try run.perform(.connect(announcedTo: client, client: other, box: box))
        }
    }

    /// Of two Actives either may be the one that a host's switch leads to.
    private mutating func anActive(_ run: PairRun) -> Int? {
        (0..<2).filter { run.lab.boxes[$0].isAlive && run.lab.boxes[$0].firewall.forwards }
            .randomElement(using: &random)
    }

    private mutating func push(isMistyped: Bool, _ run: PairRun) throws {
        guard run.lab.boxes.allSatisfy(\.isAlive) else { return }
        pushes += 1
        // Half of the seeds change no pool: what outlives one is sent anew, which hides what was not sent again.
        let changesPool = seed / 2 % 2 == 0 && happens(1, in: 2)
        let replacesPool = happens(1, in: 2)
        try run.perform(
            .push(
                PairPush(
                    number: pushes, isMistyped: isMistyped, changesPool: changesPool, replacesPool: replacesPool,
                    firstPort: UInt16(number(in: 0...4)) * 128 + 5000)))
    }

    private mutating func replay(_ run: PairRun) throws {
        guard let message = recorder.messages.randomElement(using: &random), run.lab.boxes[message.to].isAlive else {
            return
        }
        try run.perform(.replay(bytes: message.bytes, box: message.to))
    }

    // MARK: Boxes

    /// The worst moment: a first packet is out, and the message about it is still on its way, or came before what it has
    /// to wait for.
    private mutating func crash(of frame: SeenFrame, _ run: PairRun) throws {
        guard let box = run.view.sender(of: frame), run.lab.boxes[box].isAlive else { return }
        let peer = run.lab.boxes[1 - box]
        let waits = peer.isAlive && peer.firewall.hasMessagesThatWait
        if waits && happens(1, in: 2) || !isQuiet && run.lab.loss > 0 && happens(1, in: 6) { try crash(box, run) }
    }

    private mutating func crash(_ box: Int, _ run: PairRun) throws {
        guard run.lab.boxes[box].isAlive else { return }
        let losesMessages = happens(1, in: 2)
        try run.perform(.crash(box: box, losesMessages: losesMessages, losesCarrier: happens(1, in: 2)))
    }

    /// - Parameter evenApart: also where the box cannot receive what it granted before, and will grant it again
    private func restartTheDead(evenApart: Bool, _ run: PairRun) throws {
        guard let dead = (0..<2).first(where: { !run.lab.boxes[$0].isAlive }) else { return }
        let lab = run.lab
        let isApart = lab.isApart.contains(true) || lab.isUp.contains(false) || lab.boxes[dead].carrier.contains(false)
        if evenApart || !isApart { try run.perform(.start(box: dead)) }
    }

    /// Both boxes lose everything, so that there is room for new sessions.
    private func startAnew(_ run: PairRun) throws {
        try heal(run)
        for box in 0..<2 where run.lab.boxes[box].isAlive {
            try run.perform(.crash(box: box, losesMessages: false, losesCarrier: false))
        }
        for box in 0..<2 { try run.perform(.start(box: box)) }
    }

    // MARK: Links

    private func change(_ run: PairRun, _ change: (inout PairLinks) -> Void) throws {
        var links = run.lab.links
        change(&links)
        try run.perform(.links(links))
    }

    private func heal(_ run: PairRun) throws {
        try change(run) { links in
            links.isApart = [false, false, false]
            links.isUp = [true, true, true]
            links.loss = 0
        }
        for port in 0..<2 {
            for box in 0..<2 { try setCarrier(port, isUp: true, of: box, run) }
        }
        try plugCrossConnect(run)
    }

    private func setCarrier(_ port: Int, isUp: Bool, of box: Int, _ run: PairRun) throws {
        guard run.lab.boxes[box].carrier[port] != isUp else { return }
        try run.perform(.carrier(port: port, isUp: isUp, box: box))
    }

    /// Where both boxes have power, the cross-connect has carrier.
    private func plugCrossConnect(_ run: PairRun) throws {
        for box in 0..<2 where run.lab.boxes[1 - box].isAlive {
            try setCarrier(FirewallLab.crossConnect, isUp: true, of: box, run)
        }
    }

    /// A link of one box loses its carrier or has it again; the cross-connect, a cable, at both ends.
    private mutating func changeCarrier(_ run: PairRun) throws {
        let (box, port) = (number(in: 0...1), number(in: 0...2))
        let isUp = !run.lab.boxes[box].carrier[port]
        guard port == FirewallLab.crossConnect else { return try setCarrier(port, isUp: isUp, of: box, run) }
        if isUp { return try plugCrossConnect(run) }
        for box in 0..<2 { try setCarrier(port, isUp: false, of: box, run) }
    }

    // MARK: Randomness

    private mutating func number(in range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func happens(_ of: Int, in all: Int) -> Bool { number(in: 0...(all - 1)) < of }
}

/// Messages of the cross-connect that somebody recorded.
private struct MessageRecorder {
    private(set) var messages: [(to: Int, bytes: [UInt8])] = []

    /// Keeps the message that was sent last, in the place of another where there are many.
    mutating func record(_ lab: FirewallLab, _ random: inout SeededGenerator) {
        guard let message = lab.takeLastMessage() else { return }
        if messages.count < 64 {
            messages.append(message)
        } else {
            messages[Int.random(in: 0...63, using: &random)] = message
        }
    }
}
