import Appliances
package import Configuration
package import LabEvents
package import Wire

extension FirewallConfiguration: ResolvedRole {
    package static var key: String { "firewall" }
    package static var isBox: Bool { true }
    package var word: String { RoleForm.firewall.word }
    package func eventReporters(of node: Node) -> [EventReporter] { [.firewall] }
    package func counterScope(of node: Node) -> CounterScope { CounterScope(self) }

    package func make<Use: BoxUse>(of node: Node, for use: Use) throws -> Use.Result? {
        try use.use(Firewall(self, sessionCapacity: use.capacity), ports: ports.map(\.name))
    }

    package var virtualAddresses: [MACAddress] {
        (redundancy?.virtualRouters ?? []).map { MACAddress.virtualRouter(ipv4: $0.id) }
    }

    /// Packets enter one box of a pair with a conduit and leave the other.
    package var passesFrames: Bool { redundancy?.conduit == nil }
    package var conduitPort: String? { redundancy?.conduit == nil ? nil : redundancy?.crossConnect?.port }
}

extension Node.Role {
    /// nil of another role.
    package var firewall: FirewallConfiguration? { configuration as? FirewallConfiguration }
}
