internal import Topology

/// Which events have happened that steps of the scenario wait for; of all others nothing is kept.
struct EventMemory: Hashable, Sendable {
    private(set) var hasBegun = false
    private let awaitable: Set<String>
    /// Since the scenario began or, if that was later, since the last faults; a `wait-for` counts it.
    private var happened: Set<String> = []
    /// While the lab came up, which no `wait-for` counts.
    private var happenedBefore: Set<String> = []
    private var hasWaitedSince = true

    init(_ steps: [ScenarioStep]) {
        awaitable = Set(steps.compactMap { if case .waitFor(let event, _) = $0 { event } else { nil } })
    }

    mutating func begin() { hasBegun = true }

    mutating func saw(_ event: String) {
        guard awaitable.contains(event) else { return }
        if hasBegun { happened.insert(event) } else { happenedBefore.insert(event) }
    }

    /// Whether a `wait-for` need not wait.
    func hasHappened(_ event: String) -> Bool { happened.contains(event) }

    /// Follows "which did not happen".
    func explanation(for event: String) -> String {
        happenedBefore.contains(event)
            ? "; it happened before the scenario began, which does not count" : ""
    }

    /// A fault or a push begins. Of several without a wait between them the first counts: what a later `wait-for` is
    /// about may follow from any of them.
    mutating func beginsFault() {
        if hasWaitedSince { happened = [] }
        hasWaitedSince = false
    }

    mutating func waits() { hasWaitedSince = true }
}
