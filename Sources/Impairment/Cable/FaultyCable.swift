internal import Dataplane
public import LabEvents
public import LabTime
internal import Wire

/// A cable with faults: frames in at one port, out at the other, and what the rules do on the way.
///
/// Each held or delayed frame has a timer of its own; a frame that no rule selects leaves within the same call, in
/// order of arrival, never behind one that waits. Everything that happens follows from the frames, their times, the
/// orders and the seeds of the rules.
///
/// Frames of the EtherType for local experiments (captures mark their begin and end with them) do not pass.
public struct FaultyCable: ~Copyable {
    /// What a cable may keep.
    public struct Limits: Hashable, Sendable, Codable {
        /// Most frames that are held or delayed at a time.
        public var frames: Int
        public var bytes: Int
        /// Most connections whose sequence numbers are known.
        public var connections: Int
        /// Most events of one rule; then it only counts.
        public var events: Int

        public init(frames: Int = 16_384, bytes: Int = 64 << 20, connections: Int = 65_536, events: Int = 1000) {
            self.frames = frames
            self.bytes = bytes
            self.connections = connections
            self.events = events
        }
    }

    /// A filter of a rule was refused.
    public struct FilterRefusal: Error, Hashable, Sendable {
        public var rule: String
        public var reason: String
    }

    var rules: [CableRule] = []
    var held: CableBuffer
    var tracker: SegmentTracker
    let limits: Limits
    /// What the ports lead to, for messages.
    let ends: [String]
    var events: [FaultEvent] = []
    var arrivals: UInt64 = 0
    public internal(set) var tally = CableTally()
    /// No rule can act and nothing is held: frames pass unexamined.
    var isIdle = true
    var tracks = false
    let compile: (String) throws -> FrameMatcher

    /// - Parameters:
    ///   - ends: what port 0 and port 1 lead to, as events name it
    ///   - compile: makes a matcher of a filter's text, or throws why it cannot
    public init(
        rules: [FaultRule], ends: [String], limits: Limits = Limits(),
        compile: @escaping (String) throws -> FrameMatcher
    ) throws(FilterRefusal) {
        self.ends = ends
        self.limits = limits
        self.compile = compile
        held = CableBuffer(mostFrames: limits.frames, mostBytes: limits.bytes)
        tracker = SegmentTracker(capacity: limits.connections)
        for rule in rules { try install(rule) }
    }

    /// Adds a rule behind the others, or replaces the one of its name.
    mutating func install(_ rule: FaultRule) throws(FilterRefusal) {
        var awaited: String?
        if case .hold(let hold) = rule.action { awaited = hold.until.frame?.filter }
        let new = CableRule(
            rule, matches: try matcher(rule.selection.filter, rule.name),
            matchesPassing: try matcher(awaited, rule.name))
        if let index = index(of: rule.name) {
            var replacement = new
            (replacement.total, replacement.reported) = (rules[index].total, rules[index].reported)
            rules[index] = replacement
        } else {
            rules.append(new)
        }
        settle()
    }

    private func matcher(_ text: String?, _ rule: String) throws(FilterRefusal) -> FrameMatcher? {
        guard let text else { return nil }
        do {
            return try compile(text)
        } catch {
            throw FilterRefusal(rule: rule, reason: "\(error)")
        }
    }

    func index(of name: String) -> Int? { rules.firstIndex { $0.rule.name == name } }

    /// After a change of the rules: what has to be examined from now on.
    mutating func settle() {
        let wanted = Set(rules.compactMap(\.rule.selection.flowOf))
        for index in rules.indices { rules[index].remembersFlows = wanted.contains(rules[index].rule.name) }
        // Also for rules that are armed later: what passed before counts.
        tracks = rules.contains { $0.needsTracking }
        isIdle = !tracks && held.count == 0 && !rules.contains { $0.isArmed }
    }

    /// Everything that is held or delayed is lost: the cable was unplugged.
    public mutating func loseHeld() {
        for index in rules.indices { rules[index].waiting = [] }
        held.leaveAll()
        settle()
    }

    /// The next instant at which a frame leaves.
    public var deadline: Instant? { held.deadline }

    /// Frames that are held or delayed now.
    public var heldCount: Int { held.count }

    /// What happened since the last call, in order.
    public mutating func takeEvents() -> [FaultEvent] {
        guard !events.isEmpty else { return [] }
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    /// The rules' names and how often each has acted, in order.
    public var actions: [(rule: String, count: UInt64)] { rules.map { ($0.rule.name, $0.total) } }

    mutating func report(_ kind: EventKind, _ index: Int, at now: Instant, _ details: EventDetails = [:]) {
        rules[index].reported += 1
        let name = rules[index].rule.name
        if rules[index].reported <= limits.events {
            events.append(FaultEvent(rule: name, kind: kind, at: now, details: details))
        } else if rules[index].reported == limits.events + 1 {
            events.append(FaultEvent(rule: name, kind: .quiet, at: now, details: [.events: "\(limits.events)"]))
        }
    }

    /// Empty where events are not kept: they cost more than everything else that happens to a frame.
    func details(_ facts: FrameFacts, _ more: @autoclosure () -> EventDetails = [:]) -> EventDetails {
        guard limits.events > 0 else { return [:] }
        var details: EventDetails = [.frame: facts.words]
        let end = Int(facts.direction.rawValue)
        if end < ends.count { details[.from] = ends[end] }
        if let layout = facts.layout {
            details[.source] = "\(IPAddress(universal: layout.fiveTuple.source))"
            details[.destination] = "\(IPAddress(universal: layout.fiveTuple.destination))"
            if layout.hasTransportHeader {
                details[.sourcePort] = "\(layout.fiveTuple.sourcePort)"
                details[.destinationPort] = "\(layout.fiveTuple.destinationPort)"
            }
        }
        return details.merging(more()) { $1 }
    }
}

extension CableRule {
    var needsTracking: Bool {
        if rule.selection.segment == .retransmission { return true }
        guard case .hold(let hold) = rule.action, let awaited = hold.until.frame else { return false }
        return awaited.segment == .retransmission || awaited.relation == .clientPort
    }
}

/// What passed a cable, and what did not.
public struct CableTally: Hashable, Sendable {
    public var passed: UInt64 = 0
    public var dropped: UInt64 = 0
    /// Frames or copies that did not fit.
    public var overflows: UInt64 = 0
    /// Frames that the queue of frames on their way out did not take.
    public var queueFull: UInt64 = 0
    public var mostHeld: Int = 0

    public init() {}
}
