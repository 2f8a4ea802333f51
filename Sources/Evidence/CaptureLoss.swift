public import LabTime

/// An interval in which a capture lacks frames: the kernel's count of dropped frames was read before
/// and after it, and had grown; or the capture limit left them out.
public struct CaptureLoss: Hashable, Sendable, Codable {
    public enum Cause: String, Hashable, Sendable, Codable {
        /// `--capture-limit`
        case captureLimit = "capture-limit"
    }

    public var from: Timestamp
    public var to: Timestamp
    /// nil where the kernel gave no count: any number, or none.
    public var frames: Int?
    /// nil: they did not fit into the kernel's buffer.
    public var cause: Cause?

    public init(from: Timestamp, to: Timestamp, frames: Int?, cause: Cause? = nil) {
        self.from = from
        self.to = to
        self.frames = frames
        self.cause = cause
    }
}
