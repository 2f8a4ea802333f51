/// What this process may do, by the word of the system's own tools: a test that asked the code under test would be
/// skipped where that code breaks.
public enum Privileges {
    /// nil where util-linux is not there to be asked.
    public static let canMakeNetworkNamespaces: Bool? = Package.tool("unshare").map { unshare in
        (try? Command.run(unshare, ["--net", "true"]).status == 0) ?? false
    }
}
