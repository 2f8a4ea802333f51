internal import Configuration
internal import Glibc
internal import Measurement
internal import Topology

/// Where the host has a program.
enum Executable {
    /// The caller's PATH, and where daemons are, which a user's PATH often lacks.
    static var folders: [String] {
        let own = getenv("PATH").map { String(cString: $0).split(separator: ":").map(String.init) } ?? []
        return own
            + ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].filter {
                !own.contains($0)
            }
    }

    /// nil where no such program is installed.
    static func path(of name: String) -> String? {
        let candidates = name.contains("/") ? [name] : folders.map { "\($0)/\(name)" }
        return candidates.first { access($0, X_OK) == 0 }
    }

    /// The same without symbolic links on the way, so that this one file can be shown to a program.
    static func file(of name: String) -> String? {
        guard let path = path(of: name) else { return nil }
        // What every program sees keeps its name: busybox and the like go by it.
        if PrivateRoot.shows(path) { return path }
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    /// - Throws: `LabFailure` of kind `host` that names the package of the first program that is missing
    static func check(_ variant: Variant) throws(LabFailure) {
        // An image has its own.
        let nodes = variant.nodes.filter { $0.image == nil }
        for node in nodes {
            try check(node.programs)
            try check(variant.commands(of: node.name))
        }
    }

    private static func check(_ programs: [TrafficProgram]) throws(LabFailure) {
        for program in programs {
            guard let missing = program.options(of: CommandTraffic.self)?.command.first, path(of: missing) == nil else {
                continue
            }
            let package = ProgramConfiguration.package(of: missing)
            throw HostProblem.missingProgram(missing, package: package, isNamedByKey: false).failure
        }
    }

    private static func check(_ programs: [ProgramConfiguration]) throws(LabFailure) {
        for program in programs {
            let executables = program.command.prefix(1) + program.executables
            if let missing = executables.first(where: { path(of: $0) == nil }) {
                throw HostProblem.missingProgram(missing, package: program.package).failure
            }
            for executable in program.counters.compactMap(\.command.first) where path(of: executable) == nil {
                let package = ProgramConfiguration.package(of: executable)
                throw HostProblem.missingProgram(executable, package: package).failure
            }
        }
    }
}
