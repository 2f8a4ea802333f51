public import LabTime

/// A stretch of the run's clock in which a capture lacks frames: the kernel's count of dropped frames was asked before
/// and after it, and had grown; or a limit of its length left them out.
public struct CaptureLoss: Hashable, Sendable, Codable {
    public enum Cause: String, Hashable, Sendable, Codable {
        /// `--capture-limit`
        case captureLimit = "capture-limit"
    }

    public var from: Timestamp
    public var to: Timestamp
    /// nil where the kernel could not be asked: any number, or none.
    public var frames: Int?
    /// nil: the kernel had no room for them.
    public var cause: Cause?

    public init(from: Timestamp, to: Timestamp, frames: Int?, cause: Cause? = nil) {
        self.from = from
        self.to = to
        self.frames = frames
        self.cause = cause
    }
}
