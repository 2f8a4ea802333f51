import Appliances
package import LabEvents

/// A pool member gets another weight.
package struct WeightFault: FaultKind {
    package static let event = EventKind.weight
    package static let summary = "sets the weight of a pool member to 3"
    package static let target = FaultTarget.weight
    package static let effect = NodeEffect.needsRunningThen

    package var node: String
    package var service: String
    package var member: String
    package var weight: Int

    package var written: String { "\(node)/\(service)/\(member)=\(weight)" }
    package var details: EventDetails { [.service: service, .member: member, .weight: "\(weight)"] }

    package func actions(on node: Node) -> [NodeAction] {
        [.command(.weight(service: service, member: member, weight: weight), node: node.name)]
    }
}

extension WeightFault {
    /// `lb/web/backend-1=3`
    init?(_ text: String) {
        let sides = text.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, let weight = Int(sides[1]), (1...100).contains(weight) else { return nil }
        let parts = sides[0].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.init(node: parts[0], service: parts[1], member: parts[2], weight: weight)
    }
}

extension Fault {
    package static func weight(node: String, service: String, member: String, weight: Int) -> Fault {
        Fault(WeightFault(node: node, service: service, member: member, weight: weight))
    }
}
