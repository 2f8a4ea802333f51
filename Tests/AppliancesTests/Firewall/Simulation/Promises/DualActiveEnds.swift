import LabTime

struct DualActiveEnds: PairPromise {
    /// Whatever is lost on the cross-connect.
    static let bound: Duration = .milliseconds(600)

    let sentence = "two Actives whose cross-connect works are one within \(DualActiveEnds.bound)"
    private var since: Instant?

    mutating func happened(_ what: PairHappening, _ pair: PairView) {
        if case .linksChanged = what { since = nil }
    }

    mutating func check(_ pair: inout PairView) -> String? {
        since = pair.forwarding.count == 2 && pair.isConnected ? since ?? pair.now : nil
        guard let since, pair.now - since > Self.bound else { return nil }
        return "two Actives for \(pair.now - since)"
    }
}
