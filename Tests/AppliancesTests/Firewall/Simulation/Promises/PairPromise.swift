/// A promise of a pair, which is checked after every step.
///
/// A promise may record what it is checked by later: it knows only what a host or an operator could see, or what a box
/// itself claims.
protocol PairPromise {
    /// What is promised.
    var sentence: String { get }

    /// Something has happened to the pair since the last step.
    mutating func happened(_ what: PairHappening, _ pair: PairView)

    /// - Returns: what breaks the promise; nil where it holds
    mutating func check(_ pair: inout PairView) -> String?
}

extension PairPromise {
    mutating func happened(_ what: PairHappening, _ pair: PairView) {}
}

/// Bounds that several promises have.
enum PairBounds {
    /// The time within which two boxes with a faultless cross-connect receive each other.
    static let receiving: Duration = .milliseconds(250)
    /// With a faultless cross-connect the peer has every record within this time.
    static let synchronisation: Duration = .seconds(2)
    /// More than a frame is ever under way.
    static let longestDelay: Duration = .milliseconds(5)
}
