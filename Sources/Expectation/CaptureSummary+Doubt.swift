import Evidence
import LabTime

extension CaptureSummary {
    /// Why this capture cannot prove that something did not pass within a window; nil where it can.
    /// - Parameter event: from which the times are measured
    func doubt(in window: TimeWindow, _ evidence: RunEvidence, from event: LabEvent?) -> String? {
        if droppedAtAnyTime > 0 { return "\(path) lacks \(Self.dropped(droppedAtAnyTime, by: nil))" }
        guard let loss = losses.first(where: { window.overlaps(from: $0.from, to: $0.to) }) else {
            return frames == 0 ? "\(path) has no frames" : nil
        }
        func moment(_ time: Timestamp) -> String {
            evidence.moment(of: time, from: event)?.description ?? time.description
        }
        let interval = "between \(moment(loss.from)) and \(moment(loss.to))"
        return loss.frames.map { "\(path) lacks \(Self.dropped($0, by: loss.cause)) \(interval)" }
            ?? "the kernel did not report how many frames \(path) lacks \(interval)"
    }

    /// What the whole capture lacks, in words; nil where it lacks nothing.
    var lack: String? {
        if isLossless { return nil }
        if leftOut > 0 { return "\(path) lacks \(Self.dropped(leftOut, by: .captureLimit))" }
        return dropped > 0
            ? "\(path) lacks \(Self.dropped(dropped, by: nil))"
            : "the kernel did not report how many frames \(path) lacks"
    }

    static func dropped(_ count: Int, by cause: CaptureLoss.Cause?) -> String {
        let frames = "\(count) frame\(count == 1 ? "" : "s")"
        return switch cause {
        case nil: "\(frames) that the kernel dropped"
        case .captureLimit: "\(frames) that --capture-limit left out"
        }
    }
}
