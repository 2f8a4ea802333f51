internal import Configuration
internal import Glibc
internal import Topology

/// IPVS of this host's kernel.
enum KernelIPVS {
    /// The kernel makes it in every network namespace where it has IPVS.
    static let file = "/proc/net/ip_vs"

    static var isThere: Bool { access(file, F_OK) == 0 }

    /// What in a lab does nothing without it.
    static func user(in variant: Variant) -> String? {
        for node in variant.nodes {
            if let program = node.programs.first(where: \.needsIPVS) {
                return "program '\(program.name)' of '\(node.name)'"
            }
        }
        return variant.stepCommands.first { IPVSUse.isNamed(in: $0.words) }.map { "a step on '\($0.node)'" }
    }

    /// - Throws: `LabFailure` of kind `host` where the lab needs it and the kernel lacks it
    static func check(_ variant: Variant) throws(LabFailure) {
        guard let user = user(in: variant), !isThere else { return }
        throw HostProblem.ipvs(user).failure
    }
}
