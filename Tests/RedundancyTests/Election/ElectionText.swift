import LabEvents
import LabTime

@testable import Redundancy

/// What an election does, in words of scripts.
enum ElectionText {
    static let flags: [(String, PairStatement.Flags)] = [
        ("yields", .yields), ("knows-sessions", .knowsSessions), ("requests-role", .requestsRole),
        ("hands-over", .handsOver),
    ]

    static func of(_ action: ElectionAction) -> String {
        switch action {
        case .stopForwarding(let handingOver): "stop forwarding" + (handingOver ? ", handing over" : "")
        case .startForwarding: "start forwarding"
        case .advertise(let router, let priority): "advertise \(router) priority \(priority)"
        case .announceAddresses: "announce addresses"
        case .send(let statement): "heartbeat \(of(statement))"
        case .peerAppeared(let restarted): "peer appeared" + (restarted ? ", restarted" : "")
        case .peerLost: "peer lost"
        case .report(let kind, let details):
            "report \(kind.rawValue): "
                + details.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue)=\($0.value)" }
                .joined(separator: ", ")
        }
    }

    private static func of(_ statement: PairStatement) -> String {
        let age = statement.roleAge == .zero ? [] : ["since \(of(statement.roleAge))"]
        let flags = flags.filter { statement.flags.contains($0.1) }.map(\.0)
        return (["\(statement.role.rawValue) \(statement.priority)"] + age + flags).joined(separator: " ")
    }

    /// In milliseconds, with as many digits as it takes.
    static func of(_ duration: Duration) -> String {
        let (whole, rest) = duration.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        guard rest != 0 else { return "\(whole)ms" }
        var digits = String(String(1_000_000 + rest).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)ms"
    }
}

extension Election.Phase {
    var name: String {
        switch self {
        case .stopped: "stopped"
        case .starting: "starting"
        case .backup: "backup"
        case .grace: "grace"
        case .handingOver: "handing over"
        case .active: "active"
        case .dualActive: "dual-active"
        }
    }
}
