import Impairment
import LabFile

/// The frame is repeated.
extension FaultActionForm {
    static let duplicate = FaultActionForm(
        word: "duplicate",
        summary: "`duplicate`, `{ duplicate: 2 }`, `{ duplicate: { copies: 2, gap: 1ms } }`",
        examples: ["duplicate", "{ duplicate: 2 }", "{ duplicate: { copies: 2, gap: 1ms } }"],
        keys: ["copies", "gap"]
    ) { reading, value in reading.duplication(value).map { .duplicate($0) } }
}

extension FaultActionReading {
    /// `duplicate`, `3`, `{ copies: 3, gap: 1ms }`
    fileprivate func duplication(_ value: LabValue?) -> Duplication? {
        guard let value else { return Duplication() }
        let most = 1...100
        if value.text != nil {
            return reader.integer(value, of: "'duplicate'", in: most).map { Duplication(copies: $0) }
        }
        guard let mapping = MappingReader(value, "a duplication", keys: FaultActionForm.duplicate.keys, reader) else {
            return nil
        }
        return Duplication(
            copies: mapping.integer("copies", in: most) ?? 1, gap: mapping.duration("gap", in: Self.times) ?? .zero)
    }
}
