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
    /// Frames that `--capture-limit` left out; absent where there were none.
    public var leftOut: Int?
    /// When frames were lost or left out; absent where none were.
    public var losses: [CaptureLoss]?

    public init(_ summary: CaptureSummary) {
        node = summary.node
        interface = summary.interface
        path = summary.path
        frames = summary.frames
        dropped = summary.dropped
        leftOut = summary.leftOut == 0 ? nil : summary.leftOut
        losses = summary.losses.isEmpty ? nil : summary.losses
    }
}
