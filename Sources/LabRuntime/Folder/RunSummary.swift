internal import Evidence
internal import Integrity
internal import LabTime

/// `run.json`: facts about a run that nothing else in its folder holds.
struct RunSummary: Codable {
    var started: Timestamp
    /// From the supervisor's start until everything was captured.
    var seconds: Double
    var version = 1
    /// Every file that a verdict depends on, as it was when the run was complete; nil in runs of earlier versions.
    var files: [FileRecord]?
    /// How far the wall clock was set during the run; nil in runs of earlier versions.
    var clockStepMilliseconds: Double?
    /// What is missing in files because of their limits; nil where nothing is.
    var leftOut: [FileGap]?
}
