internal import Appliances
internal import Topology

/// A role whose process runs more than its box on real links. Of any other role the process runs the box alone, and
/// needs nothing of the role's own here.
protocol ProcessRole: ResolvedRole {
    func program(of node: Node, in process: NodeProcess) throws -> any NodeProgram
}

extension Node {
    /// What runs in its process.
    func program(in process: NodeProcess) throws -> any NodeProgram {
        if let own = role.configuration as? any ProcessRole { return try own.program(of: self, in: process) }
        guard let program = try role.configuration.make(of: self, for: BoxRun(process: process)) else {
            throw LabFailure(.lab, "'\(name)' is \(role.word), which has neither a box nor a program of its own")
        }
        return program
    }
}

/// The box on the links of its wire namespace.
private struct BoxRun: BoxUse {
    let process: NodeProcess

    var capacity: Int? { nil }

    func use<Box: Appliance & ~Copyable>(_ box: consuming Box, ports: [String]) throws -> any NodeProgram {
        try BoxProgram(box, ports: ports, in: process)
    }
}
