import Glibc

/// The repository's lab files, and text made from them.
enum LabFiles {
    static var fastPath: String {
        // Tests/TopologyTests/LabFiles.swift → the repository
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        let path = parts.joined(separator: "/") + "/Labs/fast-path-mac-failover/lab.yaml"
        if access(path, R_OK) == 0 { return path }
        // Where the package is built through links, the file's real place tells.
        guard let real = realpath(#filePath, nil) else { return path }
        defer { free(real) }
        return String(cString: real).split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
            .joined(separator: "/") + "/Labs/fast-path-mac-failover/lab.yaml"
    }
}
