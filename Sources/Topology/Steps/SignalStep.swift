import Configuration
package import LabEvents
import LabFile

/// A signal that programs take, by its name without SIG.
package enum ProgramSignal: String, CaseIterable, Hashable, Sendable, Codable {
    case HUP, INT, QUIT, USR1, USR2, TERM, KILL, STOP, CONT, WINCH, ALRM

    /// Whether a program that ends afterwards does what it is asked to.
    var ends: Bool {
        switch self {
        case .INT, .QUIT, .TERM, .KILL: true
        case .HUP, .USR1, .USR2, .STOP, .CONT, .WINCH, .ALRM: false
        }
    }
}

/// A program's main process gets a signal.
package struct SignalStep: LiveStepKind {
    package static let event = EventKind.signal
    package static let summary =
        "sends a signal (`HUP`, `QUIT`, …) to the program's main process. After `TERM`, `QUIT`, `INT` and `KILL` its end is expected, after others with `ends: on`"
    package static let form = "{ node/program: HUP }"
    package static let options = ["ends"]
    package static let example = "lb/haproxy HUP"

    package var program: ProgramReference
    package var signal: ProgramSignal
    /// Whether the program may end from now on.
    package var ends: Bool

    package var node: String { program.node }
    package var written: String { "\(program) \(signal.rawValue)" }
    package var details: EventDetails { [.program: program.program, .signal: signal.rawValue] }
    package var subject: String? { program.description }

    package static func read(_ step: LiveStepReading) -> SignalStep? {
        guard let program = step.program(), var words = step.words(),
            let word = words.next("a signal")
        else { return nil }
        let bare = word.hasPrefix("SIG") ? String(word.dropFirst(3)) : word
        guard let signal = ProgramSignal(rawValue: bare), words.isEmpty else {
            let known = ProgramSignal.allCases.map(\.rawValue)
            step.refuse(
                "'\(LabValue.shortened(word))' is no signal for a program", allowed: known,
                suggestion: Spelling.nearest(to: bare, among: known))
            return nil
        }
        return SignalStep(program: program, signal: signal, ends: step.mapping.flag("ends") ?? signal.ends)
    }

    package func actions(on node: Node) throws(FaultRefusal) -> [NodeAction] {
        try program.check(on: node)
        return [.signalProgram(program, signal, ends: ends)]
    }
}
