public import Evidence
public import LabTime

/// A kind of expectation, with the values that a lab gives it.
///
/// How the kind is written in a lab file is a line of the table in `Topology`.
public protocol ExpectationKind: Hashable, Sendable, Codable {
    /// What is expected, as a sentence without its full stop.
    var sentence: String { get }
    /// Whether it would pass in a lab in which nothing happens at all: absence alone satisfies it, and the lab names
    /// nothing that must be there beside it.
    var isBorneOutByAbsence: Bool { get }

    /// - Throws: `UndecidableExpectation`, or whatever else keeps the evidence from deciding; it never passes on evidence
    ///   that is missing
    func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult

    /// Every event that it refers to, as far as it happened, in the order of its words.
    func events(in evidence: RunEvidence) -> [EventReference]
    /// The end of the time that it is about; nil for the run's end.
    func end(in evidence: RunEvidence) -> Timestamp?
}

extension ExpectationKind {
    public func end(in evidence: RunEvidence) -> Timestamp? { nil }
}
