public import Evidence
import LabTime
import Measurement

extension TrafficExpectation {
    public func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult {
        guard let result = evidence.traffic(named: traffic) else {
            let known = evidence.traffic.map(\.program.name).joined(separator: ", ")
            throw UndecidableExpectation(
                "traffic \(traffic) left no result" + (known.isEmpty ? "" : " (there are: \(known))"))
        }
        let window = try TimeWindow(after: after, before: before, in: evidence)
        let numbers = result.flows.indices.filter { window.contains(result.flows[$0].start) }
        let flows = numbers.map { result.flows[$0] }
        guard !flows.isEmpty || result.further != nil else {
            return ExpectationResult(
                id: id, verdict: .fail, expected: sentence, seen: noFlow(of: result, window))
        }
        // Their starts are not known one by one; a lab cannot ask for a part of many flows.
        let figures = TrafficFigures(of: flows, and: result.further, program: result.program)
        let conditions = conditions(figures, flows)
        var seen = conditions.map(\.seen)
        if conditions.isEmpty { seen.append("\(Self.flows(figures.totals.flows))") }
        if result.late > 0, longestGap != nil {
            seen.append("\(result.late) probes were sent late because the machine was busy")
        }
        var verdict = ExpectationVerdict(combining: conditions.isEmpty ? [.pass] : conditions.map(\.verdict))
        guard let shown = conditions.first(where: { $0.verdict == verdict && $0.flow != nil })?.flow ?? figures.telling
        else {
            return ExpectationResult(
                id: id, verdict: .fail, expected: sentence, seen: noFlow(of: result, window))
        }
        if verdict == .pass, let lack = lackOfControl(figures) {
            verdict = .inconclusive
            seen.append("but \(lack)")
        }
        if verdict == .pass {
            let anomalies = anomalies(of: result, figures, in: evidence)
            verdict = ExpectationVerdict(combining: [.pass] + anomalies.compactMap(\.verdict))
            seen += anomalies.map { ($0.verdict == nil ? "" : "but ") + $0.seen }
        }
        // The client's figures alone decide nothing.
        if let client = try ClientFrames(of: result, in: evidence),
            let disagreement = numbers.lazy.compactMap({ client.disagreement(about: $0) }).first
                ?? result.further.flatMap({ client.disagreement(about: $0) })
                ?? (verdict == .pass ? numbers.lazy.compactMap({ client.silence(of: $0) }).first : nil)
        {
            verdict = .inconclusive
            seen.append("but \(disagreement)")
        }
        let proof = try TrafficProof(of: shown, in: result, evidence, from: window.reference)
        return ExpectationResult(
            id: id, verdict: verdict, expected: sentence, seen: seen.joined(separator: ", "), frames: proof.frames,
            wiresharkFilter: proof.wiresharkFilter)
    }

    /// Why the figures prove nothing: without requests, or without answers, nothing could have gone wrong.
    private func lackOfControl(_ figures: TrafficFigures) -> String? {
        if figures.totals.sent == 0, outcome == .survived || lost?.holds(for: 0) == true {
            return "\(traffic) sent no request"
        }
        if figures.totals.received == 0, isBorneOutByAbsence { return "\(traffic) received no answer" }
        return nil
    }

    /// One condition on the traffic, what was seen, and the flow that shows it best.
    private struct Condition {
        var verdict: ExpectationVerdict
        var seen: String
        var flow: FlowResult?

        init(holds: Bool, seen: String, flow: FlowResult?) {
            verdict = holds ? .pass : .fail
            self.seen = seen
            self.flow = flow
        }
    }

    private func conditions(_ figures: TrafficFigures, _ flows: [FlowResult]) -> [Condition] {
        var conditions: [Condition] = []
        if let outcome {
            let breaking = flows.first { $0.outcome != outcome }
            conditions.append(
                Condition(
                    holds: figures.outcomes.keys.allSatisfy { $0 == outcome },
                    seen: Self.outcomes(figures, breaking: breaking),
                    flow: breaking ?? figures.telling))
        }
        if fails {
            let surviving = flows.first { $0.outcome == .survived }
            conditions.append(
                Condition(
                    holds: figures.outcomes[.survived] == nil, seen: Self.outcomes(figures, breaking: surviving),
                    flow: surviving ?? figures.telling))
        }
        if let longestGap { conditions.append(gapCondition(longestGap, figures)) }
        if let longestDisconnection {
            let worst = flows.max { ($0.longestDisconnection ?? .zero) < ($1.longestDisconnection ?? .zero) }
            let longest = worst?.longestDisconnection ?? .zero
            conditions.append(
                Condition(
                    holds: longestDisconnection.holds(for: longest),
                    seen: "at most \(longest.forPeople) without a connection", flow: worst))
        }
        for (name, comparison, figure, value) in [
            ("reconnects", reconnects, \FlowResult.reconnectCount, flows.reduce(0) { $0 + $1.reconnectCount }),
            ("lost", lost, \.lost, figures.totals.lost),
            ("duplicated", duplicated, \.duplicated, figures.totals.duplicated),
            ("reordered", reordered, \.reordered, figures.totals.reordered),
        ] {
            guard let comparison else { continue }
            conditions.append(
                Condition(
                    holds: comparison.holds(for: value),
                    seen: "\(value) \(name)" + (name == "lost" ? " of \(figures.totals.sent)" : ""),
                    flow: flows.max { $0[keyPath: figure] < $1[keyPath: figure] }))
        }
        if let loss = randomLoss {
            let likely = loss.range(of: figures.totals.flows)
            conditions.append(
                Condition(
                    holds: likely.contains(figures.failed),
                    seen: "\(figures.failed) of \(Self.flows(figures.totals.flows)) failed, where random loss allows "
                        + "\(likely.lowerBound) to \(likely.upperBound)",
                    flow: figures.telling))
        }
        return conditions + statuses.map { statusCondition($0, flows) } + values.map { valueCondition($0, flows) }
    }

