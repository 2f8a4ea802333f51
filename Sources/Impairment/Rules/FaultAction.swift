public import LabEvents

/// What a rule does to a frame that it selects.
///
/// A cable evaluates its rules in order. An action that removes a frame (`drop`, `lose`, `hold` without copy,
/// `reorder`) ends the evaluation; other actions add up, so a rate limit can follow a delay.
public enum FaultAction: Hashable, Sendable, Codable {
    case drop
    /// Drops at random.
    case lose(Loss)
    case delay(Delay)
    case duplicate(Duplication)
    case hold(Hold)
    case corrupt(Corruption)
    case reorder(Reordering)
    case limit(RateLimit)
}

extension FaultAction {
    /// Whether the rule's seed decides anything.
    public var isByChance: Bool {
        switch self {
        case .lose: true
        case .delay(let delay): if case .fixed = delay.time { false } else { true }
        case .corrupt(let corruption): corruption.byte == nil || corruption.bit == nil
        case .drop, .duplicate, .hold, .reorder, .limit: false
        }
    }

    /// What a rule of this action can report.
    public var eventKinds: [EventKind] {
        let own: [EventKind] =
            switch self {
            case .drop: [.dropped]
            case .lose: [.lost]
            case .delay: [.delayed, .overflow]
            case .duplicate: [.duplicated, .overflow]
            case .hold: [.held, .released, .overflow]
            case .corrupt: [.corrupted]
            case .reorder: [.reordered, .released, .overflow]
            case .limit: [.limited, .dropped, .overflow]
            }
        return own + [.armed, .disarmed, .quiet]
    }

    /// Whether what leaves a cable may differ from what entered it.
    public var mayCorrupt: Bool { if case .corrupt = self { true } else { false } }

    /// Whether one frame may leave a cable twice. A copy that is held and sent later is the same frame again, too.
    public var mayRepeat: Bool {
        switch self {
        case .duplicate: true
        case .hold(let hold): hold.copy
        case .drop, .lose, .delay, .corrupt, .reorder, .limit: false
        }
    }

    /// The event until which it holds frames.
    public var awaitedEvent: String? { if case .hold(let hold) = self { hold.until.event } else { nil } }
}

/// Random loss, of single frames or in bursts.
public struct Loss: Hashable, Sendable, Codable {
    /// Share of the frames, 0 … 1.
    public var rate: Double
    /// Mean length of a run of lost frames; 1 loses each by itself. Two states, of which one loses everything
    /// (Gilbert 1960): it is left with 1/burst and entered with the probability that gives the rate.
    public var burst: Double

    public init(rate: Double, burst: Double = 1) {
        self.rate = rate
        self.burst = burst
    }
}

/// A delay of each frame by its own timer: a frame that drew a short one overtakes, unless the order is kept.
public struct Delay: Hashable, Sendable, Codable {
    public var time: DelayDistribution
    /// No frame leaves before an earlier one that the same rule delayed in the same direction.
    public var keepsOrder: Bool
    /// No sample is longer; nil for no limit of its own.
    public var atMost: Duration?

    public init(_ time: DelayDistribution, keepsOrder: Bool = false, atMost: Duration? = nil) {
        self.time = time
        self.keepsOrder = keepsOrder
        self.atMost = atMost
    }
}

public enum DelayDistribution: Hashable, Sendable, Codable {
    case fixed(Duration)
    /// All times between both are equally likely.
    case uniform(from: Duration, to: Duration)
    /// What would be negative is zero.
    case normal(mean: Duration, deviation: Duration)
    case exponential(mean: Duration)
    /// Long-tailed: P(X > x) = (minimum / x)^shape. Its mean is minimum × shape / (shape − 1), for shapes above 1.
    case pareto(minimum: Duration, shape: Double)

    /// No sample is longer: a long tail does not outlast a lab.
    public static let longest = Duration.seconds(3600)
}

public struct Duplication: Hashable, Sendable, Codable {
    /// Beside the frame itself.
    public var copies: Int
    /// From the frame to its first copy, and from copy to copy.
    public var gap: Duration

