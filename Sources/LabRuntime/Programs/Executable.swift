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

    /// Of nodes with an image, what they run is looked for in the image.
    /// - Throws: `LabFailure` of kind `host` that names the package of the first program that is missing
    static func check(_ variant: Variant) throws(LabFailure) {
        let nodes = variant.nodes.filter { $0.image == nil }
        for node in nodes {
            try check(node.programs)
            try check(variant.commands(of: node.name))
        }
        let names = Set(nodes.map(\.name))
        for (node, words) in variant.stepCommands where names.contains(node) {
            // A path may be that of a file that a program makes.
            guard let executable = words.first, !executable.contains("/") else { continue }
            try check(executable)
        }
    }

    private static func check(_ programs: [TrafficProgram]) throws(LabFailure) {
        for program in programs {
            if let executable = program.options(of: CommandTraffic.self)?.command.first { try check(executable) }
        }
    }

    /// Of a command, which has no key for its package.
    private static func check(_ executable: String) throws(LabFailure) {
        guard path(of: executable) == nil else { return }
        let package = ProgramConfiguration.package(of: executable)
        throw HostProblem.missingProgram(executable, package: package, isNamedByKey: false).failure
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
