/// A fault on chosen frames of one cable: which frames, and what happens to them.
public struct FaultRule: Hashable, Sendable, Codable {
    /// Unique on its cable; events of the rule bear it.
    public var name: String
    public var selection: FrameSelection
    public var action: FaultAction
    /// Whether it acts from the start, or only after `FaultOrder.arm`.
    public var isArmed: Bool
    /// Of everything that the rule decides at random: the same seed and the same frames give the same faults.
    public var seed: UInt64

    public init(
        name: String, selection: FrameSelection = FrameSelection(), action: FaultAction, isArmed: Bool = true,
        seed: UInt64 = 1
    ) {
        self.name = name
        self.selection = selection
        self.action = action
        self.isArmed = isArmed
        self.seed = seed
    }
}

extension FaultRule {
    /// Everything in it that is in libpcap's filter language.
    public var filters: [String] {
        var filters = [selection.filter].compactMap(\.self)
        if case .hold(let hold) = action, let filter = hold.until.frame?.filter { filters.append(filter) }
        return filters
    }
}

/// The direction of a frame along a cable, by the end at which it arrived.
public enum CableDirection: UInt8, Hashable, Sendable, Codable {
    /// In at port 0, out at port 1.
    case fromNear
    case fromFar
}

/// Which frames a rule acts on: those that meet every condition, then by their occurrence.
public struct FrameSelection: Hashable, Sendable, Codable {
    /// nil: both.
    public var direction: CableDirection?
    /// In libpcap's filter language; nil: every frame.
    public var filter: String?
    public var segment: SegmentClass?
    /// Only frames of flows that this other rule has acted on.
    public var flowOf: String?
    public var occurrence: Occurrence
    /// Count occurrences in each flow (both directions) separately, instead of on the whole cable.
    public var countsEachFlow: Bool
    /// The rule acts at most this often; nil: no limit.
    public var times: Int?

    public init(
        direction: CableDirection? = nil, filter: String? = nil, segment: SegmentClass? = nil, flowOf: String? = nil,
        occurrence: Occurrence = .all, countsEachFlow: Bool = false, times: Int? = nil
    ) {
        self.direction = direction
        self.filter = filter
        self.segment = segment
        self.flowOf = flowOf
        self.occurrence = occurrence
        self.countsEachFlow = countsEachFlow
        self.times = times
    }
}

/// Which of the frames that meet a rule's conditions it acts on, counted from 1 since the rule was armed.
public enum Occurrence: Hashable, Sendable, Codable {
    case all
    /// The n-th alone; 1 is the first.
    case nth(Int)
    /// The n-th, 2n-th, 3n-th, …
    case everyNth(Int)
    /// The n-th and all after it.
    case from(Int)

    func includes(_ number: UInt64) -> Bool {
        switch self {
        case .all: true
        case .nth(let n): number == UInt64(clamping: n)
        case .everyNth(let n): n > 0 && number % UInt64(n) == 0
        case .from(let n): number >= UInt64(clamping: n)
        }
    }
}

/// A kind of TCP segment.
public enum SegmentClass: String, Hashable, Sendable, Codable, CaseIterable {
    /// Opens a connection: SYN without ACK.
    case syn
    case synAck = "syn-ack"
    case fin
    case rst
    /// Carries payload.
    case data
    /// Neither payload nor SYN, FIN or RST.
    case ack
    /// Every sequence number that it occupies passed the same cable before.
    case retransmission
}
