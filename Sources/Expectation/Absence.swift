import Evidence
import LabTime

extension TimeWindow {
    /// Why the run cannot prove that something is absent in this window; nil where it can.
    ///
    /// - Parameter runEnd: until when the run is known to have been observed
    func lacksEvidence(until runEnd: Timestamp?, _ words: String) -> String? {
        guard let runEnd else { return nil }
        if let start, start >= runEnd {
            return
                "the window\(words) begins \((start - runEnd).forPeople) after the end of the run, where there is no evidence"
        }
        if let end, end > runEnd {
            return
                "the window\(words) ends \((end - runEnd).forPeople) after the end of the run, so its last part was not observed; add a longer wait to the scenario"
        }
        return nil
    }
}
