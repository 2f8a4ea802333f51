import Dataplane
import LabEvents
import LabTime
import Wire

/// The kinds of events about pinholes. Details: `control`, the control connection's packet; `flow`, the expected or the
/// data connection's; `reason` of a refusal.
enum PinholeEventKind: Int, CaseIterable {
    case opened
    case used
    case refused

    var kind: EventKind {
        switch self {
        case .opened: .pinholeOpened
        case .used: .pinholeUsed
        case .refused: .pinholeRefused
        }
    }
}

extension Firewall {
    mutating func reportPinholes(at now: Instant) {
        guard filter.gateways.hasEvents else { return }
        for event in filter.gateways.takeEvents() {
            let kind: PinholeEventKind
            let details: EventDetails
            switch event {
            case .opened(let flow, let control):
                (kind, details) = (.opened, [.flow: flow.pinholeWords, .control: control.connectionWords])
            case .used(let flow, let control):
                (kind, details) = (.used, [.flow: flow.connectionWords, .control: control.connectionWords])
            case .refused(let reason, let control):
                (kind, details) = (.refused, [.reason: reason.rawValue, .control: control.connectionWords])
            }
            log.report(kind, at: now, details)
        }
    }

    /// What waits for its connection, among the connections.
    func pinholes(at now: Instant) -> ConnectionList {
        let readings = filter.gateways.allPinholes().map { flow, expires in
            ConnectionReading(
                source: "\(flow.source)", destination: flow.destinationWords, protocol: "\(flow.protocol)",
                state: "PINHOLE", timer: "pinhole", remaining: max(.zero, expires - now))
        }
        return ConnectionList(connections: Array(readings.prefix(ConnectionList.most)), total: readings.count)
    }

    var pinholeReadings: [CounterReading] {
        let tally = filter.gateways.tally
        return [
            CounterReading(.pinholes, filter.gateways.pinholeCount),
            CounterReading(.pinholesOpened, tally.opened),
            CounterReading(.pinholesAdopted, tally.adopted),
            CounterReading(.pinholesUsed, tally.used),
            CounterReading(.pinholesExpired, tally.expired),
            CounterReading(.pinholesRefusedBounce, tally.bounces),
            CounterReading(.pinholesRefusedPrivilegedPort, tally.privilegedPorts),
            CounterReading(.pinholesRefusedTranslated, tally.translated),
            CounterReading(.pinholesUnasked, tally.unasked),
            CounterReading(.pinholesMalformed, tally.malformed),
            CounterReading(.pinholesUnread, tally.unread),
            CounterReading(.pinholesNoRoom, tally.noRoom),
        ]
    }
}

extension FiveTuple {
    /// `10.0.0.3 -> 10.0.0.1:4000`: any source port.
    fileprivate var pinholeWords: String { "\(source) -> \(destinationWords)" }
}
