/// What the capture files of one lab may hold together.
public struct CaptureLimit: Hashable, Sendable, Codable {
    public enum Policy: String, Hashable, Sendable, Codable {
        /// The first frames stay; what comes when the files are full is left out.
        case keepsFirst
        /// The newest frames stay: captures continue in new files, and the oldest are removed.
        case keepsNewest
    }

    /// Bytes, the files' headers among them.
    public var bytes: Int
    public var policy: Policy

    public init(bytes: Int, policy: Policy) {
        self.bytes = bytes
        self.policy = policy
    }

    /// Of one part of a capture that keeps its newest frames.
    var bytesOfPart: Int { max(bytes / 16, 4096) }
}

/// What the capture files of a session hold, for `status`.
public struct CaptureVolume: Hashable, Sendable, Codable {
    public var bytes: Int
    /// Frames that the limit left out.
    public var leftOut: Int
    public var limit: CaptureLimit?

    public init(bytes: Int, leftOut: Int, limit: CaptureLimit?) {
        self.bytes = bytes
        self.leftOut = leftOut
        self.limit = limit
    }
}
