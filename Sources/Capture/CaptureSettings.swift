/// How interfaces are captured.
public struct CaptureSettings: Hashable, Sendable {
    /// Bytes of each interface's ring. libpcap's blocks have 256 KiB, and a block that holds any frame is handed over
    /// after `blockTimeout`, so 4 MiB bear a reader that is late by 16 × `blockTimeout`, and 32 MiB eight times that.
    public var ringSize: Int
    /// After this time a block is handed over though it is not full; whole milliseconds. A barrier takes as long.
    public var blockTimeout: Duration
    /// Bytes kept of each frame. Rings of TPACKET_V3 hold frames of any length side by side, so that a large value
    /// costs nothing where frames are small.
    public var snapLength: Int
    /// Frames reach their file after this time at the latest.
    public var flushInterval: Duration

    public init(
        ringSize: Int = 4 << 20, blockTimeout: Duration = .milliseconds(20), snapLength: Int = 65_535,
        flushInterval: Duration = .milliseconds(200)
    ) {
        self.ringSize = ringSize
        self.blockTimeout = blockTimeout
        self.snapLength = snapLength
        self.flushInterval = flushInterval
    }
}
