internal import CLinux
internal import EventLoop
internal import Glibc
internal import LabEvents
internal import LabTime
internal import SystemPackage

/// Starts the processes of nodes: a child that has loaded everything that a node needs forks them, one after the other.
///
/// A process that executes anew relocates the whole program, and sets the runtime up, in memory of its own: 2 MB and 2 ms
/// for each node. One that is forked shares all that it does not change.
///
/// The child forks twice, and the process in between ends at once, so that a node's process becomes a child of the first
/// process of its PID namespace: the supervisor.
final class NodeStarter {
    private let child: ChildProcess
    private let socket: Int32
    var pid: pid_t { child.pid }

    /// The least that fits a node's name, for tools that list processes.
    private static let padding = String(repeating: " ", count: 72)
    /// What one message of the channel carries; a node has seven, one for each of its programs, which are at most 50,
    /// and one for each of its traffic programs of kind `command`, which are at most 50 as well.
    private static let mostDescriptors: Int32 = 253
    /// Milliseconds; it takes less than one.
    private static let timeout: Int32 = 30_000

    /// - Parameter sample: a first message to a node; the child reads it once, so that nodes share what reading
    ///   it takes
    init(null: Int32, log: Int32, sample: NodeOrder) throws(LabFailure) {
        var pair = try SocketPair()
        child = try ChildProcess(
            [HiddenVerb.nodes.rawValue, Self.padding], descriptors: [null, log, log, pair.theirs],
            parentDeathSignal: SIGKILL)
        socket = pair.takeOurs()
        let line = JSONLine.encode(sample)
        var length = Int32(line.count)
        guard Self.write(&length, 4, to: socket),
            line.withUnsafeBytes({ Self.write($0.baseAddress!, $0.count, to: socket) })
        else { throw Self.hasEnded }
    }

    deinit { close(socket) }

    /// Starts a node's process.
    /// - Parameters:
    ///   - descriptors: the process's descriptors 0, 1, 2, … in order; it inherits no other
    ///   - networkNamespace: entered before anything else
    func start(_ name: String, descriptors: [Int32], networkNamespace: Int32) throws(LabFailure) -> ChildProcess {
        let passed = descriptors + [networkNamespace]
        let words = Array(name.utf8.prefix(Int(UInt8.max)))
        let order = [UInt8(words.count)] + words
        var answer: Int32 = 0
        guard cl_send_descriptors(socket, passed, Int32(passed.count)) == Int32(passed.count),
            order.withUnsafeBytes({ Self.write($0.baseAddress!, $0.count, to: socket) })
        else { throw Self.hasEnded }
        var polled = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        var ready = poll(&polled, 1, Self.timeout)
        while ready < 0, errno == EINTR { ready = poll(&polled, 1, Self.timeout) }
        guard ready != 0 else {
            throw LabFailure(.lab, "the process that starts nodes did not answer within \(Self.timeout / 1000) s")
        }
        guard Self.read(&answer, 4, from: socket) else { throw Self.hasEnded }
        guard answer > 0 else {
            throw LabFailure(.lab, "could not start node '\(name)': \(Errno(rawValue: -answer))")
        }
        return ChildProcess(existing: answer)
    }

    private static var hasEnded: LabFailure { LabFailure(.lab, "the process that starts nodes has ended") }

    private static func write(_ bytes: UnsafeRawPointer, _ count: Int, to socket: Int32) -> Bool {
        var sent = 0
        while sent < count {
            let part = send(socket, bytes + sent, count - sent, Int32(MSG_NOSIGNAL))
            if part < 0, errno == EINTR { continue }
            guard part > 0 else { return false }
            sent += part
        }
        return true
    }

    private static func read(_ bytes: UnsafeMutableRawPointer, _ count: Int, from descriptor: Int32) -> Bool {
        var received = 0
        while received < count {
            let part = Glibc.read(descriptor, bytes + received, count - received)
            if part < 0, errno == EINTR { continue }
            guard part > 0 else { return false }
            received += part
        }
        return true
    }

