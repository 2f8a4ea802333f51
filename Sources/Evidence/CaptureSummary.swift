/// What one capture file holds, and what the kernel could not deliver to it.
public struct CaptureSummary: Hashable, Sendable, Codable {
    /// A node or a network (its switch).
    public var node: String
    /// An interface of the node, or a port of the switch.
    public var interface: String
    /// Relative to the variant's folder: `captures/lb.inside.pcap`.
    public var path: String
    public var frames: Int
    /// Frames that the kernel dropped because the ring was full, or that could not be written; normally 0. Interfaces
    /// of one namespace share a ring, and the kernel does not report to which one a frame belonged: each reports all of
    /// them.
    public var dropped: Int
    /// Frames that `--capture-limit` left out; normally 0.
    public var leftOut: Int
    /// When frames were lost or left out, in the order of time; normally empty.
    public var losses: [CaptureLoss]

    public init(
        node: String, interface: String, path: String, frames: Int, dropped: Int, leftOut: Int = 0,
        losses: [CaptureLoss] = []
    ) {
        self.node = node
        self.interface = interface
        self.path = path
        self.frames = frames
        self.dropped = dropped
        self.leftOut = leftOut
        self.losses = losses
    }

    /// Dropped frames without a known time: they may be missing anywhere in the file.
    public var droppedAtAnyTime: Int {
        max(0, dropped - losses.reduce(0) { $0 + ($1.cause == nil ? $1.frames ?? 0 : 0) })
    }

    /// Whether every frame that passed is in the file.
    public var isLossless: Bool { dropped == 0 && leftOut == 0 && losses.isEmpty }
}

extension CaptureSummary {
    /// Runs that were saved before losses had times record only their number; earlier ones had no limit.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            node: try values.decode(String.self, forKey: .node),
            interface: try values.decode(String.self, forKey: .interface),
            path: try values.decode(String.self, forKey: .path),
            frames: try values.decode(Int.self, forKey: .frames),
            dropped: try values.decode(Int.self, forKey: .dropped),
            leftOut: try values.decodeIfPresent(Int.self, forKey: .leftOut) ?? 0,
            losses: try values.decodeIfPresent([CaptureLoss].self, forKey: .losses) ?? [])
    }
}
