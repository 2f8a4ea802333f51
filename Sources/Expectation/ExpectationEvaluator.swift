public import Evidence

/// Evaluates the expectations of a variant from the evidence of its run.
///
/// No error here can make an expectation pass: what cannot be read is inconclusive, with the reason.
public struct ExpectationEvaluator: Sendable {
    public let evidence: RunEvidence

    /// Complexity: for each target of programs of kind `command` one pass over the captures of its client.
    public init(_ evidence: RunEvidence) {
        // What cannot be read here cannot be read by the expectations either, which then have the reason.
        self.evidence = (try? CommandEnds.found(in: evidence)) ?? evidence
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
