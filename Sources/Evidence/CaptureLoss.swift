public import LabTime

/// A stretch of the run's clock in which a capture lost frames: the kernel's count of dropped frames was asked before
/// and after it, and had grown.
public struct CaptureLoss: Hashable, Sendable, Codable {
    public var from: Timestamp
    public var to: Timestamp
    /// nil where the kernel could not be asked: any number, or none.
    public var frames: Int?

    public init(from: Timestamp, to: Timestamp, frames: Int?) {
        self.from = from
        self.to = to
        self.frames = frames
    }
}
