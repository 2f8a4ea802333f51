import Configuration
import Dataplane
import Wire

extension PolicyConfiguration {
    /// The rules with every object looked up.
    /// - Throws: a rule on a port that the box does not have, and whatever `check` finds
    func compiled(for ports: [String], of box: String) throws(ConfigurationError) -> [FilterRule] {
        try check()
        var compiled: [FilterRule] = []
        for rule in rules {
            var ingress: PortIndex?
            if let name = rule.ingress {
                guard let place = ports.firstIndex(of: name) else {
                    throw ConfigurationError(
                        "rule '\(rule.name)' is on '\(name)'; the ports of \(box) are \(ports.joined(separator: ", "))")
                }
                ingress = PortIndex(place)
            }
            compiled.append(
                FilterRule(
                    name: rule.name, action: rule.action, ingress: ingress, sources: networks(rule.sources),
                    destinations: networks(rule.destinations), protocol: rule.protocol,
                    destinationPorts: rule.destinationPorts ?? 0...65535))
        }
        return compiled
    }

    /// Guard: `check` found every object.
    private func networks(_ addresses: [PolicyAddress]) -> [IPv4Network] {
        addresses.flatMap { address in
            switch address {
            case .network(let network): [network]
            case .object(let name): objects.first { $0.name == name }?.networks ?? []
            }
        }
    }
}
