internal import LabTime
internal import Measurement

/// When a flow of datagrams goes on from another source port.
struct PortSchedule: Hashable, Sendable {
    private let rule: Rebinding?
    private let started: Instant
    private var changes = 0

    init(_ rule: Rebinding?, from started: Instant) {
        self.rule = rule
        self.started = started
    }

    /// Whether the next request needs another port: true once for each.
    mutating func take(sent: Int, at now: Instant) -> Bool {
        guard changes < FlowResult.mostEnds - 1 else { return false }
        let isDue =
            switch rule {
            case .after(let delay): changes == 0 && now >= started + delay
            case .requests(let count): sent >= count * (changes + 1)
            case nil: false
            }
        if isDue { changes += 1 }
        return isDue
    }
}
