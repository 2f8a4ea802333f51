import Appliances
import Foundation
import LabEvents
import LabTime
import VirtualNetwork

/// A promise of a pair that was broken.
struct PairFailure: Equatable, CustomStringConvertible {
    let seed: UInt64
    let step: Int
    /// Since the beginning.
    let at: Duration
    /// The promise.
    let promise: String
    let finding: String
    /// What happened last, for whoever looks for the reason.
    let story: String

    init(promise: String, finding: String, of run: PairRun) {
        (self.promise, self.finding) = (promise, finding)
        (seed, step, at) = (run.trace.seed, run.lab.network.steps, run.lab.now - FirewallLab.origin)
        let events = run.lab.boxes.flatMap { box in
            box.events.suffix(20).map { event in
                (
                    (event.at - FirewallLab.origin).nanoseconds,
                    "\(box.name) \(event.kind) \(event.details.values.sorted().joined(separator: ", "))"
                )
            }
        }
        let actions = run.trace.entries.suffix(40).map { ($0.at, "\($0.action)") }
        story = (events + actions).sorted { $0.0 < $1.0 }.suffix(40).map { "  \($0.0 / 1000) µs  \($0.1)" }
            .joined(separator: "\n")
    }

    var description: String {
        "seed \(seed), step \(step), at \(at.nanoseconds / 1000) µs: \(finding); the promise: \(promise)\n\(story)"
    }

    /// Writes the trace beside other temporary files.
    /// - Returns: how to see it again
    static func keep(_ trace: PairTrace) throws -> String {
        let path = NSTemporaryDirectory() + "pair-\(trace.seed).trace"
        try trace.text().write(toFile: path, atomically: true, encoding: .utf8)
        return "again: PAIR_SEEDS=\(trace.seed)-\(trace.seed), or PAIR_TRACE=\(path)"
    }
}
