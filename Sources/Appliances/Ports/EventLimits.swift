import LabTime

/// For each kind at most 50 events a second and 200 at once, so that thousands of connections a second do not fill
/// the run's folder, and rare events are not lost among frequent ones.
struct EventLimits<Kind: CaseIterable & RawRepresentable> where Kind.RawValue == Int {
    private static var burst: Int64 { 200 }
    private static var interval: Int64 { 20_000_000 }
    private var tokens = [Int64](repeating: burst, count: Kind.allCases.count)
    private var refilled = [Int64](repeating: .min, count: Kind.allCases.count)
    private(set) var suppressed: UInt64 = 0

    /// - Precondition: the kinds' numbers count from 0
    mutating func take(_ event: Kind, at now: Instant) -> Bool {
        let place = event.rawValue
        if refilled[place] == .min { refilled[place] = now.nanoseconds }
        let gained = (now.nanoseconds &- refilled[place]) / Self.interval
        if gained > 0 {
            tokens[place] = min(Self.burst, tokens[place] + min(gained, Self.burst))
            refilled[place] += gained * Self.interval
        }
        guard tokens[place] > 0 else {
            suppressed &+= 1
            return false
        }
        tokens[place] -= 1
        return true
    }
}
