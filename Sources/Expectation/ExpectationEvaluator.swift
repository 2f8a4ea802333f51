public import Evidence

/// Judges what a variant expects by what its run left behind.
///
/// Nothing that goes wrong here passes: what cannot be read or understood is inconclusive, in words.
public struct ExpectationEvaluator: Sendable {
    public let evidence: RunEvidence

    public init(_ evidence: RunEvidence) {
        self.evidence = evidence
    }

    /// One result for each expectation, in their order.
    public func evaluate(_ specifications: [ExpectationSpecification]) -> [ExpectationResult] {
        specifications.map { evaluate($0) }
    }

    /// Complexity: one pass over the captures that the expectation names.
    public func evaluate(_ specification: ExpectationSpecification) -> ExpectationResult {
        var result = evaluateAlone(specification)
        result.weigh(evidence.delays, before: specification.subject.value.end(in: evidence), in: evidence)
        result.events = specification.subject.value.events(in: evidence)
        return result
    }

    /// As if the machine had never kept a process waiting.
    private func evaluateAlone(_ specification: ExpectationSpecification) -> ExpectationResult {
        do {
            return try specification.subject.value.evaluate(id: specification.id, in: evidence)
        } catch let missing as MissingEvent {
            return result(specification, .fail, missing.description)
        } catch let undecidable as UndecidableExpectation {
            return result(specification, .inconclusive, undecidable.reason)
        } catch {
            return result(specification, .inconclusive, "the evidence could not be read: \(error)")
        }
    }

    private func result(
        _ specification: ExpectationSpecification, _ verdict: ExpectationVerdict, _ seen: String
    ) -> ExpectationResult {
        ExpectationResult(
            id: specification.id, verdict: verdict, expected: specification.subject.sentence, seen: seen)
    }
}
