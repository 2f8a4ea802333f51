import Evidence
import LabTime

extension CaptureSummary {
    /// Why this capture cannot prove that something did not pass within a window; nil where it can.
    /// - Parameter event: from which a person counts the times
    func doubt(in window: TimeWindow, _ evidence: RunEvidence, from event: LabEvent?) -> String? {
        if droppedAtAnyTime > 0 { return "\(path) lacks \(Self.droppedFrames(droppedAtAnyTime))" }
        guard let loss = losses.first(where: { window.overlaps(from: $0.from, to: $0.to) }) else {
            return frames == 0 ? "\(path) holds no frame at all" : nil
        }
        func moment(_ time: Timestamp) -> String {
            evidence.moment(of: time, from: event)?.description ?? time.description
        }
        let interval = "between \(moment(loss.from)) and \(moment(loss.to))"
        return loss.frames.map { "\(path) lacks \(Self.droppedFrames($0)) \(interval)" }
            ?? "the kernel did not say what \(path) lacks \(interval)"
    }

    private static func droppedFrames(_ count: Int) -> String {
        "\(count) frame\(count == 1 ? "" : "s") that the kernel dropped"
    }
}
