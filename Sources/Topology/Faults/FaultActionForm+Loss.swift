import Impairment
import LabFile

/// Frames are lost at random, alone or in runs.
extension FaultActionForm {
    static let loss = FaultActionForm(
        word: "loss",
        summary: "`{ loss: 5% }`, `{ loss: { rate: 5%, burst: 3 } }` (mean length of a run of lost frames)",
        examples: ["{ loss: 5% }", "{ loss: { rate: 5%, burst: 3 } }"],
        keys: ["rate", "burst"],
        isBare: false
    ) { reading, value in value.flatMap { reading.loss($0) }.map { .lose($0) } }
}

extension FaultActionReading {
    /// `5%`, `{ rate: 5%, burst: 3 }`
    fileprivate func loss(_ value: LabValue) -> Loss? {
        guard value.entries != nil else { return share(value, of: "'loss'").map { Loss(rate: $0) } }
        guard let mapping = MappingReader(value, "a loss", keys: FaultActionForm.loss.keys, reader),
            let rate = mapping.required("rate").flatMap({ share($0, of: "'rate' of a loss") })
        else { return nil }
        guard let burst = mapping["burst"] else { return Loss(rate: rate) }
        return number(burst, of: "'burst' of a loss", in: 1...1_000_000).map { Loss(rate: rate, burst: $0) }
    }
}
