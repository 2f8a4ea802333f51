internal import Glibc
internal import LabTime

/// One line on a terminal's standard error with the progress of a run; nothing at all elsewhere.
final class Progress {
    let isShown: Bool
    private let names: [String]
    private let begin = ContinuousClock.now
    private var shown = ""

    init(names: [String], isWanted: Bool) {
        self.names = names
        isShown = isWanted && isatty(STDERR_FILENO) == 1
    }

    func show(_ states: [WaveScheduler.State]) {
        let elapsed = ContinuousClock.now - begin
        let ended = states.count { $0 == .ended }
        let current = zip(names, states).first { if case .running = $1 { true } else { false } }
        var line =
            "\(Int(elapsed.milliseconds / 100) / 10).\(Int(elapsed.milliseconds / 100) % 10) s  \(ended)/\(states.count) done"
        let building = states.count { $0 == .building }
        if building > 0 { line += ", \(building) building" }
        if let current, case .running(let step) = current.1 { line += ", \(current.0): \(step)" }
        line = String(line.prefix(max(20, Console.width(of: STDERR_FILENO) - 1)))
        guard line != shown else { return }
        shown = line
        Console.progress(line)
    }

    func clear() {
        if isShown, !shown.isEmpty { Console.progress("") }
        shown = ""
    }
}
