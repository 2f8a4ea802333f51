import Appliances
import Configuration
import LabFile
import Wire

/// Makes each box of a variant once, with small tables and without a frame, so that whatever it refuses when a lab is
/// built is a mistake of the lab file, with its line.
struct ConfigurationTrial {
    let resolution: Resolution

    private struct Trial: BoxUse {
        /// Nothing is stored in the tables of a box that never gets a frame.
        var capacity: Int? { 64 }

        func use<Box: Appliance & ~Copyable>(_ box: consuming Box, ports: [String]) {}
    }

    func check(_ nodes: [Node]) {
        for node in nodes {
            guard let definition = resolution.definition(of: node.name) else { continue }
            do {
                _ = try node.role.configuration.make(of: node, for: Trial())
            } catch {
                resolution.reader.report("'\(node.name)' cannot work: \(error)", at: definition.name.position)
            }
            checkListeners(of: definition)
        }
    }

    /// Services that end at a balancer's host side share its ports with its programs, some of which listen on all addresses.
    private func checkListeners(of definition: NodeDefinition) {
        for service in definition.virtualServices where service.profile.endsAtHostSide {
            for program in definition.programs where program.form.portsOnAllAddresses.contains(service.port) {
                resolution.reader.report(
                    "\(program.name.value) of '\(definition.name.value)' listens on port \(service.port) of all addresses, also of virtual service '\(service.name.value)', which ends at the same kernel",
                    at: program.name.position,
                    allowed: ["'listen' with another port", "'config' that listens on one address"])
            }
        }
    }
}
