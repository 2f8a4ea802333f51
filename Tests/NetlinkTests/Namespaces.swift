import Netlink
import TestSupport

/// What the tests need from this host.
enum NamespaceHost {
    static let needsNamespaces =
        "creating network namespaces needs CAP_SYS_ADMIN and CAP_NET_ADMIN: run the tests as root, or in a user namespace"

    /// Whether this process may create network namespaces.
    static let canCreateNamespaces: Bool = {
        Privileges.canMakeNetworkNamespaces
            ?? ((try? NamespaceThread.run { _ = try NetworkNamespace.create().identifier }) != nil)
    }()
}

/// The error that `body` throws; nil where it throws none, or another.
func netlinkError(of body: () throws -> Void) -> NetlinkError? {
    do {
        try body()
        return nil
    } catch { return error as? NetlinkError }
}
