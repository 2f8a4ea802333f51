/// Frames that have left a cable within this instant and have not been received yet, in their order.
struct CableArrivals {
    struct Arrival {
        var cable: VirtualCable
        /// The end of the cable by which it left.
        var end: Int
        var bytes: [UInt8]
    }

    private var waiting: [Arrival] = []
    private var taken = 0

    mutating func append(_ arrival: Arrival) { waiting.append(arrival) }

    /// The next one; nil where none waits.
    mutating func next() -> Arrival? {
        guard taken < waiting.count else { return nil }
        let arrival = waiting[taken]
        taken += 1
        if taken == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            taken = 0
        }
        return arrival
    }

    /// Those of one cable are lost.
    mutating func lose(through cable: VirtualCable) {
        waiting.removeSubrange(..<taken)
        taken = 0
        waiting.removeAll { $0.cable === cable }
    }
}
