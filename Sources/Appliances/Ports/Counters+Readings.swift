public import Dataplane
public import LabEvents

extension Counters {
    /// Every counter by name: events that happened, and drop reasons as `drop.<name>`.
    /// - Parameter includesZero: whether counters that never counted are there too
    public func readings(includesZero: Bool = true) -> [CounterReading] {
        var all: [CounterReading] = []
        for event in Event.allCases where includesZero || self[event] > 0 {
            all.append(CounterReading(event.counter, self[event]))
        }
        for reason in DropReason.allCases where includesZero || self[reason] > 0 {
            all.append(CounterReading(.drop, reason.counterWords, self[reason]))
        }
        return all
    }
}

extension DropReason {
    /// In the counter `drop.<reason>`.
    public var counterWords: CounterWords { [.reason: name, .meaning: meaning] }
}
