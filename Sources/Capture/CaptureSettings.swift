/// How interfaces are captured.
public struct CaptureSettings: Hashable, Sendable {
    /// Bytes of ring for each interface, where `memory` suffices. A ring has 16 blocks or more, and a block that holds any
    /// frame is handed over after `blockTimeout`, so it bears a reader that is late by 16 × `blockTimeout`.
    public var ringSize: Int
    /// Bytes of all rings of a session together, but for each interface's least (128 KiB).
    public var memory: Int
    /// After this time a block is handed over though it is not full; whole milliseconds. A barrier takes as long. Each ring
    /// has a timer of the kernel's that goes off as often, so beyond 200 rings it is `blockTimeoutOfMany`.
    public var blockTimeout: Duration
    /// Bytes kept of each frame. Rings of TPACKET_V3 hold frames of any length side by side, so that a large value
    /// costs nothing where frames are small.
    public var snapLength: Int
    /// Frames reach their file after this time at the latest.
    public var flushInterval: Duration
    /// What all files together may hold; nil for as much as the disk has.
    public var limit: CaptureLimit?

    static let smallestRing = 128 << 10
    static let largestRing = 32 << 20
    static let blockTimeoutOfMany = Duration.milliseconds(50)

    public init(
        ringSize: Int = 4 << 20, memory: Int = 192 << 20, blockTimeout: Duration = .milliseconds(20),
        snapLength: Int = 65_535, flushInterval: Duration = .milliseconds(200), limit: CaptureLimit? = nil
    ) {
        self.ringSize = ringSize
        self.memory = memory
        self.blockTimeout = blockTimeout
        self.snapLength = snapLength
        self.flushInterval = flushInterval
        self.limit = limit
    }

    /// Of a session with so many rings.
    func blockTimeout(rings: Int) -> Duration {
        rings > 200 ? max(blockTimeout, Self.blockTimeoutOfMany) : blockTimeout
    }
}
