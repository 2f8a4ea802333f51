package import LabTime
package import Measurement

/// What a run of a command learns.
package enum CommandInput: Hashable, Sendable {
    /// Nothing of it is left.
    case ended(CommandEnd)
    /// The deadline has come, or any other time has.
    case time
    /// No further run begins; this one ends as it would have.
    case finish
}

package enum CommandEvent: Hashable, Sendable {
    /// SIGTERM for the command itself.
    case terminate
    /// SIGKILL for it and all that it has started.
    case kill
    /// The last event.
    case ended(FlowEnding)
}

/// One run of a command (`command`): it succeeds where it ends within the timeout with an exit code and an output as
/// they must be.
///
/// | phase | ends with | then |
/// |---|---|---|
/// | `running` | the timeout | SIGTERM |
/// | `terminating` | `grace` | SIGKILL |
/// | `killed` | `grace` | the run has timed out, whether the kernel has ended it or not |
package struct CommandModel: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case running
        case terminating(until: Instant)
        case killed(until: Instant)
        /// - Parameter latency: of a run that succeeded
        case ended(latency: Duration?)
    }

    /// How long a command may take to end after SIGTERM, and the kernel after SIGKILL.
    package static let grace = Duration.seconds(1)
    /// Characters of a line of output that a reason has.
    private static let longestLine = 200
    /// Characters of a line that patterns look at: some patterns take time that grows with the square.
    private static let longestReadLine = 4096

    private let program: TrafficProgram
    private let command: CommandTraffic
    private let started: Instant
    private var meter: FlowMeter
    private(set) var phase = Phase.running
    private var end: CommandEnd?

    package init(_ program: TrafficProgram, at now: Instant) {
        self.program = program
        command = program.options(of: CommandTraffic.self) ?? CommandTraffic()
        started = now
        meter = FlowMeter(cadence: program.every, timeout: program.timeout)
        _ = meter.ask(at: now)
    }

    package var deadline: Instant? {
        switch phase {
        case .running: started + program.timeout
        case .terminating(let until), .killed(let until): until
        case .ended: nil
        }
    }

    package mutating func step(_ input: CommandInput, at now: Instant) -> [CommandEvent] {
        switch (phase, input) {
        case (.ended, _), (_, .finish): return []
        case (.running, .ended(let end)):
            self.end = end
            if let problem = problem(with: end) { return close(FlowEnding(outcome: .failed, reason: problem)) }
            meter.answered(0, at: now)
            return close(.survived, latency: now - started)
        case (.terminating, .ended(let end)):
            return close(timedOut(", and was ended by SIGTERM" + lastLine(of: end)))
        case (.killed, .ended(let end)):
            return close(timedOut(", did not end after SIGTERM, and was killed" + lastLine(of: end)))
        case (.running, .time):
            guard isDue(now) else { return [] }
            phase = .terminating(until: now + Self.grace)
            return [.terminate]
        case (.terminating, .time):
            guard isDue(now) else { return [] }
            phase = .killed(until: now + Self.grace)
            return [.kill]
        case (.killed, .time):
            guard isDue(now) else { return [] }
            return close(timedOut(", and neither SIGTERM nor SIGKILL has ended it"))
        }
    }

    private func isDue(_ now: Instant) -> Bool { deadline.map { $0 <= now } ?? false }

    private mutating func close(_ ending: FlowEnding, latency: Duration? = nil) -> [CommandEvent] {
        phase = .ended(latency: latency)
        return [.ended(ending)]
    }

    private func timedOut(_ how: String) -> FlowEnding {
        FlowEnding(outcome: .timedOut, reason: "did not end within \(program.timeout)\(how)")
    }

    /// What is not as it must be; nil where all is.
    private func problem(with end: CommandEnd) -> String? {
        guard command.exits.contains(end.exit) else {
            let allowed = command.exits.map(String.init).joined(separator: " or ")
            let how = end.signal.map { "was killed by \($0)" } ?? "exited with code \(end.exit), not \(allowed)"
            return how + lastLine(of: end)
        }
        guard let pattern = command.output, Self.lastMatch(of: pattern, in: end.output) == nil else { return nil }
        return "its output does not match '\(pattern)'" + lastLine(of: end)
    }

    private func lastLine(of end: CommandEnd) -> String {
        let line = end.output.split(whereSeparator: \.isNewline).last { $0.contains { !$0.isWhitespace } }
        return line.map { "; its last line is '\($0.prefix(Self.longestLine))'" } ?? "; it printed nothing"
    }

    /// The last match in the last line that has one; lines are read as far as those of programs' output.
    ///
    /// Reading has refused what is no pattern; of a saved run it matches nothing.
    private static func lastMatch(of pattern: String, in text: String) -> Regex<AnyRegexOutput>.Match? {
        guard let pattern = try? Regex(pattern) else { return nil }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).reversed() {
            if let match = line.prefix(longestReadLine).matches(of: pattern).last { return match }
        }
        return nil
    }

    private var values: [String: Double]? {
        guard let end, !command.values.isEmpty else { return nil }
        var values: [String: Double] = [:]
        for value in command.values {
            guard let match = Self.lastMatch(of: value.pattern, in: end.output),
                let text = match.output.first(where: { $0.name == CommandTraffic.valueGroup })?.substring,
                let number = Double(text), abs(number) <= CommandTraffic.greatestValue
            else { continue }
            values[value.name] = number
        }
        return values
    }

    package func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures {
        var figures = FlowFigures(started: started, reading: meter.reading(endedAt: end, outcome: ending.outcome))
        if case .ended(let latency) = phase { figures.latency = latency }
        figures.exit = self.end?.exit
        figures.values = values
        return figures
    }
}
