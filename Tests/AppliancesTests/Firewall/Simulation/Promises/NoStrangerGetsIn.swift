import Wire

struct NoStrangerGetsIn: PairPromise {
    let sentence = "a port that the server has announced to one client lets no other client in"
    private var stranger: FiveTuple?

    mutating func happened(_ what: PairHappening, _ pair: PairView) {
        if case .strangerGotIn(let flow) = what { stranger = stranger ?? flow }
    }

    mutating func check(_ pair: inout PairView) -> String? {
        stranger.map { "\($0) reached the server, which announced that port to somebody else" }
    }
}
