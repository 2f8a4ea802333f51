import Foundation
import TestSupport

/// One life of a lab that is disturbed once. The same number of the same seed always picks the same phase, moment
/// within it, signal and victim, as far as these are there.
struct KillAttempt {
    var number: Int
    var seed: UInt64
    var kind: KillKind
    /// The phase to kill in.
    var aim: KillKind.Phase
    /// How long the phases of a life take here.
    var lengths: [KillKind.Phase: Double]

    struct Outcome {
        /// nil where nothing was alive any more.
        var victim: String?
        var phase: KillKind.Phase
        var problems: [String]
    }

    /// Labs of this process alone, whoever else runs some.
    static let prefix = "kill-\(getpid())-"

    func carryOut(in folder: String) throws -> Outcome {
        var generator = SeededGenerator(seed: seed &+ UInt64(number) &* 1_000_003)
        let share = Double.random(in: 0..<1, using: &generator)
        let signal = [SIGKILL, SIGKILL, SIGKILL, SIGTERM, SIGINT].randomElement(using: &generator)!
        let choice = Int.random(in: 0..<1_000_000, using: &generator)
        let name = "\(Self.prefix)\(number)"
        defer { Self.remove(name, in: folder) }
        let command = try kind.command(of: name, in: folder)
        try command.start()
        while command.process.isRunning, kind.phase(of: name, in: folder) != aim { usleep(2000) }
        // A stated moment of the phase; nothing is hoped to have happened by then.
        Thread.sleep(forTimeInterval: share * lengths[aim, default: 0.2])
        let candidates = ProcessTree.descendants(of: command.process.processIdentifier).filter {
            $0.name.hasPrefix("fl-") || $0.name == "failoverlab"
        }
        let victim = candidates.isEmpty ? nil : candidates[choice % candidates.count]
        let phase = kind.phase(of: name, in: folder)
        if let victim { kill(victim.pid, signal) }
        let hasEnded = Self.awaitEnd(of: command)
        let result = command.finish()
        var outcome = Outcome(victim: victim?.name, phase: phase, problems: [])
        func record(_ problem: String) {
            outcome.problems.append(
                "kill \(number) of seed \(seed), \(kind.rawValue), \(phase.rawValue): signal \(signal) to \(victim?.name ?? "nothing"): \(problem)"
            )
        }
        if !hasEnded { record("it did not end within \(Self.timeout) s") }
        if result.status == 99 || !result.errors.contains("left 0") { record("\(result.status) \(result.errors)") }
        let captures = Lab.captures(in: "\(folder)/\(name)")
        for capture in captures { if let problem = try CaptureStructure.problem(in: capture) { record(problem) } }
        // An independent reader, for one of them.
        if let tshark = TShark.path,
            let capture = captures.filter({ CaptureStructure.hasHeader($0) }).randomElement(using: &generator),
            case let read = try Command.run(tshark, ["-r", capture, "-c", "1", "-n"]), read.status != 0
        {
            record("\(capture): \(read.errors)")
        }
        return outcome
    }

    /// So long a life may take on a busy machine.
    private static let timeout = 90.0

    /// - Returns: false where it has not ended by itself, and was ended with everything below it
    private static func awaitEnd(of command: Command) -> Bool {
        let deadline = Date() + timeout
        while command.process.isRunning, Date() < deadline { usleep(10_000) }
        guard command.process.isRunning else { return true }
        for process in ProcessTree.descendants(of: command.process.processIdentifier) { kill(process.pid, SIGKILL) }
        return false
    }

    /// An undisturbed life: how long each phase takes.
    static func lengths(of kind: KillKind, in folder: String) throws -> (
        lengths: [KillKind.Phase: Double], CommandResult
    ) {
        let name = "\(prefix)\(kind)".lowercased()
        defer { remove(name, in: folder) }
        let command = try kind.command(of: name, in: folder)
        var lengths: [KillKind.Phase: Double] = [:]
        var last = Date()
        try command.start()
        while command.process.isRunning {
            let phase = kind.phase(of: name, in: folder)
            let now = Date()
            lengths[phase, default: 0] += now.timeIntervalSince(last)
            last = now
            usleep(2000)
        }
        return (lengths, command.finish())
    }

    private static func remove(_ name: String, in folder: String) {
        for suffix in ["", ".yaml", ".up", ".down"] {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)\(suffix)")
        }
    }
}
