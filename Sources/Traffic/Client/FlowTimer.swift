internal import EventLoop
internal import LabTime

/// The one timer of a flow: setting it again replaces it.
final class FlowTimer {
    private let loop: EventLoop
    private var pending: (at: Instant, timer: EventLoop.Timer)?

    init(on loop: EventLoop) { self.loop = loop }

    /// Does nothing where the timer is set to this very instant.
    func set(at instant: Instant, _ body: @escaping () -> Void) {
        guard pending?.at != instant else { return }
        cancel()
        let timer = loop.schedule(at: instant) { [unowned self] in
            pending = nil
            body()
        }
        pending = (instant, timer)
    }

    func cancel() {
        if let pending { loop.cancel(pending.timer) }
        pending = nil
    }
}
