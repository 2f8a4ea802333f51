import Evidence
import LabTime

/// Whether an expectation would pass in a lab in which nothing happens at all.
extension ExpectationSpecification.Subject {
    /// True where absence alone bears it out, and the lab names nothing that must be there beside it.
    public var isBorneOutByAbsence: Bool {
        switch self {
        case .frames(let expectation): expectation.requirement.isBorneOutByAbsence && expectation.control == nil
        case .event(let expectation): expectation.count.holds(for: 0)
        case .counter(let expectation): expectation.value.holds(for: 0)
        case .log(let expectation): expectation.requirement.isBorneOutByAbsence
        case .traffic(let expectation): expectation.isBorneOutByAbsence
        case .moved, .carriedOver: false
        }
    }
}

extension FrameExpectation.Requirement {
    public var isBorneOutByAbsence: Bool {
        switch self {
        case .none: true
        case .count(let comparison, _): comparison.holds(for: 0)
        case .every, .some, .first, .sequence: false
        }
    }
}

extension LogExpectation.Requirement {
    var isBorneOutByAbsence: Bool {
        switch self {
        case .none: true
        case .count(let comparison, _): comparison.holds(for: 0)
        case .every, .some, .first: false
        }
    }
}

extension TrafficExpectation {
    /// Figures of answers alone, each with a bound that no answer at all keeps as well.
    var isBorneOutByAbsence: Bool {
        guard outcome == nil, !fails, longestGap == nil, lost == nil, chanceOfLoss == nil else { return false }
        let ofAnswers = [duplicated, reordered].compactMap(\.self)
        guard !ofAnswers.isEmpty || !statuses.isEmpty else { return false }
        return ofAnswers.allSatisfy { $0.holds(for: 0) }
            && statuses.allSatisfy { $0.answer != .none && $0.answer != .other && $0.holds(for: 0, of: 1) }
    }
}

extension TimeWindow {
    /// Why nothing of the run can bear out that something is absent in this window; nil where it can.
    ///
    /// - Parameter runEnd: until when the run is known to have been observed
    func lacksEvidence(until runEnd: Timestamp?, _ words: String) -> String? {
        guard let runEnd else { return nil }
        if let start, start >= runEnd {
            return "the window\(words) begins \((start - runEnd).forPeople) after the end of the run, where nothing is"
        }
        if let end, end > runEnd {
            return
                "the window\(words) ends \((end - runEnd).forPeople) after the end of the run, and nobody has seen the rest; let the scenario wait longer"
        }
        return nil
    }
}
