import Configuration
import LabFile
import Wire

/// What rules and objects call networks.
extension Resolution {
    /// A network of the lab by its name, a prefix, one address, or a reference to one such as `server.inside.ip`.
    /// - Parameters:
    ///   - holder: what it stands in, for messages: `object 'office'`
    ///   - more: further words that the place allows
    func block(_ written: Located<String>, in holder: String? = nil, or more: [String] = []) -> IPv4Network? {
        if let network = network(named: written.value) {
            if network.subnet == nil {
                reader.report("network '\(network.name)' has no IPv4 subnet", at: written.position)
            }
            return network.subnet
        }
        if let network = IPv4Network(written.value) { return network }
        if let address = IPv4Address(references[written.value] ?? written.value) {
            return IPv4Network(address, prefixLength: 32)
        }
        let words = networks.map(\.name) + references.addresses
        let suggestion =
            IPv4InterfaceAddress(written.value).map { "\($0.network)" }
            ?? Spelling.nearest(to: written.value, among: words)
        let shown = "'\(LabValue.shortened(written.value))'"
        reader.report(
            holder.map { "\($0) holds \(shown), which is no network" } ?? "\(shown) is no network",
            at: written.position,
            allowed: [
                "a network of the lab (\(networks.map(\.name).joined(separator: ", ")))", IPv4Network.textForm,
                "an address", "node.interface.ip",
            ] + more, suggestion: suggestion)
        return nil
    }

    func object(_ written: PolicyDefinition.Object) -> PolicyObject {
        PolicyObject(
            name: written.name, networks: written.members.compactMap { block($0, in: "object '\(written.name)'") })
    }

    /// With what its objects stand for.
    func policy(of definition: FirewallDefinition) -> PolicyConfiguration {
        var policy = definition.policy
        policy.objects = definition.objects.map(object)
        return policy
    }
}
