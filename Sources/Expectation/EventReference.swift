import Evidence
public import LabTime

/// An event that an expectation refers to: which of those of its name it is.
public struct EventReference: Hashable, Sendable, Codable {
    public var name: String
    public var time: Timestamp
    /// From 1, over all events of that name in the run.
    public var occurrence: Int
    /// How many events of that name there were.
    public var count: Int
    /// Whether it happened while the lab came up.
    public var isBeforeScenario: Bool
    /// What it is to the expectation: `after`, `before`, `at`, `counted` or `detail of`.
    public var role: String

    init(_ event: LabEvent, role: String, in evidence: RunEvidence) {
        let all = evidence.events(named: event.name)
        name = event.name
        time = event.time
        occurrence = (all.firstIndex(of: event) ?? 0) + 1
        count = all.count
        isBeforeScenario = evidence.scenarioBegin.map { event.time < $0 } ?? false
        self.role = role
    }

    /// How many events of one expectation are kept that it only counts.
    static let counted = 3
}

extension EventReference: CustomStringConvertible {
    /// `after lb.member-down: the 2nd of 3`
    public var description: String { "\(role) \(name): the \(Self.ordinal(occurrence)) of \(count)" }

    static func ordinal(_ number: Int) -> String {
        let ending =
            switch (number % 100, number % 10) {
            case (11...13, _): "th"
            case (_, 1): "st"
            case (_, 2): "nd"
            case (_, 3): "rd"
            default: "th"
            }
        return "\(number)\(ending)"
    }
}

extension ExpectationSpecification.Subject {
    /// Every event that this expectation refers to, as far as it happened, in the order of its words.
    func events(in evidence: RunEvidence) -> [EventReference] {
        switch self {
        case .traffic(let one): return Self.ends(one.after, one.before, in: evidence)
        case .frames(let one):
            var ends = Self.ends(one.after, one.before, in: evidence)
            if let control = one.control { ends += Self.ends(control.after, control.before, in: evidence) }
            return ends.uniqued
        case .log(let one):
            return Self.ends(one.after, one.before, in: evidence)
                + Self.details(one.selection + one.requirement.checks, in: evidence)
        case .moved(let one): return Self.ends(nil, nil, at: one.moment, in: evidence)
        case .carriedOver(let one):
            return
                (Self.ends(one.first.after, one.first.before, in: evidence)
                + Self.ends(one.then.after, one.then.before, in: evidence)).uniqued
        case .counter: return []
        case .event(let one):
            let window = try? TimeWindow(after: one.after, before: one.before, within: one.within, in: evidence)
            let checks = try? ResolvedRecordChecks(one.with, in: evidence)
            var counted = evidence.events(named: one.event)
            if let window, let checks {
                let passing = counted.filter { window.contains($0.time) && checks.hold(for: $0.details) }
                if !passing.isEmpty { counted = passing }
            }
            return Self.ends(one.after, one.before, in: evidence)
                + counted.prefix(EventReference.counted).map { EventReference($0, role: "counted", in: evidence) }
                + Self.details(one.with, in: evidence)
        }
    }

    private static func ends(
        _ after: Anchor?, _ before: Anchor?, at moment: Anchor? = nil, in evidence: RunEvidence
    ) -> [EventReference] {
        if let moment {
            return (try? evidence.event(named: moment.event)).map { [EventReference($0, role: "at", in: evidence)] }
                ?? []
        }
        let opening = try? TimeWindow(after: after, before: nil, in: evidence).opening
        let closing = try? TimeWindow(after: after, before: before, in: evidence).closing
        return [
            opening.map { EventReference($0, role: "after", in: evidence) },
            closing.map { EventReference($0, role: "before", in: evidence) },
        ].compactMap(\.self)
    }

    private static func details(_ checks: [RecordCheck], in evidence: RunEvidence) -> [EventReference] {
        let names = checks.compactMap { check -> String? in
            if case .isThatOf(let event, _) = check.condition { event } else { nil }
        }
        return names.compactMap { name in
            (try? evidence.event(named: name)).map { EventReference($0, role: "detail of", in: evidence) }
        }.uniqued
    }
}

extension [EventReference] {
    fileprivate var uniqued: [EventReference] {
        var seen: Set<EventReference> = []
        return filter { seen.insert($0).inserted }
    }
}
