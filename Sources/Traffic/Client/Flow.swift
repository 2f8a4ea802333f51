internal import Measurement

/// One flow of a traffic program while it runs.
///
/// A flow calls its `onEnd` exactly once, when it has ended by itself; never from within `start`, and not after
/// `abandon`.
protocol Flow: AnyObject {
    func start()
    /// Asks nothing more and ends when what was asked is answered, or patience is over.
    func finish()
    /// Ends at once: its figures as they stand.
    func abandon() -> FlowResult
    /// Probes that were sent late.
    var late: Int { get }
}

/// What a flow tells its client.
struct FlowEvents {
    var onFirstAnswer: () -> Void
    var onSkip: (String) -> Void
    /// Instead of `onEnd`: the host lacks what the flow needs to begin.
    var onShortage: (String) -> Void
    var onEnd: (FlowResult) -> Void
}
