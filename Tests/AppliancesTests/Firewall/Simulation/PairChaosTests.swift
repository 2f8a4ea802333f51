import Foundation
import Redundancy
import Testing

/// The whole pair in virtual time, at least a million steps of it.
struct PairChaosTests {
    /// Fewer for a hunt over many seeds: `PAIR_STEPS=20000`.
    private static let steps = environment("PAIR_STEPS").flatMap { Int($0) } ?? 65_536

    /// Other seeds than the suite's, for a hunt: `PAIR_SEEDS=100-199`.
    private static let seeds: [UInt64] = {
        let bounds = environment("PAIR_SEEDS")?.split(separator: "-").compactMap { UInt64($0) }
        guard let bounds, let first = bounds.first, let last = bounds.last, first <= last else { return Array(1...16) }
        return Array(first...last)
    }()

    fileprivate static func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    @Test(arguments: seeds)
    func `whatever happens to links and boxes, the pair keeps its promises after every step`(seed: UInt64) throws {
        let run = try PairRun(seed: seed)
        var chaos = PairChaos(seed: seed)
        guard let failure = try run.run(&chaos, steps: Self.steps) else { return }
        let again = try PairFailure.keep(run.trace)
        Issue.record("\(failure)\n\(again)")
    }

    /// What a hunt has found, or a person has shortened: `PAIR_TRACE=path`.
    @Test(.enabled(if: PairChaosTests.environment("PAIR_TRACE") != nil))
    func `a trace that was kept breaks no promise any more`() throws {
        let path = try #require(Self.environment("PAIR_TRACE"))
        let trace = try PairTrace(text: String(contentsOfFile: path, encoding: .utf8))
        let run = try PairRun(seed: trace.seed, breach: PairBreach.all.first { $0.name == trace.breach })
        var replay = PairReplay(trace)
        let failure = try run.run(&replay, steps: Self.steps)
        #expect(failure == nil)
    }

    @Test func `every rule of a pair has a breach here`() {
        #expect(PairBreach.all.reduce(into: PairRules()) { $0.formUnion($1.rules) } == .all)
    }

    @Test(arguments: PairBreach.all)
    func `a rule that is broken on purpose is noticed, and found again by the seed and by the trace`(
        breach: PairBreach
    ) throws {
        for seed in [breach.seed] + Array(1...64) {
            let run = try PairRun(seed: seed, breach: breach)
            var chaos = PairChaos(seed: seed)
            guard let failure = try run.run(&chaos, steps: Self.steps) else { continue }
            if seed != breach.seed { print("'\(breach.name)' shows with seed \(seed), not with \(breach.seed)") }
            var same = PairChaos(seed: seed)
            let again = try PairRun(seed: seed, breach: breach).run(&same, steps: Self.steps)
            #expect(again == failure)
            var replay = PairReplay(try PairTrace(text: run.trace.text()))
            let replayed = try PairRun(seed: seed, breach: breach).run(&replay, steps: Self.steps)
            #expect(replayed == failure)
            return
        }
        Issue.record("no seed from 1 to 64 shows that \(breach.name)")
    }
}
