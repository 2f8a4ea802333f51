import Glibc

/// The repository's lab files.
enum LabFiles {
    /// Beside the folder of the tests, wherever the package is.
    static var fastPath: String {
        guard let real = realpath(#filePath, nil) else { return #filePath }
        defer { free(real) }
        let parts = String(cString: real).split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/") + "/Labs/fast-path-mac-failover/lab.yaml"
    }
}
