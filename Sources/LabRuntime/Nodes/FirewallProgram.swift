internal import Appliances
internal import Configuration
internal import LabEvents
internal import Topology

/// A firewall: it reports what was pushed to it, so that it starts with that when it starts again.
final class FirewallProgram: BoxProgram<Firewall> {
    init(_ configuration: FirewallConfiguration, in process: NodeProcess) throws {
        try super.init(Firewall(configuration), ports: configuration.ports.map(\.name), in: process)
    }

    override func handle(_ event: ApplianceEvent) {
        if event.kind == .pushDone, case .configuration(let policy, let nat) = perform(.policy(.configuration)) {
            process.report(.saved(policy, nat))
        }
        super.handle(event)
    }
}

extension FirewallConfiguration: ProcessRole {
    func program(of node: Node, in process: NodeProcess) throws -> any NodeProgram {
        try FirewallProgram(self, in: process)
    }
}
