import Measurement

extension TrafficExpectation {
    /// `every flow of existing times out; its longest gap is below 1 s`
    public var sentence: String {
        var parts: [String] = []
        if let outcome { parts.append("every flow of \(traffic) \(outcome.verb)") }
        if fails { parts.append("no flow of \(traffic) survives") }
        if let longestGap {
            parts.append("longest gap of \(traffic) \(longestGap.relation.rawValue) \(longestGap.value.forPeople)")
        }
        if let longestDisconnection {
            parts.append(
                "longest time of \(traffic) without a connection \(longestDisconnection.relation.rawValue) \(longestDisconnection.value.forPeople)"
            )
        }
        for (name, comparison) in [
            ("lost", lost), ("duplicated", duplicated), ("reordered", reordered), ("reconnects", reconnects),
        ] {
            guard let comparison else { continue }
            parts.append("\(name) of \(traffic) \(comparison.relation.rawValue) \(comparison.value)")
        }
        if let loss = randomLoss {
            parts.append(
                "about \(RandomLoss.percent(loss.share)) of \(traffic) fail, a count that random loss gives in \(RandomLoss.percent(loss.confidence)) of all runs"
            )
        }
        if !statuses.isEmpty {
            parts.append("requests of \(traffic) get " + statuses.map(\.words).joined(separator: ", "))
        }
        if !values.isEmpty { parts.append("of each run of \(traffic) " + values.map(\.words).joined(separator: ", ")) }
        if parts.isEmpty { parts.append("\(traffic) opens at least one flow") }
        return parts.joined(separator: ", and ") + startWords
    }

    /// `, counting flows that started after failover`
    private var startWords: String {
        let window = TimeWindow.words(after: after, before: before)
        return window.isEmpty ? "" : " (flows that started\(window))"
    }
}

extension FlowOutcome {
    fileprivate var verb: String {
        switch self {
        case .survived: "survives"
        case .timedOut: "times out"
        case .reset: "is reset"
        case .refused: "is refused"
        case .failed: "fails"
        case .mixed: "ends with several outcomes"
        }
    }
}
