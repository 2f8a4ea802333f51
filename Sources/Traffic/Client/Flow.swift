internal import Measurement
internal import SystemPackage
internal import TrafficModel

/// One flow of a traffic program while it runs.
///
/// A flow calls its `onEnd` exactly once, when it has ended by itself; never from within `start`, and not after
/// `abandon`.
protocol Flow: AnyObject {
    var context: FlowContext { get }
    var callbacks: FlowCallbacks { get }
    var hasEnded: Bool { get }

    func start()
    /// Asks nothing more and ends when what was asked is answered or timed out.
    func finish()
    /// Closes its connection, or opens another one, as its model orders.
    func follow(_ order: ConnectionOrder)
    /// Lets go of socket and timers: `hasEnded` from now on.
    func close(_ ending: FlowEnding) -> FlowResult
    /// Probes that were sent late.
    var late: Int { get }
}

extension Flow {
    /// Reports what the flow's model says has happened; the last of it may be the flow's end.
    func report(_ happened: [FlowEvent]) {
        for event in happened {
            switch event {
            case .firstAnswer: callbacks.onFirstAnswer()
            case .connection(let order): follow(order)
            case .skipped(let reason): callbacks.onSkip(reason)
            case .ended(let ending): end(ending)
            }
        }
    }

    /// Most flows have one connection.
    func follow(_ order: ConnectionOrder) {}

    /// Ends by itself.
    func end(_ ending: FlowEnding) {
        guard !hasEnded else { return }
        let result = close(ending)
        callbacks.onEnd(result)
    }

    /// Ends at once: its figures as they stand.
    func abandon() -> FlowResult { close(.survived) }

    func failToStart(_ error: Errno) {
        guard error.isShortage else { return end(FlowEnding(error)) }
        failToStart(error.description)
    }

    /// It says nothing about the lab: what was to be sent counts as skipped.
    func failToStart(_ shortage: String) {
        _ = close(.survived)
        callbacks.onShortage(shortage)
    }
}

/// What a flow reports to its client.
struct FlowCallbacks {
    var onFirstAnswer: () -> Void
    var onSkip: (String) -> Void
    /// Instead of `onEnd`: the host lacks what the flow needs to begin.
    var onShortage: (String) -> Void
    var onEnd: (FlowResult) -> Void
}
