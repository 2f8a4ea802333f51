/// How often each event of a kind happened.
///
/// The numbers of the events count from 0.
struct EventTally<Event: CaseIterable & RawRepresentable> where Event.RawValue == Int {
    private var counts = [UInt64](repeating: 0, count: Event.allCases.count)

    mutating func count(_ event: Event, times: Int = 1) {
        counts[event.rawValue] &+= UInt64(truncatingIfNeeded: times)
    }

    subscript(event: Event) -> UInt64 { counts[event.rawValue] }
}
