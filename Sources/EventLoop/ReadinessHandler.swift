/// Called by a loop when a descriptor is ready.
public protocol ReadinessHandler: AnyObject {
    func ready(_ readiness: EventLoop.Readiness)
    /// The loop ends for good, and the descriptor is watched no more: `EventLoop.end`.
    func loopEnds()
}

extension ReadinessHandler {
    public func loopEnds() {}
}

/// A handler made of a function.
final class HandlingFunction: ReadinessHandler {
    private let handle: (EventLoop.Readiness) -> Void

    init(_ handle: @escaping (EventLoop.Readiness) -> Void) { self.handle = handle }

    func ready(_ readiness: EventLoop.Readiness) { handle(readiness) }
}
