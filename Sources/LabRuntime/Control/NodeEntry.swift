internal import CLinux
internal import Glibc
internal import SystemPackage

/// Where a node is: descriptors of its network namespace and of the lab's other namespaces, handed over by the lab's
/// supervisor.
struct NodeEntry {
    let network: Int32
    private let pid: Int32
    private let mount: Int32
    private let user: Int32

    /// - Parameter side: of a box; other nodes have one side only
    init(to node: String, side: NodeSide, of lab: RunningLab) throws(LabFailure) {
        let client = try LabClient(lab)
        try client.send(.enter(node: node, side: side))
        let descriptors = try client.receiveDescriptors(4)
        (network, pid, mount, user) = (descriptors[0], descriptors[1], descriptors[2], descriptors[3])
    }

    /// Enters the lab's user namespace, where it has one, and has the next child begin in its PID namespace, so that
    /// it ends with the lab. Call before any thread exists: the kernel lets only a single-threaded process do so.
    func enterLab() throws(LabFailure) {
        // Entering the own user namespace again is refused with EINVAL; then there is none to enter.
        let error = cl_setns(user, cl_new_user)
        guard error == 0 || error == EINVAL else { throw Self.refused("user", error) }
        try enter(pid, cl_new_pid, "PID")
    }

    func enterMounts() throws(LabFailure) {
        let folder = WorkingFolder()
        try enter(mount, cl_new_mount, "mount")
        folder.restore()
    }

    func enterNetwork() throws(LabFailure) { try enter(network, cl_new_net, "network") }

    /// Whoever keeps these keeps the lab's namespaces from being reclaimed.
    func close() { for descriptor in [network, pid, mount, user] { Glibc.close(descriptor) } }

    private func enter(_ descriptor: Int32, _ type: Int32, _ name: String) throws(LabFailure) {
        let error = cl_setns(descriptor, type)
        guard error == 0 else { throw Self.refused(name, error) }
    }

    private static func refused(_ name: String, _ error: Int32) -> LabFailure {
        LabFailure(.lab, "the lab's \(name) namespace cannot be entered: \(Errno(rawValue: error))")
    }
}

/// Entering a mount namespace moves a process to its root folder; people expect to stay where they are.
private struct WorkingFolder {
    private let path: UnsafeMutablePointer<CChar>?

    init() { path = getcwd(nil, 0) }

    func restore() {
        guard let path else { return }
        _ = chdir(path)
        free(path)
    }
}
