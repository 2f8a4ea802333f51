internal import CLinux
internal import SystemPackage

/// Two connected stream sockets: one for this process, one for the child that it starts.
struct SocketPair {
    let ours: Int32
    let theirs: Int32

    init() throws(LabFailure) {
        var pair: [Int32] = [-1, -1]
        let error = cl_socket_pair(&pair)
        guard error == 0 else {
            throw LabFailure(.lab, "could not make a socket pair: \(Errno(rawValue: error))")
        }
        (ours, theirs) = (pair[0], pair[1])
    }
}
