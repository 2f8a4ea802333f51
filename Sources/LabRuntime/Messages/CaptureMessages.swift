internal import Evidence

/// One capture that the capture process is to make.
struct CaptureJob: Codable, Sendable {
    var node: String
    var interface: String
    /// Number of the descriptor of the network namespace, as the capture process inherits it.
    var namespace: Int32
    var path: String
    /// Relative to the run's folder, for the summary.
    var relativePath: String
}

enum CaptureOrder: Codable, Sendable {
    /// Answered with `armed` when every capture has seen its own sentinel.
    case arm([CaptureJob])
    /// Everything sent so far is to reach the files; answered with `finished`.
    case drain
}

enum CaptureReport: Codable, Sendable {
    case armed
    case finished([CaptureSummary])
    case failed(LabFailure)
}
