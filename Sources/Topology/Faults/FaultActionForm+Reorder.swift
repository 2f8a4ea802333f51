import Impairment
import LabFile

/// The frame passes behind later ones.
extension FaultActionForm {
    static let reorder = FaultActionForm(
        word: "reorder",
        summary: "`reorder`, `{ reorder: 3 }`, `{ reorder: { behind: 3, at-most: 100ms } }`",
        examples: ["reorder", "{ reorder: 3 }", "{ reorder: { behind: 3, at-most: 100ms } }"],
        keys: ["behind", "at-most"]
    ) { reading, value in reading.reordering(value).map { .reorder($0) } }
}

extension FaultActionReading {
    /// `reorder`, `3`, `{ behind: 3, at-most: 100ms }`
    fileprivate func reordering(_ value: LabValue?) -> Reordering? {
        guard let value else { return Reordering() }
        let most = 1...10_000
        if value.text != nil { return reader.integer(value, of: "'reorder'", in: most).map { Reordering(behind: $0) } }
        guard let mapping = MappingReader(value, "a reordering", keys: FaultActionForm.reorder.keys, reader) else {
            return nil
        }
        return Reordering(
            behind: mapping.integer("behind", in: most) ?? 1,
            atMost: mapping.duration("at-most", in: Self.times) ?? .milliseconds(100))
    }
}
