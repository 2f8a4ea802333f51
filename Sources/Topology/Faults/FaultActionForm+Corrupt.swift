import Impairment
import LabFile

/// A bit of the frame is flipped.
extension FaultActionForm {
    static let corrupt = FaultActionForm(
        word: "corrupt",
        summary:
            "`corrupt`, `{ corrupt: { part, byte, bit, checksums } }`: flips one bit. `part` is `frame`, `ip`, `transport` or `payload`; `checksums` are `wrong` or `fixed`",
        examples: ["corrupt", "{ corrupt: { part: payload, byte: 3, bit: 0, checksums: fixed } }"],
        keys: ["part", "byte", "bit", "checksums"]
    ) { reading, value in reading.corruption(value).map { .corrupt($0) } }
}

extension FaultActionReading {
    /// `corrupt`, `{ part: payload, byte: 3, bit: 0, checksums: fixed }`
    fileprivate func corruption(_ value: LabValue?) -> Corruption? {
        guard let value else { return Corruption() }
        guard let mapping = MappingReader(value, "a corruption", keys: FaultActionForm.corrupt.keys, reader)
        else {
            return nil
        }
        return Corruption(
            part: mapping.choice("part") ?? .payload, byte: mapping.integer("byte", in: 0...65_535),
            bit: mapping.integer("bit", in: 0...7), checksums: mapping.choice("checksums") ?? .wrong)
    }
}
