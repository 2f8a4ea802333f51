import Configuration
import LabEvents
import LabTime
import VirtualNetwork

@testable import Appliances

struct DifferencesAreReported: PairPromise {
    /// Covers an agreement's timeout.
    static let bound: Duration = .seconds(5)

    let sentence = "configurations that differ are reported within \(DifferencesAreReported.bound)"
    private var since: Instant?

    mutating func happened(_ what: PairHappening, _ pair: PairView) {
        if case .linksChanged = what { since = nil }
    }

    mutating func check(_ pair: inout PairView) -> String? {
        let boxes = pair.lab.boxes
        var differ = false
        if pair.alive.count == 2, pair.calm > PairBounds.receiving {
            let (one, other) = (boxes[0].firewall.runningConfiguration, boxes[1].firewall.runningConfiguration)
            differ = one.policy.rules != other.policy.rules || one.nat != other.nat
        }
        differ = differ && boxes.allSatisfy { $0.firewall.isAgreeing == false }
        since = differ ? since ?? pair.now : nil
        guard let since, pair.now - since > Self.bound,
            !boxes.contains(where: { $0.events.contains { $0.kind == .configurationDiffers } })
        else { return nil }
        return "the configurations differ for \(pair.now - since), and nobody reports it"
    }
}
