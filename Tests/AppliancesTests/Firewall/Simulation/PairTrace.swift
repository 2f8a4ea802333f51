import Foundation
import LabTime

/// Everything that was done to a pair, and when: it replays without the chaos that thought of it. Lines may be taken
/// away, which is how a failure becomes small.
struct PairTrace {
    struct Entry: Codable {
        /// Since the beginning, in nanoseconds.
        var at: Int64
        /// After so many steps of that instant.
        var steps: Int
        var action: PairAction
    }

    private struct Head: Codable {
        var seed: UInt64
        var breach: String?
    }

    let seed: UInt64
    /// The name of what is broken on purpose.
    let breach: String?
    var entries: [Entry] = []

    init(seed: UInt64, breach: String? = nil) {
        (self.seed, self.breach) = (seed, breach)
    }

    // MARK: Text: JSON lines, the first with the seed

    init(text: String) throws {
        let (lines, decoder) = (text.split(separator: "\n").map { Data($0.utf8) }, JSONDecoder())
        let head = try decoder.decode(Head.self, from: lines.first ?? Data())
        self.init(seed: head.seed, breach: head.breach)
        entries = try lines.dropFirst().map { try decoder.decode(Entry.self, from: $0) }
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let lines = try [encoder.encode(Head(seed: seed, breach: breach))] + entries.map { try encoder.encode($0) }
        return lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
    }
}

/// Does to a pair what was done to another.
struct PairReplay: PairDirector {
    private let entries: [PairTrace.Entry]
    private var next = 0

    init(_ trace: PairTrace) { entries = trace.entries }

    func nextAction(_ run: PairRun) -> Instant {
        next < entries.count ? instant(entries[next]) : run.lab.now + .seconds(1)
    }

    private func instant(_ entry: PairTrace.Entry) -> Instant { FirewallLab.origin + .nanoseconds(entry.at) }

    mutating func act(on run: PairRun) throws {
        while next < entries.count {
            let entry = entries[next]
            let at = instant(entry)
            guard run.lab.now > at || run.lab.now == at && (run.stepsOfInstant >= entry.steps || run.isInstantOver)
            else { return }
            next += 1
            try run.perform(entry.action)
        }
    }
}
