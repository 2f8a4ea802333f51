import Appliances
import Dataplane
import LabTime
import VirtualNetwork

struct LostLinkMovesTheRole: PairPromise {
    static let bound: Duration = .milliseconds(5)

    let sentence = """
        an Active that lost a link leaves the role to a peer with every link and session, within \
        \(LostLinkMovesTheRole.bound)
        """
    /// The box that has to leave the role should it now lose a link.
    private var candidate: Int?
    private var lost: (box: Int, at: Instant)?

    mutating func happened(_ what: PairHappening, _ pair: PairView) {
        switch what {
        case .linksChange: candidate = Self.candidate(pair)
        case .linksChanged:
            lost = nil
            guard let box = candidate, pair.isCalm, pair.lab.boxes[box].carrier[..<2].contains(false),
                !pair.lab.boxes[1 - box].carrier.contains(false)
            else { break }
            lost = (box, pair.now)
        default: return
        }
        if case .linksChanged = what { candidate = nil }
    }

    private static func candidate(_ pair: PairView) -> Int? {
        guard pair.calm > PairBounds.receiving, let box = pair.forwarding.first,
            pair.lab.boxes.allSatisfy({ !$0.carrier.contains(false) }), !pair.lab.boxes[1 - box].firewall.forwards,
            pair.lab.boxes[1 - box].firewall.hasPairsSessions
        else { return nil }
        return box
    }

    mutating func check(_ pair: inout PairView) -> String? {
        guard let lost, pair.now - lost.at > Self.bound else { return nil }
        self.lost = nil
        return pair.lab.boxes[lost.box].firewall.forwards
            ? "box \(lost.box) keeps the role without a link that its peer has" : nil
    }
}
