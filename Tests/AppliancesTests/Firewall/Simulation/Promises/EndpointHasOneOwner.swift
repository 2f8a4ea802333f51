import Appliances
import Dataplane
import VirtualNetwork
import Wire

/// Where an endpoint could not be known to be granted, it ends when the two boxes receive each other, and one of the two
/// sessions with it.
struct EndpointHasOneOwner: PairPromise {
    let sentence = "an external endpoint stands for one inside endpoint, as long as a session has it"

    mutating func check(_ pair: inout PairView) -> String? {
        let isMended = pair.mayGrantTwice && pair.calm > PairBounds.synchronisation
        let hasChanges = pair.alive.contains { pair.lab.boxes[$0].firewall.sessionCount != pair.counts[$0] }
        guard isMended || hasChanges else { return nil }
        if isMended { pair.mayGrantTwice = false }
        var owners: [UInt16: FiveTuple] = [:]
        for box in pair.alive {
            for mapping in pair.lab.boxes[box].firewall.mappings(of: pair.lab.server.address) {
                let flow = mapping.flow
                guard mapping.isOwn else {
                    return "box \(box) has the session \(flow), whose mapping \(mapping.external) is not its own"
                }
                guard let owner = owners.updateValue(flow, forKey: mapping.external.port), owner != flow else {
                    continue
                }
                guard pair.mayGrantTwice else {
                    return "external port \(mapping.external.port) stands for two: \(owner) and \(flow)"
                }
                for contested in [owner, flow] { pair.held.forget(contested) }
            }
        }
        return nil
    }
}
