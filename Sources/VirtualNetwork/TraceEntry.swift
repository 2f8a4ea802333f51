public import LabTime
public import PacketText

/// A frame that a station of a virtual network sent.
public struct TraceEntry: Hashable, Sendable {
    public var at: Instant
    /// The station's name.
    public var sender: String
    /// The cable's name, which for a cable of a switch is the switch's.
    public var link: String
    public var bytes: [UInt8]

    public init(at instant: Instant, sender: String, link: String, bytes: [UInt8]) {
        at = instant
        self.sender = sender
        self.link = link
        self.bytes = bytes
    }
}

/// Who sees the frames that stations send, whether they arrive anywhere or not.
struct NetworkTrace {
    var isTracing = false
    var entries: [TraceEntry] = []
    var onFrame: (TraceEntry) -> Void = { _ in }

    mutating func record(_ entry: TraceEntry) {
        if isTracing { entries.append(entry) }
    }
}

extension VirtualNetwork {
    /// The trace as a text: time since the network's origin in seconds, link, sender and packet, a line each.
    public func traceText(_ text: PacketText = PacketText(), detail: PacketText.Detail = .full) -> String {
        trace.map { entry in
            let microseconds = (entry.at - origin).nanoseconds / 1000
            let fraction = String(microseconds % 1_000_000 + 1_000_000).dropFirst()
            return "\(microseconds / 1_000_000).\(fraction) \(entry.link) \(entry.sender): "
                + text.text(of: entry.bytes, detail: detail)
        }.joined(separator: "\n")
    }
}
