struct NeverTwoActives: PairPromise {
    let sentence = "two boxes that receive each other never both process sessions"

    mutating func check(_ pair: inout PairView) -> String? {
        pair.forwarding.count == 2 && pair.calm > PairBounds.receiving
            ? "both process sessions, on a cross-connect that is faultless for \(pair.calm)" : nil
    }
}
