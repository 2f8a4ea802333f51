import Dataplane
import LabTime
import Wire

/// The kinds of events about pinholes. Details: `control`, the control connection's packet; `flow`, the expected or the
/// data connection's; `reason` of a refusal.
enum PinholeEventKind: Int, CaseIterable {
    case opened
    case used
    case refused

    var kind: String {
        switch self {
        case .opened: "pinhole-opened"
        case .used: "pinhole-used"
        case .refused: "pinhole-refused"
        }
    }
}

extension Firewall {
    mutating func tellPinholes(at now: Instant) {
        guard filter.hasPinholeEvents else { return }
        for event in filter.takePinholeEvents() {
            let kind: PinholeEventKind
            let details: [String: String]
            switch event {
            case .opened(let flow, let control):
                (kind, details) = (.opened, ["flow": flow.pinholeWords, "control": control.connectionWords])
            case .used(let flow, let control):
                (kind, details) = (.used, ["flow": flow.connectionWords, "control": control.connectionWords])
            case .refused(let reason, let control):
                (kind, details) = (.refused, ["reason": reason.rawValue, "control": control.connectionWords])
            }
            if pinholeLimits.take(kind, at: now) { report(kind.kind, at: now, details) }
        }
    }

    /// What waits for its connection, among the connections.
    func pinholes(at now: Instant) -> ConnectionList {
        let readings = filter.allPinholes().map { flow, expires in
            ConnectionReading(
                source: "\(flow.source)", destination: flow.destinationWords, protocol: "\(flow.protocol)",
                state: "PINHOLE", timer: "pinhole", remaining: max(.zero, expires - now))
        }
        return ConnectionList(connections: Array(readings.prefix(ConnectionList.most)), total: readings.count)
    }

    var pinholeReadings: [CounterReading] {
        let tally = filter.pinholeTally
        func reading(_ name: String, _ value: UInt64, _ meaning: String) -> CounterReading {
            CounterReading(name: name, value: value, meaning: meaning)
        }
        return [
            reading("pinholes", UInt64(filter.pinholeCount), "Pinholes that wait for their connection."),
            reading("pinholes.opened", tally.opened, "Pinholes opened by announcements that passed here."),
            reading("pinholes.adopted", tally.adopted, "Pinholes learned from the peer."),
            reading("pinholes.used", tally.used, "Pinholes whose connection came."),
            reading("pinholes.expired", tally.expired, "Pinholes whose connection did not come in time."),
            reading(
                "pinholes.refused.bounce", tally.bounces,
                "Segments dropped because they announce an address that is not their sender's (RFC 2577)."),
            reading(
                "pinholes.refused.privileged-port", tally.privilegedPorts,
                "Segments dropped because they announce a port below 1024 (RFC 2577)."),
            reading(
                "pinholes.refused.translated", tally.translated,
                "Segments dropped because their sender stands behind a mapping, and the other side could not reach what they announce."
            ),
            reading(
                "pinholes.unasked", tally.unasked, "Replies that announce what nobody asked for; they opened nothing."),
            reading("pinholes.malformed", tally.malformed, "Announcements that cannot be read; they opened nothing."),
            reading(
                "pinholes.unread", tally.unread,
                "New segments of control connections that do not begin or do not end with a line; they opened nothing."),
            reading(
                "pinholes.no-room", tally.noRoom,
                "Announcements, or control connections to be read, for which there was no room."),
        ]
    }
}

extension FiveTuple {
    /// `10.0.0.3 -> 10.0.0.1:4000`: any source port.
    fileprivate var pinholeWords: String { "\(source) -> \(destinationWords)" }
}
