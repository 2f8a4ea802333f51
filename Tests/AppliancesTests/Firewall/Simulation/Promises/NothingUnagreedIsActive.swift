import Configuration
import Dataplane
import VirtualNetwork

@testable import Appliances

struct NothingUnagreedIsActive: PairPromise {
    let sentence = "what the two boxes did not agree on is in effect nowhere"

    mutating func check(_ pair: inout PairView) -> String? {
        for box in pair.alive {
            let firewall = pair.lab.boxes[box]
            let rules = firewall.firewall.runningConfiguration.policy.rules.map(\.name)
            if let rule = rules.first(where: { $0.hasPrefix(PairPush.mistyped) }) {
                return "box \(box) activated '\(rule)', which its peer does not have"
            }
            let pools = firewall.firewall.poolsInEffect
            if let pool = pools.first(where: { $0.hasPrefix(PairPush.mistyped) }) {
                return "box \(box) translates from '\(pool)', which its peer has otherwise"
            }
        }
        return nil
    }
}
