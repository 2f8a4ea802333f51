/// Who reports events.
public enum EventReporter: String, CaseIterable, Hashable, Sendable {
    /// The run and the steps of its scenario.
    case scenario
    case traffic
    case firewall
    case loadBalancer = "load-balancer"
    case gatewayFirewall = "gateway-firewall"
    case `switch`
    /// The kernel of any node: of a box, that of its host side, and the carriers of its ports.
    case kernel
    /// A program of a node.
    case program
    /// A router with tracked routes.
    case routeTracker
    /// A rule on single frames.
    case exactFault
    /// The element that carries exact faults out, about itself.
    case inLineElement
    /// A pool member's end of a tunnel that is no kernel's.
    case tunnelEnd

    /// As in the reference.
    public var description: String {
        switch self {
        case .scenario: "the scenario"
        case .traffic: "traffic"
        case .firewall, .loadBalancer, .gatewayFirewall, .switch: rawValue
        case .program: "program"
        case .kernel: "any node's kernel"
        case .routeTracker: "router with tracked routes"
        case .exactFault: "exact fault"
        case .inLineElement: "in-line element"
        case .tunnelEnd: "tunnel of a pool member"
        }
    }
}

/// A detail of a kind of event.
public struct EventDetailDeclaration: Hashable, Sendable {
    public let detail: EventDetail
    public let type: EventDetailType
    /// Whether some events of the kind lack it.
    public let isOptional: Bool

    static func always(_ detail: EventDetail, _ type: EventDetailType) -> Self {
        Self(detail: detail, type: type, isOptional: false)
    }

    static func maybe(_ detail: EventDetail, _ type: EventDetailType) -> Self {
        Self(detail: detail, type: type, isOptional: true)
    }
}

/// What is fixed of a kind of event.
public struct EventDeclaration: Hashable, Sendable {
    /// A kind as some reporters report it.
    public struct Report: Hashable, Sendable {
        public let reporters: [EventReporter]
        public let details: [EventDetailDeclaration]
    }

    /// One sentence: what has happened.
    public let sentence: String
    /// No reporter is in two of them.
    public let reports: [Report]

    init(_ sentence: String, _ reports: [Report]) {
        self.sentence = sentence
        self.reports = reports
    }

    init(_ sentence: String, by reporters: EventReporter..., details: [EventDetailDeclaration] = []) {
        self.init(sentence, [Report(reporters: reporters, details: details)])
    }
}
