internal import LabTime

/// When a wait ends without what it waits for.
struct Timeout: Hashable, Sendable {
    /// For messages.
    let duration: Duration
    let at: Instant

    init(_ duration: Duration, from now: Instant) {
        self.duration = duration
        at = now + duration
    }
}

/// Answers that must all arrive before the scenario goes on.
struct AwaitedAnswers: Hashable, Sendable {
    enum Subject: Hashable, Sendable {
        /// Of nodes.
        case delayWatches
        /// Of traffic programs.
        case traffic
        /// Of nodes.
        case counters
    }

    let subject: Subject
    /// Names of nodes or of traffic programs.
    private(set) var missing: Set<String>
    let timeout: Timeout

    init(_ subject: Subject, of names: [String], _ timeout: Timeout) {
        self.subject = subject
        missing = Set(names)
        self.timeout = timeout
    }

    var areComplete: Bool { missing.isEmpty }

    mutating func arrived(_ name: String) { missing.remove(name) }

    var failure: ScenarioFailure {
        let (what, prefix) =
            switch subject {
            case .delayWatches: ("the begin of the scenario", "the watch for delays of ")
            case .traffic: ("finishing traffic", "traffic ")
            case .counters: ("reading counters", "counters of ")
            }
        let names = missing.sorted().map { prefix + $0 }.joined(separator: ", ")
        return ScenarioFailure(.timeout, "\(what) took longer than \(timeout.duration): no answer from \(names)")
    }
}

extension ScenarioPlayer.Phase {
    /// - Returns: whether it was the last answer; nil where no answer about the subject is awaited
    mutating func answered(_ subject: AwaitedAnswers.Subject, by name: String) -> Bool? {
        let remake: (AwaitedAnswers) -> Self
        var answers: AwaitedAnswers
        switch self {
        case .beginning(let awaited): (answers, remake) = (awaited, { .beginning($0) })
        case .stopping(let awaited): (answers, remake) = (awaited, { .stopping($0) })
        case .draining(let awaited): (answers, remake) = (awaited, { .draining($0) })
        case .readingCounters(let awaited): (answers, remake) = (awaited, { .readingCounters($0) })
        default: return nil
        }
        guard answers.subject == subject else { return nil }
        // Otherwise the set would be copied for each of a thousand nodes.
        self = .acting
        answers.arrived(name)
        self = remake(answers)
        return answers.areComplete
    }
}
