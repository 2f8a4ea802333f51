internal import Capture
internal import Evidence

/// One capture that the capture process is to make.
struct CaptureJob: Codable, Sendable {
    var node: String
    var interface: String
    /// Which of the network namespaces that the capture process was handed, from 0.
    var namespace: Int
    var path: String
    /// Relative to the run's folder, for the summary.
    var relativePath: String
}

/// What the capture process is to do.
struct CaptureAssignment: Codable, Sendable {
    var jobs: [CaptureJob]
    /// How many namespaces wait on the second socket.
    var namespaces: Int
    /// Bytes of a frame that are kept.
    var snapshotLength: Int
    var limit: CaptureLimit
}

enum CaptureOrder: Codable, Sendable {
    /// Answered with `armed` when every capture has seen its own sentinel.
    case arm(CaptureAssignment)
    /// Everything sent so far is to reach the files; answered with `finished`.
    case drain
}

enum CaptureReport: Codable, Sendable {
    case armed
    case finished([CaptureSummary])
    case failed(LabFailure)
    /// What the files hold by now; once a second at most, while frames come.
    case volume(CaptureVolume)
}
