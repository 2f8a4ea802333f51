internal import CLinux
public import Netlink

/// Reports when the kernel has reclaimed a lab's namespaces.
///
/// The kernel takes namespaces down in the background, first come, first served. So the warden keeps one of its own
/// with one end of a veth pair in it, closes it after the lab's processes have ended, and waits until the other end
/// has vanished: then everything that was closed before is gone too.
public struct ReclaimWitness: ~Copyable {
    private var monitor: LinkMonitor
    private var doomed: NetworkNamespace?
    private let index: Int32

    /// Call in a namespace of one's own.
    public init() throws(NetlinkError) {
        let doomed = try NetworkNamespace.create()
        let monitor = try LinkMonitor()
        var socket = try NetlinkSocket()
        try socket.perform(
            .createVethPair(VethEnd("witness"), VethEnd("witness", namespace: doomed.descriptor)))
        let index = try socket.index(of: "witness")
        self.monitor = monitor
        self.doomed = consume doomed
        self.index = index
    }

    /// Returns when the namespaces that were closed before this call are gone, or after two minutes.
    /// - Parameter socketsJustClosed: whether netlink, UDP or listening TCP sockets may have been closed within the
    ///   last grace period: a namespace outlives them by one, and would come after the witness. In an orderly end of
    ///   a lab they are closed first, and the closing of each packet ring since then has waited for two.
    public consuming func waitUntilReclaimed(socketsJustClosed: Bool = true) {
        if socketsJustClosed { cl_wait_for_grace_period() }
        doomed = nil
        try? monitor.waitForRemoval(of: index, timeout: .seconds(120))
    }
}
