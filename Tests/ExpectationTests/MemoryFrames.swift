import Evidence

/// Frames in memory. It knows no filter language: a test names the frames that a filter's text selects.
struct MemoryFrames: FrameSource {
    struct Unreadable: Error, CustomStringConvertible {
        var description: String
    }

    var frames: [String: [CapturedFrame]] = [:]
    /// By the filter's text; other filters select every frame.
    var filters: [String: Set<Int>] = [:]
    var failure: Unreadable?

    func frames(
        of capture: CaptureSummary, matching filter: String?, _ visit: (CapturedFrame) throws -> Bool
    ) throws {
        if let failure { throw failure }
        for frame in frames[capture.path] ?? [] {
            if let filter, let numbers = filters[filter], !numbers.contains(frame.number) { continue }
            guard try visit(frame) else { return }
        }
    }
}
