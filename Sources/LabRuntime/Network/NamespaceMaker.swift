internal import CLinux
internal import Glibc
internal import Netlink
internal import SystemPackage

/// Makes network namespaces that belong to the programs' user namespace: a child enters that one, makes them, and hands
/// them over. (A network namespace belongs to the user namespace of the process that makes it.)
final class NamespaceMaker {
    /// How many descriptors pass at once, and how many may be in transit.
    private static let batch = 16

    private let child: ChildProcess
    private let socket: Int32
    private var ready: [Int32] = []
    /// Not yet ordered.
    private var missing: Int
    private var isOrdered = false
    /// The programs' user namespace; whoever takes it closes it.
    let users: Int32

    /// Call while the process has one thread.
    init(count: Int) throws(LabFailure) {
        missing = count
        let (socket, theirs) = try SocketPair.descriptors()
        let pid = cl_fork()
        if pid == 0 {
            close(socket)
            Self.serve(theirs)
        }
        close(theirs)
        guard pid > 0 else {
            let error = errno
            close(socket)
            throw LabFailure(.lab, "could not start a process that makes namespaces: \(Errno(rawValue: error))")
        }
        (child, self.socket) = (ChildProcess(existing: pid), socket)
        var error: Int32 = EIO
        var users: Int32 = -1
        _ = read(socket, &error, 4)
        if error == 0, cl_receive_descriptors(socket, &users, 1) != 1 { error = EIO }
        self.users = users
        guard error == 0 else { throw HostProblem.userNamespaces(error).failure }
    }

    /// The next namespace; the calling thread stays in its own.
    func next() throws(LabFailure) -> NetworkNamespace {
        if ready.isEmpty {
            if !isOrdered { try order() }
            try receive()
            // The child makes the next ones while these are prepared.
            if missing > 0 { try order() }
        }
        return NetworkNamespace(takingOver: ready.removeLast())
    }

    private func order() throws(LabFailure) {
        var count = UInt8(max(1, min(missing, Self.batch)))
        missing -= Int(count)
        guard send(socket, &count, 1, Int32(MSG_NOSIGNAL)) == 1 else { throw HostProblem.namespaces(EIO).failure }
        isOrdered = true
    }

    private func receive() throws(LabFailure) {
        isOrdered = false
        var received = [Int32](repeating: -1, count: Self.batch)
        var error: Int32 = EIO
        if read(socket, &error, 4) == 4, error == 0 {
            let count = cl_receive_descriptors(socket, &received, Int32(Self.batch))
            if count > 0 { ready = received.prefix(Int(count)).reversed() } else { error = EIO }
        }
        guard error == 0 else { throw HostProblem.namespaces(error).failure }
    }

    deinit {
        for descriptor in ready { close(descriptor) }
        close(socket)
        _ = child.wait()
    }

    // MARK: The child

    private static func serve(_ socket: Int32) -> Never {
        var error = ProgramUsers.enterPrograms()
        var users = error == 0 ? cl_open("/proc/self/ns/user", O_RDONLY, 0) : -1
        if error == 0, users < 0 { error = -users }
        guard write(socket, &error, 4) == 4, error == 0, cl_send_descriptors(socket, &users, 1) == 1 else { _exit(1) }
        var order: UInt8 = 0
        while read(socket, &order, 1) == 1 {
            var made: [Int32] = []
            var error: Int32 = 0
            while made.count < min(Int(order), batch), error == 0 {
                error = cl_unshare(cl_new_net)
                guard error == 0 else { break }
                let namespace = cl_open("/proc/self/ns/net", O_RDONLY, 0)
                if namespace >= 0 { made.append(namespace) } else { error = -namespace }
            }
            // Some are better than none: the next request gets the error again.
            var report = made.isEmpty ? error : 0
            guard write(socket, &report, 4) == 4 else { _exit(1) }
            if report == 0, cl_send_descriptors(socket, made, Int32(made.count)) != made.count { _exit(1) }
            for descriptor in made { close(descriptor) }
        }
        _exit(0)
    }
}