    // MARK: The child

    private static let controlDescriptor: Int32 = 3

    /// It has one thread: what it forks begins as a whole.
    static func serve() -> Never {
        cl_set_process_name("fl-starter")
        cl_raise_descriptor_limit()
        warmUp()
        var room = [Int32](repeating: -1, count: Int(mostDescriptors))
        while true {
            let count = cl_receive_descriptors(controlDescriptor, &room, mostDescriptors)
            guard count > 1 else { break }
            let descriptors = Array(room.prefix(Int(count)))
            var length: UInt8 = 0
            var words = [UInt8](repeating: 0, count: Int(UInt8.max))
            guard read(&length, 1, from: controlDescriptor), read(&words, Int(length), from: controlDescriptor) else {
                break
            }
            var answer = fork(String(decoding: words.prefix(Int(length)), as: UTF8.self), descriptors)
            for descriptor in descriptors { close(descriptor) }
            guard write(&answer, 4, to: controlDescriptor) else { break }
        }
        _exit(0)
    }

    private static func warmUp() {
        var length: Int32 = 0
        guard read(&length, 4, from: controlDescriptor) else { _exit(0) }
        var line = [UInt8](repeating: 0, count: Int(length))
        guard read(&line, line.count, from: controlDescriptor) else { _exit(0) }
        guard let order = try? JSONLine.decode(NodeOrder.self, from: line) else { return }
        _ = JSONLine.encode(order)
        _ = JSONLine.encode(NodeReport.event(kind: .ready, time: .now(), details: [.role: EventKind.active.rawValue]))
        _ = JSONLine.encode(NodeReport.counters(KernelCounters.read()))
    }

    /// - Returns: the PID of the node's process, or a negative errno
    private static func fork(_ name: String, _ descriptors: [Int32]) -> Int32 {
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { return -errno }
        let between = cl_fork()
        if between == 0 {
            let pid = cl_fork()
            if pid == 0 { begin(name, descriptors, answering: pipe[1]) }
            var error = -errno
            if pid < 0 { _ = Glibc.write(pipe[1], &error, 4) }
            _exit(0)
        }
        let error = errno
        close(pipe[1])
        defer { close(pipe[0]) }
        guard between > 0 else { return -error }
        // From its end on the node's process is the supervisor's child.
        _ = ChildProcess(existing: between).wait()
        var answer: Int32 = -EIO
        return read(&answer, 4, from: pipe[0]) ? answer : -EIO
    }

    private static func begin(_ name: String, _ descriptors: [Int32], answering pipe: Int32) -> Never {
        let (own, namespace) = (descriptors.dropLast(), descriptors[descriptors.count - 1])
        var error = cl_setns(namespace, cl_new_net)
        // The node's programs stop with it by its process group.
        if error == 0, setsid() < 0 { error = errno }
        var answer = error == 0 ? getpid() : -error
        // Out of the way first, so that no dup2 overwrites a descriptor that a later one needs.
        var moved: [Int32] = []
        for descriptor in own { moved.append(fcntl(descriptor, F_DUPFD_CLOEXEC, mostDescriptors)) }
        guard Glibc.write(pipe, &answer, 4) == 4, error == 0 else { _exit(127) }
        for (place, descriptor) in moved.enumerated() where dup2(descriptor, Int32(place)) < 0 { _exit(127) }
        cl_close_from(Int32(own.count))
        showName(name)
        NodeProcess.run(name: name)
    }

    /// Has tools that list processes show `failoverlab __node NAME`, as of a process that was started so.
    private static func showName(_ name: String) {
        guard CommandLine.argc == 3, let start = CommandLine.unsafeArgv[1], let last = CommandLine.unsafeArgv[2] else {
            return
        }
        let room = (last + strlen(last)) - start
        memset(start, 0, room)
        let words = Array("\(HiddenVerb.node.rawValue)\0\(name)".utf8.prefix(room))
        words.withUnsafeBytes { _ = memcpy(start, $0.baseAddress!, $0.count) }
    }
}
