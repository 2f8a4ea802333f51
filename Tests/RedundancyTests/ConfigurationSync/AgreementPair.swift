import LabTime
import TestSupport
import Wire

@testable import Redundancy

/// Two boxes that agree on configurations over a link that loses, doubles, delays and overtakes, in virtual time.
struct AgreementPair {
    struct Box {
        var agreement: ConfigurationAgreement
        /// What decides about packets, additions included.
        var effective: [ConfigurationItem]
        var running: [ConfigurationItem]
        var candidate: [ConfigurationItem] = []
        var told: [ConfigurationAgreement.Action] = []
    }

    struct Message {
        var at: Instant
        var to: Int
        var bytes: [UInt8]
    }

    var boxes: [Box]
    var network: [Message] = []
    var now = Instant(nanoseconds: 0)
    var isCut = false
    /// Chances in percent.
    var loss: UInt64 = 0
    var doubling: UInt64 = 0
    var longestDelay: Int64 = 1_000_000
    var random: SeededGenerator

    init(_ first: [ConfigurationItem], _ second: [ConfigurationItem], seed: UInt64) {
        random = SeededGenerator(seed: seed)
        let settings = ConfigurationAgreement.Settings(
            interval: .milliseconds(10), timeout: .seconds(2), messageSize: 256)
        boxes = [first, second].map {
            Box(agreement: ConfigurationAgreement(settings, running: $0, epoch: 1), effective: $0, running: $0)
        }
        boxes[0].agreement.setRole(isActive: true, at: now)
        for box in 0..<2 { boxes[box].agreement.setReceivesFromPeer(true, at: now) }
        for box in 0..<2 { settle(box) }
    }

    static func item(_ name: String, _ digest: UInt64 = 1) -> ConfigurationItem {
        ConfigurationItem(kind: 2, name: name, digest: digest)
    }

    mutating func stage(_ items: [ConfigurationItem], on box: Int) -> Bool {
        // Before the call: it may act at once.
        let before = boxes[box].candidate
        boxes[box].candidate = items
        let isTaken = boxes[box].agreement.stage(items, at: now)
        if !isTaken { boxes[box].candidate = before }
        settle(box)
        return isTaken
    }

    mutating func setActive(_ box: Int) {
        boxes[1 - box].agreement.setRole(isActive: false, at: now)
        boxes[box].agreement.setRole(isActive: true, at: now)
        settle(0)
        settle(1)
    }

    mutating func setCut(_ cut: Bool) {
        isCut = cut
        for box in 0..<2 {
            boxes[box].agreement.setReceivesFromPeer(!cut, at: now)
            settle(box)
        }
    }

    /// Goes to the next thing that happens, at the latest to `end`.
    mutating func step(until end: Instant) {
        let due = (network.map(\.at) + boxes.compactMap { $0.agreement.deadline }).min() ?? end
        now = max(now, min(due, end))
        if let next = network.indices.min(by: { network[$0].at < network[$1].at }), network[next].at <= now {
            let message = network.remove(at: next)
            let statement = message.bytes.withUnsafeBytes { try? ConfigurationStatement($0) }
            if !isCut, let statement {
                boxes[message.to].agreement.receive(statement, at: now)
                settle(message.to)
            }
            return
        }
        for box in 0..<2 {
            boxes[box].agreement.advance(to: now)
            settle(box)
        }
    }

    mutating func run(for duration: Duration) {
        let end = now + duration
        while now < end { step(until: end) }
    }

    /// Does what a box's agreement asks for.
    private mutating func settle(_ box: Int) {
        for action in boxes[box].agreement.takeActions() {
            switch action {
            case .send(let statement):
                let copies = random.next() % 100 < doubling ? 2 : 1
                for _ in 0..<copies where !isCut && random.next() % 100 >= loss {
                    let delay = Duration.nanoseconds(Int64(random.next() % UInt64(longestDelay)))
                    network.append(Message(at: now + delay, to: 1 - box, bytes: statement.bytes))
                }
            case .activateAdditions:
                let names = Set(boxes[box].running.map(\.name))
                boxes[box].effective = boxes[box].running + boxes[box].candidate.filter { !names.contains($0.name) }
            case .activate:
                boxes[box].running = boxes[box].candidate
                boxes[box].effective = boxes[box].candidate
            case .rollBack:
                boxes[box].effective = boxes[box].running
            case .blocked, .completed, .drifted: break
            }
            boxes[box].told.append(action)
        }
    }
}
