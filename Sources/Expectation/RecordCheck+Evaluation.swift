import Evidence

/// Checks of records whose references to events are replaced by the details of those events.
struct ResolvedRecordChecks: Sendable {
    private let checks: [(field: String, condition: RecordCheck.Condition)]

    /// - Throws: `MissingEvent`, or `UndecidableExpectation` where an event has no such detail
    init(_ checks: [RecordCheck], in evidence: RunEvidence) throws {
        self.checks = try checks.map { check in
            guard case .isThatOf(let name, let detail) = check.condition else { return (check.field, check.condition) }
            let event = try evidence.event(named: name)
            guard let value = event.details[detail] else {
                let known = event.details.keys.sorted().joined(separator: ", ")
                throw UndecidableExpectation(
                    "event \(name) has no detail '\(detail)'" + (known.isEmpty ? "" : "; it has \(known)"))
            }
            return (check.field, .isOneOf([value]))
        }
    }

    /// A record without the field passes no check of it, not even a negative one.
    func hold(for record: [String: String]) -> Bool {
        checks.allSatisfy { field, condition in
            guard let value = record[field] else { return false }
            return switch condition {
            case .isOneOf(let values): values.contains(value)
            case .isNoneOf(let values): !values.contains(value)
            case .compares(let comparison): Double(value).map(comparison.holds) ?? false
            case .isThatOf: false
            }
        }
    }

    var isEmpty: Bool { checks.isEmpty }

    /// The checked fields as the record has them: `status 502, snatPort 4000`.
    func seen(in record: [String: String]) -> String {
        checks.map { "\($0.field) \(record[$0.field] ?? "missing")" }.joined(separator: ", ")
    }

    /// Fields that are checked and that none of the records has: a check of them would prove nothing about the run.
    func unknownFields(among records: some Sequence<[String: String]>) -> [String] {
        var unknown = checks.map(\.field)
        for record in records {
            unknown.removeAll { record[$0] != nil }
            if unknown.isEmpty { break }
        }
        return unknown
    }
}
