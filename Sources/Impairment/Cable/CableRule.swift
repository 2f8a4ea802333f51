internal import LabTime
internal import Wire

/// Whether a filter selects a frame: libpcap's own matcher in a node, any closure in a test.
///
/// Pure modules do not import libpcap. The price, a call through a closure, is paid only by frames of cables whose
/// armed rules have a filter.
public typealias FrameMatcher = (UnsafeRawBufferPointer) -> Bool

/// A rule on its cable, with what it remembers.
struct CableRule {
    var rule: FaultRule
    let matches: FrameMatcher?
    let matchesPassing: FrameMatcher?
    var isArmed: Bool
    var random: RandomSource

    /// Frames that met the conditions, and frames acted on, since the rule was armed.
    var met: UInt64 = 0
    var actions: UInt64 = 0
    var metByFlow: [IPv6FiveTuple: UInt64] = [:]
    /// Flows acted on, where another rule asks for them.
    var flows: Set<IPv6FiveTuple> = []
    var remembersFlows = false
    /// Places of what it holds, in order.
    var waiting: [Int] = []
    /// For each direction: when the last delayed frame leaves, and when the bucket is full again.
    var lastDeparture: [Instant?] = [nil, nil]
    var busyUntil: [Instant?] = [nil, nil]
    /// In a run of lost frames.
    var isLosing = false
    var reported = 0
    /// For people, over the whole run.
    var total: UInt64 = 0

    /// Flows that are counted or remembered, at most; frames of further flows are not selected.
    static let mostFlows = 65_536

    init(_ rule: FaultRule, matches: FrameMatcher?, matchesPassing: FrameMatcher?) {
        self.rule = rule
        self.matches = matches
        self.matchesPassing = matchesPassing
        isArmed = rule.isArmed
        random = RandomSource(seed: rule.seed, name: rule.name)
    }

    mutating func arm() {
        isArmed = true
        met = 0
        actions = 0
        metByFlow = [:]
    }

    /// Whether the rule acts on the frame; counts it where it meets the conditions.
    mutating func selects(_ frame: UnsafeRawBufferPointer, _ facts: FrameFacts, flowsOfOther: Set<IPv6FiveTuple>?)
        -> Bool
    {
        let selection = rule.selection
        if let direction = selection.direction, direction != facts.direction { return false }
        if let segment = selection.segment, !facts.isOf(segment) { return false }
        if let flows = flowsOfOther {
            guard let session = facts.session, flows.contains(session) else { return false }
        }
        if let matches, !matches(frame) { return false }
        let number: UInt64
        if selection.countsEachFlow {
            guard let session = facts.session else { return false }
            let before = metByFlow[session]
            guard before != nil || metByFlow.count < Self.mostFlows else { return false }
            number = (before ?? 0) + 1
            metByFlow[session] = number
        } else {
            met += 1
            number = met
        }
        guard selection.occurrence.includes(number) else { return false }
        if let times = selection.times, actions >= UInt64(clamping: times) { return false }
        return true
    }

    /// Records that the rule has acted on a frame.
    mutating func acted(on facts: FrameFacts) {
        actions += 1
        total += 1
        if remembersFlows, let session = facts.session, flows.count < Self.mostFlows { flows.insert(session) }
    }

    /// Whether the frames that the rule holds wait for such a frame, apart from its relation to each.
    func isAwaited(_ frame: UnsafeRawBufferPointer, _ facts: FrameFacts) -> Bool {
        switch rule.action {
        case .reorder: return true
        case .hold(let hold):
            guard let awaited = hold.until.frame else { return false }
            if let direction = awaited.direction, direction != facts.direction { return false }
            if let segment = awaited.segment, !facts.isOf(segment) { return false }
            return matchesPassing?(frame) ?? true
        default: return false
        }
    }

    /// Whether an awaited frame belongs to a held one.
    func belongs(_ facts: FrameFacts, to held: FrameFacts) -> Bool {
        // The held frame itself, or the original of a held copy, does not count.
        guard facts.number != held.number else { return false }
        switch rule.action {
        case .reorder: return facts.direction == held.direction && facts.number > held.number
        case .hold(let hold):
            switch hold.until.frame?.relation {
            case .any: return true
            case .flow: return facts.session != nil && facts.session == held.session
            case .clientPort: return facts.clientPort != 0 && facts.clientPort == held.clientPort
            case nil: return false
            }
        default: return false
        }
    }

    /// Random loss.
    mutating func loses(_ loss: Loss) -> Bool {
        guard loss.burst > 1 else { return random.fraction() < loss.rate }
        let leaving = 1 / loss.burst
        // The share of time in the losing state is entering / (entering + leaving).
        let entering = loss.rate >= 1 ? 1 : loss.rate * leaving / (1 - loss.rate)
        isLosing = isLosing ? random.fraction() >= leaving || loss.rate >= 1 : random.fraction() < entering
        return isLosing
    }

    /// When a frame that would leave at an instant gets through a bucket; nil where too much waits already.
    mutating func pass(_ limit: RateLimit, bytes: Int, _ direction: CableDirection, at instant: Instant) -> Instant? {
        let index = Int(direction.rawValue)
        let rate = Double(max(1, limit.bitsPerSecond))
        func time(_ bytes: Int) -> Duration { .nanoseconds(Int64(Double(bytes) * 8e9 / rate)) }
        // The generic cell rate algorithm: the bucket's level as the instant at which it is full again.
        let full = max(busyUntil[index] ?? instant, instant) + time(bytes)
        let departure = max(instant, full - time(max(limit.burst, bytes)))
        if departure > instant, departure - instant > time(limit.queue) { return nil }
        busyUntil[index] = full
        return departure
    }
}