    /// `rate 812 to 1290 in 4 of 5 runs that succeeded`
    private func valueCondition(_ wanted: ValueExpectation, _ flows: [FlowResult]) -> Condition {
        let flows = flows.filter { $0.outcome == .survived }
        let numbers = flows.compactMap { $0.values?[wanted.name] }
        let breaking = flows.first(where: wanted.isBroken)
        var seen = "no run that succeeded printed \(wanted.name)"
        if let least = numbers.min(), let most = numbers.max() {
            let range = least == most ? least.forPeople : "\(least.forPeople) to \(most.forPeople)"
            seen = "\(wanted.name) \(range)"
            if flows.count > 1 { seen += " in \(numbers.count) of \(flows.count) runs that succeeded" }
        }
        if let breaking, !numbers.isEmpty, breaking.values?[wanted.name] == nil {
            seen += ", the first one without it \(breaking.place)"
        }
        return Condition(holds: breaking == nil && !numbers.isEmpty, seen: seen, flow: breaking ?? flows.first)
    }

    /// `12 of 2990 with status 502 (0.4 %)`
    private func statusCondition(_ status: StatusExpectation, _ flows: [FlowResult]) -> Condition {
        let (matching, rest) = (
            flows.filter { status.selects($0, named: statuses) }, flows.first { !status.selects($0, named: statuses) }
        )
        let holds = status.holds(for: matching.count, of: flows.count)
        let share = (Double(matching.count) / Double(flows.count) * 10_000).rounded() / 100
        return Condition(
            holds: holds,
            seen: "\(matching.count) of \(flows.count) with \(status.answer.words)"
                + (matching.isEmpty ? "" : " (\(share.forPeople) %)"),
            flow: matching.first ?? rest)
    }

    /// A silence that never ended is longer than any bound.
    private func gapCondition(_ comparison: Comparison<Duration>, _ figures: TrafficFigures) -> Condition {
        let resolution = "± \(figures.resolution.forPeople)"
        guard let silence = figures.longestSilence else {
            var condition = Condition(
                holds: false, seen: "a gap needs at least two answers", flow: figures.telling)
            condition.verdict = .inconclusive
            return condition
        }
        if silence.isOver {
            return Condition(
                holds: comparison.holds(for: silence.length),
                seen: "longest gap \(silence.length.forPeople) \(resolution)", flow: silence.flow)
        }
        let isLowerBound = comparison.relation == .greater || comparison.relation == .greaterOrEqual
        return Condition(
            holds: isLowerBound, seen: "no answer for the last \(silence.length.forPeople)",
            flow: silence.flow)
    }

    /// `4 of 4 flows timed-out`, `3 of 4 flows survived, 1 timed-out (192.0.2.10:40000)`
    private static func outcomes(_ figures: TrafficFigures, breaking: FlowResult?) -> String {
        let counts = figures.outcomes.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
        var words = counts.enumerated().map { index, count in
            index == 0
                ? "\(count.value) of \(flows(figures.totals.flows)) \(count.key.rawValue)"
                : "\(count.value) \(count.key.rawValue)"
        }
        if let breaking {
            words.append(
                "first of them \(breaking.name) \(breaking.outcome.rawValue)"
                    + (breaking.reason.map { " (\($0))" } ?? ""))
        }
        return words.joined(separator: ", ")
    }

    private static func flows(_ count: Int) -> String { count == 1 ? "1 flow" : "\(count) flows" }

    private func noFlow(of result: TrafficResult, _ window: TimeWindow) -> String {
        let nearest = result.flows.min {
            window.distance(of: $0.start).magnitude < window.distance(of: $1.start).magnitude
        }
        guard let nearest else {
            return "\(traffic) opened no flow" + (result.problem.map { ": \($0)" } ?? "")
        }
        let distance = window.distance(of: nearest.start)
        return "none of its \(Self.flows(result.flows.count)) started then; the nearest, "
            + "\(nearest.name), started \(distance.magnitude.forPeople) "
            + (distance < .zero ? "before" : "after") + " that window"
    }
}

extension FlowResult {
    /// `192.0.2.10:40000`; of a run that sent nothing to the target the address alone.
    fileprivate var name: String { sourcePort == 0 ? "\(source)" : "\(source):\(sourcePort)" }
    fileprivate var reconnectCount: Int { reconnects ?? 0 }
}
