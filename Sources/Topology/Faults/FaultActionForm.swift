import Impairment
import LabFile

/// How an action of an exact fault is written after `do:`, and what reads it.
struct FaultActionForm: Sendable {
    typealias Reading = @Sendable (_ reading: inout FaultActionReading, _ value: LabValue?) -> FaultAction?

    var word: String
    /// Its forms, for the reference.
    var summary: String
    /// Values of `do:`.
    var examples: [String]
    /// The keys of its mapping.
    var keys: [String] = []
    /// The keys of mappings below.
    var innerKeys: [String] = []
    /// Whether its word alone says enough.
    var isBare = true
    /// The value is nil where the word stands alone. Returns nil after a report, or where a value is missing.
    var read: Reading
}

public enum FaultActionForms {
    /// One line an action, in the order in which messages list them.
    static let table: [FaultActionForm] = [
        .drop,
        .loss,
        .delay,
        .duplicate,
        .hold,
        .corrupt,
        .reorder,
        .rate,
    ]

    /// What can happen to a frame.
    public static let words = table.map(\.word)
}
