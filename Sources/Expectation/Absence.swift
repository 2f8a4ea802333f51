import Evidence
import LabTime

extension TimeWindow {
    /// Why nothing of the run can bear out that something is absent in this window; nil where it can.
    ///
    /// - Parameter runEnd: until when the run is known to have been observed
    func lacksEvidence(until runEnd: Timestamp?, _ words: String) -> String? {
        guard let runEnd else { return nil }
        if let start, start >= runEnd {
            return "the window\(words) begins \((start - runEnd).forPeople) after the end of the run, where nothing is"
        }
        if let end, end > runEnd {
            return
                "the window\(words) ends \((end - runEnd).forPeople) after the end of the run, and nobody has seen the rest; let the scenario wait longer"
        }
        return nil
    }
}
