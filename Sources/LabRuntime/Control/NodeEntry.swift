internal import CLinux
internal import Glibc
internal import SystemPackage

/// Where a node is: descriptors of its network namespace and of the lab's other namespaces, handed over by the lab's
/// supervisor.
struct NodeEntry {
    let network: Int32
    /// The user namespace of the lab's programs.
    let users: Int32
    private let pid: Int32
    private let mount: Int32
    private let user: Int32

    /// - Parameter side: of a box; other nodes have one side only
    init(to node: String, side: NodeSide, of lab: RunningLab) throws(LabFailure) {
        let client = try LabClient(lab)
        try client.send(.enter(node: node, side: side))
        let descriptors = try client.receiveDescriptors(5, within: LabClient.shortTimeout)
        (network, pid, mount, user, users) =
            (descriptors[0], descriptors[1], descriptors[2], descriptors[3], descriptors[4])
    }

    /// Enters the lab's user namespace, and has the next child begin in its PID namespace, so that
    /// it ends with the lab. Call before any thread exists: the kernel lets only a single-threaded process do so.
    func enterLab() throws(LabFailure) {
        try enter(user, cl_new_user, "user")
        try enter(pid, cl_new_pid, "PID")
    }

    func enterMounts() throws(LabFailure) { try enter(mount, cl_new_mount, "mount") }

    func enterNetwork() throws(LabFailure) { try enter(network, cl_new_net, "network") }

    /// A process that keeps these open keeps the lab's namespaces from being reclaimed.
    func close() { for descriptor in [network, pid, mount, user, users] { Glibc.close(descriptor) } }

    private func enter(_ descriptor: Int32, _ type: Int32, _ name: String) throws(LabFailure) {
        let error = cl_setns(descriptor, type)
        guard error == 0 else { throw Self.refused(name, error) }
    }

    private static func refused(_ name: String, _ error: Int32) -> LabFailure {
        LabFailure(.lab, "the lab's \(name) namespace cannot be entered: \(Errno(rawValue: error))")
    }
}
