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

extension [EventReference] {
    /// The ends of a window, or the moment at which flows change.
    static func ends(
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

    /// The events whose details are compared.
    static func details(_ checks: [RecordCheck], in evidence: RunEvidence) -> [EventReference] {
        let names = checks.compactMap { check -> String? in
            if case .isThatOf(let event, _) = check.condition { event } else { nil }
        }
        return names.compactMap { name in
            (try? evidence.event(named: name)).map { EventReference($0, role: "detail of", in: evidence) }
        }.uniqued
    }

    var uniqued: [EventReference] {
        var seen: Set<EventReference> = []
        return filter { seen.insert($0).inserted }
    }
}
