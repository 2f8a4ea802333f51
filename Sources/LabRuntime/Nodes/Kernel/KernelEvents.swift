internal import LabEvents
internal import LabTime

/// Reports the events of a node's kernel within their limit, from when the captures are armed: building a lab is none
/// of its events.
final class KernelEvents {
    private unowned let process: NodeProcess
    private var limit = KernelEventLimit()
    private var hasBegun = false

    init(in process: NodeProcess) { self.process = process }

    /// The node may send, and its programs start.
    func begin() { hasBegun = true }

    func report(_ kind: EventKind, at instant: Instant, _ details: EventDetails) {
        guard hasBegun else { return }
        switch limit.admit(kind, at: instant) {
        case .report: process.event(kind, at: instant, details: details)
        case .leaveOut(let end): reportLoss(of: [kind], from: instant, to: end, reason: "limit")
        case .leaveOutSilently: break
        }
    }

    /// - Parameter number: of further events of that kind, which were not even made
    func leaveOut(_ number: Int, _ kind: EventKind, at instant: Instant) {
        guard hasBegun, number > 0 else { return }
        if case .leaveOut(let end) = limit.admit(kind, at: instant, number: number + KernelEventLimit.most) {
            reportLoss(of: [kind], from: instant, to: end, reason: "limit", number: number)
        }
    }

    /// Events that nobody knows anything about any more.
    func reportLoss(
        of kinds: [EventKind], from: Instant, to: Instant, reason: String, number: Int? = nil
    ) {
        guard hasBegun else { return }
        var details: EventDetails = [
            .what: kinds.map(\.rawValue).joined(separator: ", "), .reason: reason, .to: "\(process.time(of: to))",
        ]
        details[.leftOut] = number.map { "\($0)" }
        process.event(.kernelEventsLost, at: from, details: details)
    }
}
