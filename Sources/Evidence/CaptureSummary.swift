/// What one capture file holds, and what the kernel could not deliver to it.
public struct CaptureSummary: Hashable, Sendable, Codable {
    /// A node or a network (its switch).
    public var node: String
    /// An interface of the node, or a port of the switch.
    public var interface: String
    /// Relative to the variant's folder: `captures/lb.inside.pcap`.
    public var path: String
    public var frames: Int
    /// Frames that the kernel dropped because the ring was full; normally 0.
    public var dropped: Int

    public init(node: String, interface: String, path: String, frames: Int, dropped: Int) {
        self.node = node
        self.interface = interface
        self.path = path
        self.frames = frames
        self.dropped = dropped
    }
}
