internal import CLinux
internal import Glibc
internal import SystemPackage

/// Two connected stream sockets: one for this process, one for the child that it starts. Both are closed with the
/// pair, except what was taken.
struct SocketPair: ~Copyable {
    private var ours: Int32
    let theirs: Int32

    init() throws(LabFailure) { (ours, theirs) = try Self.descriptors() }

    /// For a child that is forked: each side closes both.
    static func descriptors() throws(LabFailure) -> (ours: Int32, theirs: Int32) {
        var pair: [Int32] = [-1, -1]
        let error = cl_socket_pair(&pair)
        guard error == 0 else {
            throw LabFailure(.lab, "could not make a socket pair: \(Errno(rawValue: error))")
        }
        return (pair[0], pair[1])
    }

    /// Gives up this process's end: the caller closes it. Once.
    mutating func takeOurs() -> Int32 {
        defer { ours = -1 }
        return ours
    }

    deinit {
        if ours >= 0 { close(ours) }
        close(theirs)
    }
}
