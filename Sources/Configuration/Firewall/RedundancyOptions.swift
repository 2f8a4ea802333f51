/// How the passive box of a pair hands data frames to the Active, and how the receiving box spreads them.
public struct ConduitConfiguration: Hashable, Sendable, Codable {
    /// What decides which worker gets a frame.
    public enum Spread: String, Hashable, Sendable, Codable, CaseIterable {
        /// The flow of the packet that is carried.
        case inner
        /// The outer header, which is the same for all of them: one worker gets everything.
        case outer
    }

    public var spread: Spread
    /// Workers of the receiving box, 1 … 64.
    public var workers: Int

    public init(spread: Spread = .inner, workers: Int = 4) {
        self.spread = spread
        self.workers = workers
    }
}

/// A link whose loss lowers the box's priority.
public struct TrackedLink: Hashable, Sendable, Codable {
    public var port: String
    /// 0 lets the box keep its role: what it cannot send by that port goes through the peer.
    public var decrement: UInt8

    public init(port: String, decrement: UInt8) {
        self.port = port
        self.decrement = decrement
    }
}

/// When a box that became Active announces its addresses, after that instant.
public enum AnnouncementSchedule: String, Hashable, Sendable, Codable, CaseIterable {
    /// At once, and four times within the next second: a frame may be lost, and a switch may still relearn the address
    /// from the predecessor's last frames.
    case persistent
    /// Once. Source: RFC 9568, 6.4.1
    case once
    /// Five at once and five more after five seconds. Source: keepalived, `garp_master_repeat`, `garp_master_delay`
    case keepalived

    public var times: [Duration] {
        switch self {
        case .persistent:
            [.zero, .milliseconds(100), .milliseconds(250), .milliseconds(500), .milliseconds(1000)]
        case .once: [.zero]
        case .keepalived: (0..<5).map { _ in .zero } + (0..<5).map { _ in .seconds(5) }
        }
    }
}

/// Names of one category, for the table that sessions are sorted by.
public struct CategoryConfiguration: Hashable, Sendable, Codable {
    public var name: String
    /// `example.com` stands for itself and all below it.
    public var domains: [String]

    public init(name: String, domains: [String]) {
        self.name = name
        self.domains = domains
    }
}
