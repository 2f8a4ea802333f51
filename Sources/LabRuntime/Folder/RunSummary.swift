internal import LabTime

/// `run.json`: facts about a run that nothing else in its folder holds.
struct RunSummary: Codable {
    var started: Timestamp
    /// From the supervisor's start until everything was captured.
    var seconds: Double
    var version = 1
}
