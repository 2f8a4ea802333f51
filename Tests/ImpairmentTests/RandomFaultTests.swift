import LabEvents
import LabTime
import TestSupport
import Testing
import Wire

@testable import Impairment

@Suite struct `Random faults` {
    private static let seed: UInt64 = 20_261_121

    private static func samples(_ distribution: DelayDistribution, _ count: Int = 20_000, seed: UInt64 = seed)
        -> [Double]
    {
        var random = RandomSource(seed: seed, name: "test")
        return (0..<count).map { _ in random.sample(distribution).milliseconds }
    }

    private static func mean(_ samples: [Double]) -> Double { samples.reduce(0, +) / Double(samples.count) }

    @Test func `draws delays of the distribution that was asked for`() {
        let uniform = Self.samples(.uniform(from: .milliseconds(10), to: .milliseconds(30)))
        #expect(uniform.allSatisfy { $0 >= 10 && $0 <= 30 })
        #expect(abs(Self.mean(uniform) - 20) < 0.2, "seed \(Self.seed)")

        let normal = Self.samples(.normal(mean: .milliseconds(50), deviation: .milliseconds(5)))
        let variance = Self.mean(normal.map { ($0 - 50) * ($0 - 50) })
        #expect(abs(Self.mean(normal) - 50) < 0.2, "seed \(Self.seed)")
        #expect(abs(variance.squareRoot() - 5) < 0.2, "seed \(Self.seed)")

        let exponential = Self.samples(.exponential(mean: .milliseconds(20))).sorted()
        #expect(abs(Self.mean(exponential) - 20) < 0.6, "seed \(Self.seed)")
        // The median is the mean × ln 2.
        #expect(abs(exponential[10_000] - 13.863) < 0.5, "seed \(Self.seed)")

        let pareto = Self.samples(.pareto(minimum: .milliseconds(4), shape: 3)).sorted()
        #expect(pareto[0] >= 4)
        #expect(abs(Self.mean(pareto) - 6) < 0.2, "seed \(Self.seed)")
        #expect(abs(pareto[10_000] - 5.04) < 0.1, "seed \(Self.seed)")
    }

    @Test func `draws no negative and no endless delay`() {
        #expect(Self.samples(.normal(mean: .zero, deviation: .seconds(1))).allSatisfy { $0 >= 0 })
        #expect(Self.samples(.pareto(minimum: .seconds(1), shape: 0.1)).allSatisfy { $0 <= 3_600_000 })
        #expect(Self.samples(.fixed(.seconds(-1)), 1) == [0])
    }

    @Test func `is the same for the same seed and another for another`() {
        let distribution = DelayDistribution.exponential(mean: .milliseconds(1))
        #expect(Self.samples(distribution, 100) == Self.samples(distribution, 100))
        #expect(Self.samples(distribution, 100) != Self.samples(distribution, 100, seed: 1))
    }

    @Test(arguments: [1.0, 4.0])
    func `loses the share that was asked for, in runs of the mean length`(burst: Double) {
        var rule = CableRule(
            FaultRule(name: "loss", action: .drop, seed: Self.seed), matches: nil, matchesPassing: nil)
        let lost = (0..<200_000).map { _ in rule.loses(Loss(rate: 0.05, burst: burst)) }
        let share = Double(lost.filter { $0 }.count) / 200_000
        #expect(abs(share - 0.05) < 0.004, "seed \(Self.seed): \(share)")
        let runs = zip(lost.dropFirst(), lost).filter { $0 && !$1 }.count
        let length = Double(lost.filter { $0 }.count) / Double(runs)
        // Independent losses follow one another now and then: 1 / (1 − 0.05).
        #expect(abs(length - (burst == 1 ? 1.0526 : burst)) < 0.25, "seed \(Self.seed): \(length)")
    }

    @Test func `loses all or nothing at the ends`() {
        for burst in [1.0, 5.0] {
            var rule = CableRule(FaultRule(name: "loss", action: .drop), matches: nil, matchesPassing: nil)
            let all = (0..<1000).allSatisfy { _ in rule.loses(Loss(rate: 1, burst: burst)) }
            #expect(all)
            var other = CableRule(FaultRule(name: "loss", action: .drop), matches: nil, matchesPassing: nil)
            let some = (0..<1000).contains { _ in other.loses(Loss(rate: 0, burst: burst)) }
            #expect(!some)
        }
    }

