internal import NIOCore

/// One deadline that moves often: a timer of the event loop is only set when the last one has run out.
///
/// Used on its event loop alone.
final class MovingDeadline {
    private let eventLoop: any EventLoop
    private let onExpiry: () -> Void
    private var deadline: NIODeadline?
    private var timer: (task: Scheduled<Void>, at: NIODeadline)?

    init(on eventLoop: any EventLoop, onExpiry: @escaping () -> Void) {
        self.eventLoop = eventLoop
        self.onExpiry = onExpiry
    }

    func set(_ deadline: NIODeadline) {
        self.deadline = deadline
        if let timer {
            if timer.at <= deadline { return }
            timer.task.cancel()
        }
        schedule(deadline)
    }

    func clear() { deadline = nil }

    /// Lets go of everything: no expiry comes after it.
    func end() {
        deadline = nil
        timer?.task.cancel()
        timer = nil
    }

    private func schedule(_ time: NIODeadline) {
        let task = eventLoop.assumeIsolated().scheduleTask(deadline: time) { [weak self] () -> Void in self?.fired() }
        timer = (task, time)
    }

    private func fired() {
        timer = nil
        guard let deadline else { return }
        guard deadline <= .now() else { return schedule(deadline) }
        self.deadline = nil
        onExpiry()
    }
}
