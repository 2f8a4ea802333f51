internal import LabEvents
internal import LabTime

/// Reports the events of a node's kernel within their limit, from when the captures are armed: building a lab is none
/// of its events.
final class KernelEvents {
    private unowned let process: NodeProcess
    private var limit = KernelEventLimit()
    private var hasBegun = false
    /// By kind: until when its events are known to be missing.
    private var lossEnds: [EventKind: Instant] = [:]

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

    /// - Parameters:
    ///   - number: of further events of that kind, which were not even made
    ///   - next: when it is known again what is missing
    func leaveOut(_ number: Int, _ kind: EventKind, at instant: Instant, until next: Instant) {
        guard hasBegun, number > 0 else { return }
        var end = next
        switch limit.admit(kind, at: instant, number: number + KernelEventLimit.most) {
        case .leaveOut(let second): end = max(second, next)
        case .report, .leaveOutSilently: if let known = lossEnds[kind], known >= next { return }
        }
        lossEnds[kind] = end
        reportLoss(of: [kind], from: instant, to: end, reason: "limit", number: number)
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
