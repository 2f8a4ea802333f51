import Configuration
import LabFile

extension RoleForm {
    static let `switch` = RoleForm(
        word: "switch", article: "a switch", summary: "a [switch](switch.md)", keys: ["ageing", "mac-table"],
        configuration: SwitchConfiguration.self,
        example: """
            example:
              role: switch
              interfaces: { left: , right: }
              ageing: 10s
              mac-table: 1024
            """
    ) { mapping, node, _ in
        let own = SwitchDefinition(mapping, of: node)
        node.joinNetworks(as: "switch", mapping)
        return own
    }
}

/// What makes a node a switch, as written, with defaults for what the lab does not say.
struct SwitchDefinition: RoleDefinition {
    var ageing: Duration
    var tableSize: Int

    var joint: String? { "a switch" }

    init(_ mapping: MappingReader, of node: NodeDefinition) {
        // The range of IEEE 802.1Q, table 8-6, and below it what a lab has time for.
        ageing = mapping.duration("ageing", in: .milliseconds(100)...(.seconds(1_000_000))) ?? .seconds(300)
        tableSize = mapping.integer("mac-table", in: 1...(1 << 20)) ?? 8192
        if !(2...SwitchConfiguration.mostPorts).contains(node.interfaces.count) {
            mapping.reader.report(
                "the switch '\(node.name.value)' has \(node.interfaces.count) interfaces",
                at: mapping.keyPosition("interfaces"), allowed: ["2 … \(SwitchConfiguration.mostPorts)"])
        }
    }

    func resolved(
        _ node: NodeDefinition, _ ports: [PortConfiguration], _ routes: [RouteConfiguration],
        in resolution: Resolution
    ) -> (any ResolvedRole)? {
        SwitchConfiguration(name: node.name.value, ports: ports, ageing: ageing, tableSize: tableSize)
    }
}
