/// What an event of a run is about: the `kind` of a line of `events.jsonl`, and the last part of its name.
///
/// The raw values are the words of lab files, `events.jsonl` and reports; they never change. Who reports a kind, with
/// which details, and what it means stands in `declaration`.
public enum EventKind: String, CaseIterable, Hashable, Sendable, Codable {
    // The run itself
    case begin, failed
    case counter, push

    // Traffic programs
    case trafficStart = "traffic-start"
    case trafficAnswered = "traffic-answered"
    case trafficStop = "traffic-stop"

    // Faults of a scenario. `switchover` is also what a firewall does about one.
    case powerOff = "power-off"
    case powerOn = "power-on"
    case linkDown = "link-down"
    case linkUp = "link-up"
    case hang, resume, kill, start, arm, disarm, release, weight

    // Steps on a node of the running lab
    case exec, exited, signal, restart, sysctl, route, address, rule, clear

    // Boxes
    case ready

    // Firewalls
    case active, backup, switchover
    case peerUp = "peer-up"
    case peerDown = "peer-down"
    case crossConnectDown = "cross-connect-down"
    case dualActive = "dual-active"
    case dualActiveOver = "dual-active-over"
    case syncComplete = "sync-complete"
    case pushDone = "push-done"
    case pushRefused = "push-refused"
    case pushIncomplete = "push-incomplete"
    case pushBlocked = "push-blocked"
    case configurationDiffers = "configuration-differs"
    case syncRefused = "sync-refused"
    case syncStranger = "sync-stranger"
    case syncRuleUnknown = "sync-rule-unknown"
    case syncPoolUnknown = "sync-pool-unknown"
    case natPoolExhausted = "nat-pool-exhausted"
    case natAddressReleased = "nat-address-released"
    case pinholeOpened = "pinhole-opened"
    case pinholeUsed = "pinhole-used"
    case pinholeRefused = "pinhole-refused"

    // Load balancers
    case memberUp = "member-up"
    case memberDown = "member-down"
    case memberWeight = "member-weight"
    case http502 = "http-502"
    case http503 = "http-503"
    case http504 = "http-504"
    case tlsFailed = "tls-failed"

    // Gateway firewalls
    case stateCreated = "state-created"
    case stateClosingClosed = "state-closing-closed"
    case stateExpired = "state-expired"
    case stateClosingClosedExpired = "state-closing-closed-expired"
    case stateRefused = "state-refused"
    case stateTableFull = "state-table-full"

    // Switches
    case macMoved = "mac-moved"
    case macTableFull = "mac-table-full"

    // Programs
    case started, ended, output
    case countersUnread = "counters-unread"

    // A node's kernel
    case addressAdded = "address-added"
    case addressRemoved = "address-removed"
    case neighborChanged = "neighbor-changed"
    case carrierUp = "carrier-up"
    case carrierDown = "carrier-down"
    case routeMoved = "route-moved"
    case routeAdded = "route-added"
    case routeChanged = "route-changed"
    case routeRemoved = "route-removed"
    case kernelEventsLost = "kernel-events-lost"

    // Exact faults, on single frames
    case dropped, lost, delayed, duplicated, held, released, corrupted, reordered, limited
    case overflow, armed, disarmed, quiet
}

extension EventKind {
    /// The event of an answer of a load balancer that no member gave; nil for a status without one.
    public init?(httpStatus: Int) {
        switch httpStatus {
        case 502: self = .http502
        case 503: self = .http503
        case 504: self = .http504
        default: return nil
        }
    }

    /// The last part of an event's name: the kind, but for a traffic program's `app.start`, `app.answered`, `app.stop`.
    public var word: String {
        switch self {
        case .trafficStart: "start"
        case .trafficAnswered: "answered"
        case .trafficStop: "stop"
        default: rawValue
        }
    }

    /// What an event is named after where there is only one of its kind: `scenario.begin`, `lab.failed`.
    public var subject: String? {
        switch self {
        case .begin: "scenario"
        case .failed: "lab"
        default: nil
        }
    }

    /// `fw-b.active`, `app.start`, `late-fin.held`
    public func name(of subject: String) -> String { "\(subject).\(word)" }

    /// What a reporter can report, in the order of declaration.
    public static func kinds(of reporter: EventReporter) -> [EventKind] {
        allCases.filter { kind in kind.declaration.reports.contains { $0.reporters.contains(reporter) } }
    }

    /// The details that an event of this kind has, or may have, when `reporter` reports it; nil where it reports none.
    public func details(from reporter: EventReporter) -> [EventDetailDeclaration]? {
        declaration.reports.first { $0.reporters.contains(reporter) }?.details
    }

    /// What is wrong with the details of an event; nil where they are as declared.
    public func problem(with details: EventDetails, from reporter: EventReporter) -> String? {
        guard let declared = self.details(from: reporter) else {
            return "\(rawValue) is not declared for \(reporter.description)"
        }
        for detail in declared where !detail.isOptional && details[detail.detail] == nil {
            return "\(rawValue) lacks '\(detail.detail.rawValue)'"
        }
        for (detail, value) in details {
            guard let declaration = declared.first(where: { $0.detail == detail }) else {
                return "\(rawValue) has '\(detail.rawValue)', which is not declared"
            }
            guard declaration.type.accepts(value) else {
                return "'\(detail.rawValue)' of \(rawValue) is '\(value)', which is no \(declaration.type.rawValue)"
            }
        }
        return nil
    }
}
