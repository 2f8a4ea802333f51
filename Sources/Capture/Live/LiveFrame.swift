internal import LabTime

/// A frame between a ring and the stream.
struct LiveFrame {
    /// Position of its interface.
    var interface: Int
    var time: Timestamp
    var originalLength: Int
    var bytes: [UInt8]
}

/// Brings frames of several rings into the order of time: a ring delivers its blocks at its own times, so that a
/// frame may come after later ones of another ring.
struct FrameMerge {
    private var waiting: [LiveFrame] = []

    mutating func add(_ frame: LiveFrame) { waiting.append(frame) }

    /// Frames that no earlier one can follow any more, in the order of time.
    /// - Parameter moment: every ring has handed over what came before it
    mutating func takeThose(before moment: Timestamp?) -> [LiveFrame] {
        // Stable, so that frames of one stamp keep the order of their ring.
        let sorted = waiting.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        guard let moment else {
            waiting = []
            return sorted
        }
        let ready = sorted.prefix { $0.time < moment }
        waiting = Array(sorted.dropFirst(ready.count))
        return Array(ready)
    }
}
