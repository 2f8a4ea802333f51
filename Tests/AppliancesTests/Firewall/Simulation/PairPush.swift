import Configuration
import Dataplane
import VirtualNetwork
import Wire

@testable import Appliances

/// A push to both boxes of a pair: the same to both, unless one is mistyped.
struct PairPush: Codable, CustomStringConvertible {
    var number: Int
    var isMistyped = false
    /// Changes the pool of source NAT instead of a rule.
    var changesPool = false
    /// Another pool takes the place of the one, instead of its getting other ports.
    var replacesPool = false
    var firstPort: UInt16 = 5000

    /// Connections of the inside to port 80, control connections from outside, and nothing else.
    static let policy = PolicyConfiguration(
        rules: [
            PolicyRule(name: "web", action: .allow, protocol: .tcp, destinationPorts: 80...80),
            PolicyRule(
                name: "ftp", action: .allow, protocol: .tcp,
                destinationPorts: PairTransfers.controlPort...PairTransfers.controlPort),
        ], otherwise: .deny)
    /// How names begin that must not come into effect.
    static let mistyped = "mismatch"

    var description: String {
        "push \(number)\(isMistyped ? ", mistyped" : "")"
            + (changesPool ? ", \(replacesPool ? "another pool" : "the pool") from \(firstPort)" : "")
    }

    func perform(on lab: FirewallLab, unseen: Bool) {
        for box in 0..<2 {
            let running = lab.boxes[box].firewall.runningConfiguration
            var change: PolicyChange
            if changesPool {
                change = PolicyChange(nat: translation(of: running.nat, box))
            } else {
                let name = isMistyped ? "\(Self.mistyped)-\(number)-\(box)" : "rule-\(number)"
                change = PolicyChange(
                    addedRules: [.init(PolicyRule(name: name, action: .deny, protocol: .udp, destinationPorts: 9...9))],
                    deletedRules: running.policy.rules.map(\.name).filter { name in
                        !Self.policy.rules.contains { $0.name == name }
                    })
            }
            if change.isEmpty { continue }
            _ = lab.perform(box, .policy(unseen ? .push(change) : .agree(change)))
        }
    }

    /// The one pool gets other ports, or gives way to another with some of its ports.
    private func translation(of running: RunningNAT, _ box: Int) -> NATChange {
        let start = isMistyped ? firstPort + UInt16(box) * 8 : firstPort
        let name = isMistyped ? "\(Self.mistyped)-\(number)" : "pool-\(number)"
        let ports = start...(start + 255)
        guard replacesPool || isMistyped else {
            return NATChange(
                changedPools: running.pools.map { NATPool(name: $0.name, addresses: [PairRun.pool], ports: ports) })
        }
        return NATChange(
            addedPools: [NATPool(name: name, addresses: [PairRun.pool], ports: ports)],
            deletedPools: running.pools.map(\.name),
            addedRules: [.init(name, [NATRule(source: PairRun.insides, pool: name)])],
            deletedRules: running.ruleNames)
    }
}
