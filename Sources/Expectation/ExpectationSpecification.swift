public import Measurement

/// One line under `expect:` of a variant, with every reference (`fw-a.inside.mac`) already resolved to a value.
public struct ExpectationSpecification: Hashable, Sendable, Codable {
    public enum Subject: Hashable, Sendable, Codable {
        case traffic(TrafficExpectation)
        case frames(FrameExpectation)
        case event(EventExpectation)
        case counter(CounterExpectation)
        case log(LogExpectation)
        case moved(MoveExpectation)
        case carriedOver(CarryExpectation)
    }

    /// Unique within the variant; made from its words where the lab gives none (`new-succeeds`).
    public var id: String
    public var subject: Subject

    public init(id: String, subject: Subject) {
        self.id = id
        self.subject = subject
    }
}

/// A point of the run's clock: an event, and a time after it (`failover + 200ms`).
public struct Anchor: Hashable, Sendable, Codable {
    /// The name of a `LabEvent`. Its first occurrence since the scenario began counts or, of a `before`, the first behind
    /// the other end of the window.
    public var event: String
    public var offset: Duration

    public init(event: String, offset: Duration = .zero) {
        self.event = event
        self.offset = offset
    }
}

/// `"< 1s"`, `">= 3"`, `"0"`.
public struct Comparison<Value: Hashable & Comparable & Sendable & Codable>: Hashable, Sendable, Codable {
    public enum Relation: String, Hashable, Sendable, Codable, CaseIterable {
        case less = "<"
        case lessOrEqual = "<="
        case equal = "="
        case greaterOrEqual = ">="
        case greater = ">"
    }

    public var relation: Relation
    public var value: Value

    public init(_ relation: Relation, _ value: Value) {
        self.relation = relation
        self.value = value
    }

    public func holds(for seen: Value) -> Bool {
        switch relation {
        case .less: seen < value
        case .lessOrEqual: seen <= value
        case .equal: seen == value
        case .greaterOrEqual: seen >= value
        case .greater: seen > value
        }
    }
}

/// What the endpoints of a traffic program must have seen. All given conditions must hold.
public struct TrafficExpectation: Hashable, Sendable, Codable {
    /// The traffic program's name.
    public var traffic: String
    /// Every flow must have ended so. (`succeeds` and `survives` resolve to `.survived`.)
    public var outcome: FlowOutcome?
    /// `succeeds: false`: no flow may have survived.
    public var fails: Bool
    public var longestGap: Comparison<Duration>?
    /// Sum over the flows.
    public var lost: Comparison<Int>?
    /// As many flows fail as chance makes likely.
    public var chanceOfLoss: ChanceOfLoss?
    public var duplicated: Comparison<Int>?
    public var reordered: Comparison<Int>?
    /// Of `http-request`: how many answers had which status.
    public var statuses: [StatusExpectation]
    /// Only flows that started after, or before, this point (for programs that open a new flow for each probe).
    public var after: Anchor?
    public var before: Anchor?

    public init(
        traffic: String, outcome: FlowOutcome? = nil, fails: Bool = false, longestGap: Comparison<Duration>? = nil,
        lost: Comparison<Int>? = nil, chanceOfLoss: ChanceOfLoss? = nil, duplicated: Comparison<Int>? = nil,
        reordered: Comparison<Int>? = nil, statuses: [StatusExpectation] = [], after: Anchor? = nil,
        before: Anchor? = nil
    ) {
        self.traffic = traffic
        self.outcome = outcome
        self.fails = fails
        self.longestGap = longestGap
        self.lost = lost
        self.chanceOfLoss = chanceOfLoss
        self.duplicated = duplicated
        self.reordered = reordered
        self.statuses = statuses
        self.after = after
        self.before = before
    }
}

/// What a capture must show.
public struct FrameExpectation: Hashable, Sendable, Codable {
    public enum Direction: String, Hashable, Sendable, Codable, CaseIterable {
        case toServer = "to-server"
        case toClient = "to-client"
    }

    public enum Requirement: Hashable, Sendable, Codable {
        /// Every selected frame passes every check, and at least one frame is selected.
        case every([FieldCheck])
        case some([FieldCheck])
        /// No selected frame passes all checks; an empty list means that none is selected at all.
        case none([FieldCheck])
        /// How many selected frames pass the checks.
        case count(Comparison<Int>, [FieldCheck])
        /// The first selected frame passes every check.
        case first([FieldCheck])
        /// Frames that pass each step's checks appear in this order (others may lie between).
        case sequence([[FieldCheck]])
    }

