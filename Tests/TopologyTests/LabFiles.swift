import Glibc

/// The repository's lab files.
enum LabFiles {
    /// Beside the folder of the tests, wherever the package is.
    static var fastPath: String { path("fast-path-mac-failover") }
    static var directReturn: String { path("direct-server-return") }
    static var directReturnBalancers: String { path("direct-server-return-balancers") }

    static func shipped(_ lab: String) -> String { path(lab) }

    private static func path(_ lab: String) -> String {
        guard let real = realpath(#filePath, nil) else { return #filePath }
        defer { free(real) }
        let parts = String(cString: real).split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/") + "/Labs/\(lab)/lab.yaml"
    }
}