    public init(copies: Int = 1, gap: Duration = .zero) {
        self.copies = copies
        self.gap = gap
    }
}

/// Holds a frame until something happens.
public struct Hold: Hashable, Sendable, Codable {
    /// The frame itself passes; a copy of it is held and sent later.
    public var copy: Bool
    /// Without any condition it is held until `FaultOrder.release`.
    public var until: ReleaseCondition

    public init(copy: Bool = false, until: ReleaseCondition = ReleaseCondition()) {
        self.copy = copy
        self.until = until
    }
}

/// What releases a held frame: whichever comes first.
public struct ReleaseCondition: Hashable, Sendable, Codable {
    /// A frame that passes the cable; the held one leaves right behind it.
    public var frame: PassingFrame?
    /// An event of the lab, by its name.
    public var event: String?
    /// Since the frame was held.
    public var time: Duration?
    /// From the frame or event that releases it until it leaves.
    public var wait: Duration

    public init(frame: PassingFrame? = nil, event: String? = nil, time: Duration? = nil, wait: Duration = .zero) {
        self.frame = frame
        self.event = event
        self.time = time
        self.wait = wait
    }
}

/// A frame that releases a held one.
public struct PassingFrame: Hashable, Sendable, Codable {
    /// How it belongs to the held frame.
    public enum Relation: String, Hashable, Sendable, Codable {
        case any
        /// The same addresses and ports, in either direction.
        case flow
        /// The same port of the end that opened the connection, whatever the addresses.
        case clientPort = "client-port"
    }

    public var direction: CableDirection?
    public var filter: String?
    public var segment: SegmentClass?
    public var relation: Relation
    /// The n-th such frame releases it.
    public var number: Int

    public init(
        direction: CableDirection? = nil, filter: String? = nil, segment: SegmentClass? = nil,
        relation: Relation = .any,
        number: Int = 1
    ) {
        self.direction = direction
        self.filter = filter
        self.segment = segment
        self.relation = relation
        self.number = number
    }
}

/// Flips one bit.
public struct Corruption: Hashable, Sendable, Codable {
    /// Where byte 0 is.
    public enum Part: String, Hashable, Sendable, Codable, CaseIterable {
        case frame
        case network = "ip"
        case transport
        case payload
    }

    public enum Checksums: String, Hashable, Sendable, Codable, CaseIterable {
        /// They stay as they were, so a receiver finds the damage.
        case wrong
        /// Those of IP and of TCP, UDP or ICMP are made right again: damage that only an application can find.
        case fixed
    }

    public var part: Part
    /// nil: any, by the rule's seed.
    public var byte: Int?
    /// 0 is the lowest; nil: any, by the rule's seed.
    public var bit: Int?
    public var checksums: Checksums

    public init(part: Part = .payload, byte: Int? = nil, bit: Int? = nil, checksums: Checksums = .wrong) {
        self.part = part
        self.byte = byte
        self.bit = bit
        self.checksums = checksums
    }
}

/// Lets later frames of the same direction overtake.
public struct Reordering: Hashable, Sendable, Codable {
    /// How many.
    public var behind: Int
    /// Where fewer come, it leaves after this time.
    public var atMost: Duration

    public init(behind: Int = 1, atMost: Duration = .milliseconds(100)) {
        self.behind = behind
        self.atMost = atMost
    }
}

/// A token bucket for each direction, over the selected frames.
public struct RateLimit: Hashable, Sendable, Codable {
    /// Of frames without preamble and FCS.
    public var bitsPerSecond: Int64
    /// Bytes that may pass at once after silence; at least one full frame makes sense.
    public var burst: Int
    /// Bytes that may wait; a frame that finds more is dropped.
    public var queue: Int

    public init(bitsPerSecond: Int64, burst: Int = 1514, queue: Int = 256 * 1024) {
        self.bitsPerSecond = bitsPerSecond
        self.burst = burst
        self.queue = queue
    }
}