    /// Random faults over random traffic.
    private func run(seed: UInt64) throws -> (cable: TestCable, sent: [[UInt8]], passing: [Int]) {
        var generator = SeededGenerator(seed: seed)
        func pick<T>(_ list: [T]) -> T { list.randomElement(using: &generator)! }
        let actions: [FaultAction] = [
            .drop, .lose(Loss(rate: 0.3, burst: pick([1, 3]))), .delay(Delay(.exponential(mean: .milliseconds(3)))),
            .delay(Delay(.uniform(from: .zero, to: .milliseconds(9)), keepsOrder: true)),
            .duplicate(Duplication(copies: 2, gap: pick([.zero, .milliseconds(1)]))),
            .hold(
                Hold(
                    copy: pick([true, false]),
                    until: ReleaseCondition(
                        frame: PassingFrame(segment: .ack, relation: .flow), time: .milliseconds(20)))),
            .corrupt(Corruption(checksums: .fixed)), .reorder(Reordering(behind: 3)),
            .limit(RateLimit(bitsPerSecond: 100_000, queue: 2000)),
        ]
        let rules = (0..<3).map { number in
            FaultRule(
                name: "rule-\(number)",
                // Nothing is done to port 40003: those frames are the witnesses.
                selection: FrameSelection(
                    filter: "port \(40000 + number)", segment: pick([nil, .data, .fin]),
                    occurrence: pick([.all, .nth(2), .everyNth(3), .from(2)]), countsEachFlow: pick([true, false])),
                action: pick(actions), seed: seed)
        }
        let cable = try TestCable(rules, limits: .init(frames: 40))
        var (sent, witnesses): ([[UInt8]], [Int]) = ([], [])
        for step in 0..<300 {
            let port = UInt16.random(in: 40000...40003, using: &generator)
            let number = UInt8(truncatingIfNeeded: step)
            let frame = pick([
                CableFrame.data(number, clientPort: port), CableFrame.tcp([.fin, .ack], clientPort: port),
                CableFrame.tcp(.ack, payload: [], clientPort: port),
            ])
            let before = cable.left.count
            cable.arrive(frame, at: Int64(step) * 500)
            if port == 40003 {
                let new = cable.left[before...]
                #expect(new.contains { $0.bytes == frame && $0.at == Int64(step) * 500 }, "seed \(seed), step \(step)")
                witnesses.append(step)
            }
            #expect(cable.held <= 40, "seed \(seed)")
            sent.append(frame)
        }
        cable.advance(to: 10_000_000)
        return (cable, sent, witnesses)
    }

    @Test(arguments: 1...60)
    func `never delays a frame that no fault selects, and loses none that it does not report`(seed: UInt64) throws {
        let (cable, sent, witnesses) = try run(seed: seed)
        #expect(!witnesses.isEmpty)
        // Witnesses leave in the order in which they came.
        let port: [UInt8] = [0x9c, 0x43]
        let sentByThem = sent.filter { Array($0[34...35]) == port }
        let leftOfThem = cable.left.map(\.bytes).filter { Array($0[34...35]) == port }
        #expect(leftOfThem == sentByThem, "seed \(seed)")
        #expect(cable.tally.queueFull == 0)
        let duplicates = 2 * cable.events.filter { $0.kind == .duplicated }.count
        let heldCopies = cable.events.filter { $0.kind == .held && $0.details[.copy] == "on" }.count
        let lostCopies = cable.events.filter { $0.kind == .overflow && $0.details[.lost] == "the copy" }.count
        // A duplicated frame that is then dropped by a later rule leaves no copies: rules are for different ports here.
        let dropped = Int(cable.tally.dropped)
        let expected: Int = sent.count + duplicates + heldCopies - lostCopies - dropped
        #expect(cable.left.count == expected, "seed \(seed)")
        #expect(cable.held == 0, "seed \(seed): nothing is held for ever")
    }

    @Test func `replays from its seed, event by event`() throws {
        for seed in UInt64(1)...10 {
            let (one, two) = (try run(seed: seed).cable, try run(seed: seed).cable)
            #expect(one.left == two.left, "seed \(seed)")
            #expect(one.events == two.events, "seed \(seed)")
        }
    }

    @Test func `goes on when more is due than the queue takes`() throws {
        let rule = FaultRule(name: "fault", action: .delay(Delay(.fixed(.milliseconds(1)))))
        let cable = try TestCable([rule], capacity: 8)
        for number in UInt8(1)...50 { cable.arrive(CableFrame.data(number), at: 0) }
        cable.advance(to: 1000)
        #expect(cable.payloads == Array(1...50))
        #expect(cable.tally.queueFull == 0)
    }
}
