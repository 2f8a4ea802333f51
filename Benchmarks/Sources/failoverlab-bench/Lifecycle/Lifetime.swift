internal import LabTime

/// How long something took to come up and to go away.
struct Lifetime {
    /// From its start until all of it was there.
    var built: Duration
    /// From the order to go until the commands had returned, or the processes had ended.
    var removed: Duration
    /// From the order to go until the kernel had taken back every namespace and link.
    var reclaimed: Duration
}

/// Several of one kind; every figure is a median.
struct Lifetimes {
    private(set) var all: [Lifetime] = []

    mutating func append(_ lifetime: Lifetime) { all.append(lifetime) }

    var built: Spread { Spread(all.map(\.built)) }
    var removed: Spread { Spread(all.map(\.removed)) }
    var reclaimed: Spread { Spread(all.map(\.reclaimed)) }
}

/// The middle one of some durations, and the outermost.
struct Spread {
    let median: Duration
    let lowest: Duration
    let highest: Duration

    /// - Parameter durations: at least one
    init(_ durations: [Duration]) {
        let sorted = durations.sorted()
        median = sorted[sorted.count / 2]
        lowest = sorted[0]
        highest = sorted[sorted.count - 1]
    }

    func ratio(to other: Spread) -> Double { Double(median.nanoseconds) / Double(other.median.nanoseconds) }
}

/// Runs from its making on.
struct Stopwatch {
    private let start = ContinuousClock.now
    var elapsed: Duration { ContinuousClock.now - start }
}
