public import Dataplane

extension Counters {
    /// Every counter by name: events that happened, and drop reasons as `drop.<name>`.
    /// - Parameter includesZero: whether counters that never counted are there too
    public func readings(includesZero: Bool = true) -> [CounterReading] {
        var all: [CounterReading] = []
        for event in Event.allCases where includesZero || self[event] > 0 {
            all.append(CounterReading(name: event.name, value: self[event], meaning: event.meaning))
        }
        for reason in DropReason.allCases where includesZero || self[reason] > 0 {
            all.append(CounterReading(name: "drop." + reason.name, value: self[reason], meaning: reason.meaning))
        }
        return all
    }
}
