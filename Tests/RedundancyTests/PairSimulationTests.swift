import LabEvents
import LabTime
import Redundancy
import TestSupport
import Testing

struct PairSimulationTests {
    /// Two Actives that hear each other must be one within this time, however many messages are lost on the way.
    static let dualBound = Duration.milliseconds(400)
    /// While a box lives, somebody is Active again within this time.
    static let vacancyBound = Duration.milliseconds(1500)

    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
    func `under loss, repetition, reordering, partitions and crashes the pair agrees within its bounds`(seed: UInt64) {
        var pair = PairSimulation(seed: seed, preempts: [seed % 2 == 0, seed % 3 == 0])
        var random = SeededGenerator(seed: seed &* 0x9E37)
        pair.loss = 100
        pair.duplication = 50
        pair.delay = 20...3000
        pair.startBoth()
        var dualSince: Instant?
        var vacantSince: Instant?
        var disturbance = pair.now + .milliseconds(300)
        var failure: String?
        while pair.steps < 40_000, failure == nil {
            if pair.now >= disturbance {
                disturb(&pair, &random)
                disturbance = pair.now + .milliseconds(Int.random(in: 5...1500, using: &random))
                dualSince = nil
                vacantSince = nil
            }
            _ = pair.step(until: disturbance)
            let alive = pair.boxes.filter(\.isAlive)
            let active = alive.filter { $0.election.role == .active }.count
            let hear = pair.crossConnectIsUp && alive.count == 2
            dualSince = active == 2 && hear ? dualSince ?? pair.now : nil
            vacantSince = active == 0 && !alive.isEmpty ? vacantSince ?? pair.now : nil
            if let since = dualSince, pair.now - since > Self.dualBound { failure = "two Actives since \(since)" }
            if let since = vacantSince, pair.now - since > Self.vacancyBound { failure = "no Active since \(since)" }
            for box in pair.boxes where box.isAlive && box.isForwarding != (box.election.role == .active) {
                failure = "a box forwards although it is not Active, or the reverse"
            }
        }
        #expect(failure == nil, "seed \(seed), step \(pair.steps), at \(pair.now): \(failure ?? "")")
    }

    private func disturb(_ pair: inout PairSimulation, _ random: inout SeededGenerator) {
        let box = Int.random(in: 0..<2, using: &random)
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1: pair.crossConnectIsUp.toggle()
        case 2: pair.networkIsUp[0].toggle()
        case 3: pair.networkIsUp[1].toggle()
        case 4:
            pair.crossConnectIsUp = false
            pair.networkIsUp = [false, false]
        case 5, 6:
            pair.crossConnectIsUp = true
            pair.networkIsUp = [true, true]
        case 7: if pair.boxes[box].isAlive { pair.powerOff(box) }
        case 8, 9: if !pair.boxes[box].isAlive { pair.start(box) }
        default: if pair.boxes[box].isAlive { _ = pair.switchOver(box) }
        }
    }

    @Test func `a settled pair without disturbance never changes its roles, even with every twentieth message lost`() {
        for seed in UInt64(1)...4 {
            var pair = PairSimulation(seed: seed)
            pair.loss = 50
            pair.delay = 20...2000
            pair.startBoth()
            pair.run(for: .milliseconds(500))
            let changes = pair.boxes.map { $0.reports.filter { $0.kind == .active }.count }
            pair.run(for: .seconds(60))
            #expect(pair.boxes.map { $0.reports.filter { $0.kind == .active }.count } == changes, "seed \(seed)")
            #expect(pair.roles == [.active, .backup], "seed \(seed)")
        }
    }

    @Test func `whenever only the cross-connect is cut, nobody but the Active becomes Active`() {
        var random = SeededGenerator(seed: 7)
        for seed in UInt64(1)...300 {
            var pair = PairSimulation(seed: seed)
            pair.delay = 20...900
            pair.startBoth()
            pair.run(for: .milliseconds(300) + .microseconds(Int.random(in: 0..<100_000, using: &random)))
            pair.crossConnectIsUp = false
            pair.run(for: .milliseconds(500))
            #expect(pair.reports(1, .active).isEmpty, "seed \(seed)")
            #expect(pair.reports(1, .crossConnectDown).count == 1, "seed \(seed)")
        }
    }

    @Test func `whenever the Active dies, its peer takes over within the detection bound`() {
        var random = SeededGenerator(seed: 8)
        for seed in UInt64(1)...300 {
            var pair = PairSimulation(seed: seed)
            pair.delay = 20...900
            pair.startBoth()
            pair.run(for: .milliseconds(300) + .microseconds(Int.random(in: 0..<100_000, using: &random)))
            pair.powerOff(0)
            let died = pair.now
            pair.run(for: .milliseconds(500))
            let took = pair.reports(1, .active).first.map { $0.at - died } ?? .seconds(1)
            #expect(
                took <= PairSimulation.detectionBound + .milliseconds(1),
                "seed \(seed): \(took)")
        }
    }

    /// A gap of existing flows is this, and what announcing and one probe cost.
    @Test func `with a heartbeat of 5 ms and advertisements of 10 ms a death is answered within 22 ms`() {
        for seed in UInt64(1)...100 {
            var pair = PairSimulation(
                seed: seed, advertisementInterval: .milliseconds(10),
                heartbeat: HeartbeatSettings(interval: .milliseconds(5), misses: 3))
            pair.startBoth()
            pair.run(for: .milliseconds(300) + .microseconds(Int(seed) * 137))
            pair.powerOff(0)
            let died = pair.now
            pair.run(for: .milliseconds(100))
            let took = pair.reports(1, .active).first.map { $0.at - died } ?? .seconds(1)
            #expect(took <= .milliseconds(22), "seed \(seed): \(took)")
        }
    }
}
