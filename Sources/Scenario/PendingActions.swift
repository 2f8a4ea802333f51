package import Appliances
internal import LabTime
internal import Topology

/// Actions on nodes whose outcome is outstanding.
struct PendingActions: Hashable, Sendable {
    /// Whom the outcome concerns.
    enum Purpose: Hashable, Sendable {
        /// The step of the scenario that is carried out.
        case fault(FaultPlan)
        case push
        /// A person's request.
        case request(Int, FaultPlan)
    }

    private struct Entry: Hashable, Sendable {
        var purpose: Purpose
        /// nil where whoever carries the actions out always answers.
        var expires: Instant?
    }

    private var entries: [Int: Entry] = [:]
    private var lastTicket = 0

    /// - Returns: the ticket
    mutating func add(_ purpose: Purpose, _ actions: [NodeAction], at now: Instant) -> Int {
        lastTicket += 1
        let last = actions.last.flatMap { $0.hasReply ? $0 : nil }
        entries[lastTicket] = Entry(
            purpose: purpose, expires: last.map { now + CommandTimeout.duration + $0.duration })
        return lastTicket
    }

    mutating func remove(_ ticket: Int) -> Purpose? { entries.removeValue(forKey: ticket)?.purpose }

    var deadline: Instant? { entries.values.compactMap(\.expires).min() }

    /// The oldest first.
    func expired(at now: Instant) -> [Int] {
        entries.filter { $0.value.expires.map { $0 <= now } ?? false }.keys.sorted()
    }
}

/// How long a node may take to reply to a command, and what counts as its reply then.
package enum CommandTimeout {
    package static let duration = Duration.seconds(10)
    package static let reply = ApplianceReply.refused(reason: "the node did not answer for 10 seconds")
}
