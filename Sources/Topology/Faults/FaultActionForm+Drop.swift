import Impairment
import LabFile

/// The frame is dropped.
extension FaultActionForm {
    static let drop = FaultActionForm(word: "drop", summary: "`drop`", examples: ["drop"]) { reading, value in
        guard let value else { return .drop }
        reading.reader.report(
            "'drop' is \(value.found)", at: value.position, allowed: ["nothing: 'do: drop' says all"])
        return nil
    }
}
