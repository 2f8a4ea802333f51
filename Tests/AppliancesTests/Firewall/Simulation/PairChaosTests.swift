import Foundation
import Redundancy
import Testing

/// The whole pair in virtual time, at least a million steps of it.
struct PairChaosTests {
    private static let steps = 65_536

    /// Other seeds than the suite's, for a hunt: `PAIR_SEEDS=100-199`.
    private static let seeds: [UInt64] = {
        let words = ProcessInfo.processInfo.environment["PAIR_SEEDS"]?.split(separator: "-").compactMap { UInt64($0) }
        guard let words, let first = words.first, let last = words.last, first <= last else { return Array(1...16) }
        return Array(first...last)
    }()

    @Test(arguments: seeds)
    func `whatever happens to links and boxes, the pair keeps its promises after every step`(seed: UInt64) throws {
        let broken = try PairChaos(seed: seed).run(steps: Self.steps)
        #expect(broken == nil)
    }

    private static let breaches: [PairChaos.Breach] = [
        .init(name: "an Active does not yield to the better claim", rules: .yieldsToBetterClaim),
        .init(name: "a box preempts before it has the sessions", rules: .waitsForSessions),
        .init(name: "silent advertisements take the role although the heartbeat is heard", rules: .trustsHeartbeat),
        .init(name: "a box hands over and goes on forwarding", rules: .stopsBeforeHandingOver),
        .init(name: "a role that nobody took is not taken back", rules: .takesBack),
        .init(name: "a dead peer is not noticed", rules: .noticesDeath),
        .init(name: "nothing is sent again", rules: .resends),
        .init(name: "what was not consumed is acknowledged", rules: .acknowledgesWhatItConsumed),
        .init(name: "messages for another life are taken", rules: .refusesOtherEpochs),
        .init(name: "a peer that appears is not told everything", rules: .tellsEverything),
        .init(name: "a box takes over without what it was sent", rules: .commitsFirst),
        .init(name: "new sessions are not noted", rules: .notesSessions),
        .init(name: "an Active without a link keeps the role", rules: .leavesWithLinks),
        .init(name: "both boxes grant the same ports", sharesPorts: true),
        .init(name: "the second box does not keep the first one's pinholes", forgetsPinholes: true),
        .init(name: "the rules let strangers in where no pinhole does", allowsStrangers: true),
        .init(name: "a mapping is free again when its pool goes, though a session has it", freesWithPool: true),
        .init(name: "pushes are activated without comparing", pushesUnseen: true),
    ]

    @Test func `every rule of a pair has a breach here`() {
        #expect(Self.breaches.reduce(into: PairRules()) { $0.formUnion($1.rules) } == .all)
    }

    @Test(arguments: breaches)
    func `a rule that is broken on purpose is noticed, and the seed finds it again`(breach: PairChaos.Breach) throws {
        for seed in UInt64(1)...64 {
            guard let broken = try PairChaos(seed: seed, breach: breach).run(steps: Self.steps) else { continue }
            let again = try PairChaos(seed: seed, breach: breach).run(steps: Self.steps)
            #expect(again == broken)
            return
        }
        Issue.record("no seed from 1 to 64 shows that \(breach.name)")
    }
}
