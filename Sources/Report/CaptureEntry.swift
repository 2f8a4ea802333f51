public import Evidence

/// A capture of the run, as `verdict.json` lists it.
public struct CaptureEntry: Hashable, Sendable, Codable {
    public var node: String
    public var interface: String
    /// Relative to the variant's folder.
    public var path: String
    public var frames: Int
    /// Frames that the kernel could not deliver; they are normally none.
    public var dropped: Int
    /// When frames were lost; absent where none were.
    public var losses: [CaptureLoss]?

    public init(_ summary: CaptureSummary) {
        node = summary.node
        interface = summary.interface
        path = summary.path
        frames = summary.frames
        dropped = summary.dropped
        losses = summary.losses.isEmpty ? nil : summary.losses
    }
}
