/// Whom a loop tells that a descriptor is ready.
public protocol ReadinessHandler: AnyObject {
    func ready(_ readiness: EventLoop.Readiness)
    /// The loop ends for good, and the descriptor is watched no more: `EventLoop.end`.
    func loopEnds()
}

extension ReadinessHandler {
    public func loopEnds() {}
}

/// For those whom a function serves better than a class of their own.
final class HandlingFunction: ReadinessHandler {
    private let handle: (EventLoop.Readiness) -> Void

    init(_ handle: @escaping (EventLoop.Readiness) -> Void) { self.handle = handle }

    func ready(_ readiness: EventLoop.Readiness) { handle(readiness) }
}
