import Expectation
import LabFile

/// How one kind of expectation is written in a lab file, and what reads it.
struct ExpectationForm: Sendable {
    /// What was read, and the words of its id where the lab has none.
    typealias Read = (subject: ExpectationSpecification.Subject, words: String)
    typealias Reading =
        @Sendable (
            _ reading: inout ExpectationReading, _ subject: LabEntry, _ item: MappingReader
        ) -> Read?

    /// The key that an expectation of this kind has; nil for the name of a traffic program.
    var word: String?
    /// What it checks, for the reference: a link to its part of the page.
    var summary: String
    /// An expectation, or several, of a lab with the nodes `client`, `lb` and `server` and the traffic `app`.
    var example: String
    /// The keys of the mapping below its word.
    var keys: [String]
    /// Keys that stand beside its word.
    var requirements: [String] = []
    /// The keys of mappings further below.
    var innerKeys: [String] = []
    /// What an expectation of this kind is, resolved.
    var subject: any ExpectationKind.Type
    /// Returns nil after a report.
    var read: Reading

    /// Its name in messages between processes.
    var name: String { word ?? "traffic" }
}