    /// `lb` and `inside` of `on: lb.inside`
    public var node: String
    public var interface: String
    /// libpcap's filter language.
    public var match: String?
    /// Only frames of this traffic program's flows (by the client's address and port).
    public var flowsOf: String?
    public var direction: Direction?
    public var after: Anchor?
    public var before: Anchor?
    /// Length of the window that `after` opens.
    public var within: Duration?
    public var requirement: Requirement
    /// Of `none` and counts that zero satisfies: frames that must be there, so that none of the selected ones means
    /// something. nil where the selection itself is to match somewhere in the run.
    public var control: FrameControl?

    public init(
        node: String, interface: String, match: String? = nil, flowsOf: String? = nil, direction: Direction? = nil,
        after: Anchor? = nil, before: Anchor? = nil, within: Duration? = nil, requirement: Requirement,
        control: FrameControl? = nil
    ) {
        self.node = node
        self.interface = interface
        self.match = match
        self.flowsOf = flowsOf
        self.direction = direction
        self.after = after
        self.before = before
        self.within = within
        self.requirement = requirement
        self.control = control
    }
}

/// Frames that must be there for the absence of others to mean something. What it does not say is as the expectation
/// has it: the interface, and the window as a whole.
public struct FrameControl: Hashable, Sendable, Codable {
    public var node: String?
    public var interface: String?
    public var match: String?
    public var flowsOf: String?
    public var direction: FrameExpectation.Direction?
    public var after: Anchor?
    public var before: Anchor?
    public var within: Duration?

    public init(
        node: String? = nil, interface: String? = nil, match: String? = nil, flowsOf: String? = nil,
        direction: FrameExpectation.Direction? = nil, after: Anchor? = nil, before: Anchor? = nil,
        within: Duration? = nil
    ) {
        self.node = node
        self.interface = interface
        self.match = match
        self.flowsOf = flowsOf
        self.direction = direction
        self.after = after
        self.before = before
        self.within = within
    }
}

/// `eth.dst: 02:…` — a typed field of a frame and what its value must be.
public struct FieldCheck: Hashable, Sendable, Codable {
    public enum Condition: Hashable, Sendable, Codable {
        case equals(String)
        case isNot(String)
        case isOneOf([String])
        case compares(Comparison<Int>)
    }

    /// A name of `FrameField` (`eth.dst`, `ip.src`, `tcp.flags`, `icmp.code`, `inner.ip.src`).
    public var field: String
    public var condition: Condition

    public init(field: String, condition: Condition) {
        self.field = field
        self.condition = condition
    }
}

/// A named event must, or must not, have happened (`event: { name: fw-b.active, count: 1 }`).
public struct EventExpectation: Hashable, Sendable, Codable {
    public var event: String
    /// Only events whose details pass these count.
    public var with: [RecordCheck]
    public var count: Comparison<Int>
    public var after: Anchor?
    public var before: Anchor?
    public var within: Duration?
    /// The node, or the element of a fault, that would report the event; nil of the scenario's own events.
    public var reporter: String?

    public init(
        event: String, with: [RecordCheck] = [], count: Comparison<Int>, after: Anchor? = nil, before: Anchor? = nil,
        within: Duration? = nil, reporter: String? = nil
    ) {
        self.event = event
        self.with = with
        self.count = count
        self.after = after
        self.before = before
        self.within = within
        self.reporter = reporter
    }
}

/// Which of a traffic program's flows take another way from some moment on (`moved: { of: app, by: eth.dst, … }`).
///
/// Each flow's way is a field of its frames to the server: of the last before the moment, and of the last after it.
/// Flows that were not seen on both sides of it do not count.
public struct MoveExpectation: Hashable, Sendable, Codable {
    public var node: String
    public var interface: String
    public var match: String?
    public var flowsOf: String
    /// A name of `FrameField`.
    public var field: String
    public var moment: Anchor
    /// Where every flow that moved came from, and went to; nil for anywhere.
    public var from: String?
    public var to: String?
    /// Percent of the flows that had to move, and how far from it the share may be.
    public var ideal: Double
    public var tolerance: Double

    public init(
        node: String, interface: String, match: String? = nil, flowsOf: String, field: String, moment: Anchor,
        from: String? = nil, to: String? = nil, ideal: Double, tolerance: Double
    ) {
        self.node = node
        self.interface = interface
        self.match = match
        self.flowsOf = flowsOf
        self.field = field
        self.moment = moment
        self.from = from
        self.to = to
        self.ideal = ideal
        self.tolerance = tolerance
    }
}
