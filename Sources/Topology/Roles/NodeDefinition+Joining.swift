import LabFile

extension NodeDefinition {
    /// A node that joins networks at layer 2 has no addresses and no routes.
    /// - Parameters:
    ///   - what: as messages call the node: `switch`
    ///   - otherwise: what the lab could say to have them; nil where it cannot
    mutating func joinNetworks(as what: String, otherwise: String? = nil, _ mapping: MappingReader) {
        let (name, reader) = (name.value, mapping.reader)
        let article = what.first.map { "aeiou".contains($0) ? "an" : "a" } ?? "a"
        for (index, interface) in interfaces.enumerated()
        where interfaces[..<index].contains(where: { $0.network.value == interface.network.value }) {
            reader.report(
                "both interfaces of the \(what) '\(name)' lead to network '\(interface.network.value)'",
                at: interface.name.position,
                allowed: [interfaces.count == 2 ? "two networks, which it joins" : "a network for each interface"])
        }
        for index in interfaces.indices {
            if case .given(let given, _) = interfaces[index].address, let address = given.first?.address {
                reader.report(
                    "\(name).\(interfaces[index].name.value) has an address, but \(article) \(what) has none",
                    at: address.position, allowed: ["none"] + [otherwise].compactMap(\.self))
            }
            interfaces[index].address = .none
        }
        for key in ["gateway", "routes"] where mapping[key] != nil {
            reader.report(
                "the \(what) '\(name)' has no routes", at: mapping.keyPosition(key),
                allowed: ["no '\(key)'"] + [otherwise].compactMap(\.self))
        }
    }
}
