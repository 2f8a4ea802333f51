public import Appliances
internal import CLinux
internal import EventLoop
internal import Glibc
internal import LabTime
internal import SystemPackage
public import Topology

/// A request to a running lab's supervisor, and its answer; blocks until the answer or the timeout.
struct LabClient: ~Copyable {
    private let descriptor: Int32
    private let id: String

    /// A supervisor answers within milliseconds; what it asks of a node first, within ten seconds.
    static let timeout = Duration.seconds(20)
    /// Of a command that runs in a node, and of a program that is restarted.
    static let longTimeout = Duration.seconds(90)
    /// For what it knows itself.
    static let shortTimeout = Duration.seconds(5)

    init(_ lab: RunningLab) throws(LabFailure) {
        descriptor = try lab.connect()
        id = lab.id
    }

    deinit { close(descriptor) }

    func send(_ order: SupervisorOrder) throws(LabFailure) {
        var line = JSONLine.encode(order)
        line.append(UInt8(ascii: "\n"))
        guard Glibc.send(descriptor, line, line.count, Int32(MSG_NOSIGNAL)) == line.count else {
            throw LabFailure(.lab, "the lab accepts no requests: \(Errno(rawValue: errno))")
        }
    }

    /// - Throws: `LabFailure` of kind `.silent` where nothing comes until then
    private func waitForBytes(until deadline: Instant, _ timeout: Duration) throws(LabFailure) {
        while true {
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = max(0, (deadline - .monotonic()).milliseconds.rounded(.up))
            let ready = poll(&polled, 1, Int32(clamping: Int(left)))
            if ready > 0 { return }
            if ready < 0 && errno == EINTR { continue }
            throw LabFailure(
                .silent, "lab '\(id)' has not answered for \(timeout): its supervisor hangs",
                remedy: "end it: failoverlab down \(id)")
        }
    }

    /// Reads one line.
    func receive(within timeout: Duration = timeout) throws(LabFailure) -> SupervisorReport {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        let deadline = Instant.monotonic() + timeout
        while true {
            try waitForBytes(until: deadline, timeout)
            let count = read(descriptor, &byte, 1)
            if count < 0 && errno == EINTR { continue }
            guard count == 1 else { throw LabFailure(.lab, "the lab ended before it answered") }
            if byte == UInt8(ascii: "\n") { break }
            line.append(byte)
        }
        do {
            return try JSONLine.decode(SupervisorReport.self, from: line)
        } catch {
            throw LabFailure(.lab, "the lab sent an answer that this version does not understand: \(error)")
        }
    }

    /// Descriptors that come with one byte; a refusal comes as a line instead.
    func receiveDescriptors(_ count: Int, within timeout: Duration = timeout) throws(LabFailure) -> [Int32] {
        try waitForBytes(until: .monotonic() + timeout, timeout)
        var peeked: UInt8 = 0
        guard recv(descriptor, &peeked, 1, Int32(MSG_PEEK)) == 1 else {
            throw LabFailure(.lab, "the lab ended before it answered")
        }
        if peeked != 0 {
            if case .failed(let failure) = try receive() { throw failure }
            throw LabFailure(.lab, "the lab sent an unexpected answer")
        }
        var descriptors = [Int32](repeating: -1, count: count)
        let received = cl_receive_descriptors(descriptor, &descriptors, Int32(count))
        guard received == count else {
            throw LabFailure(.lab, "the lab passed \(received) of \(count) descriptors")
        }
        return descriptors
    }
}

extension RunningLab {
    public func status() throws(LabFailure) -> LabStatus {
        let client = try LabClient(self)
        try client.send(.status)
        switch try client.receive(within: LabClient.shortTimeout) {
        case .status(let status): return status
        case .failed(let failure): throw failure
        default: throw LabFailure(.lab, "lab '\(id)' sent an unexpected answer")
        }
    }

    /// Injects a fault; returns when it has happened.
    public func fail(_ fault: Fault, name: String?) throws(LabFailure) {
        let client = try LabClient(self)
        try client.send(.fail(fault, name: name))
        if case .failed(let failure) = try client.receive() { throw failure }
    }

    /// Carries a step out, given as a lab file has it in its scenario; returns when it is done.
    public func carryOut(step text: String) throws(LabFailure) {
        let client = try LabClient(self)
        try client.send(.step(text: text))
        if case .failed(let failure) = try client.receive(within: LabClient.longTimeout) { throw failure }
    }

    /// The connection table of a gateway firewall.
    public func connections(of node: String) throws(LabFailure) -> ConnectionList {
        let client = try LabClient(self)
        try client.send(.connections(node: node))
        switch try client.receive() {
        case .connections(let list): return list
        case .failed(let failure): throw failure
        default: throw LabFailure(.lab, "lab '\(id)' sent an unexpected answer")
        }
    }

    /// Installs a fault on single frames, given as a lab file has it below `faults:`; returns when it is armed.
    public func impair(_ text: String) throws(LabFailure) {
        let client = try LabClient(self)
        try client.send(.impair(text: text))
        if case .failed(let failure) = try client.receive() { throw failure }
    }

    /// Ends the lab and waits until the kernel has reclaimed its namespaces and links.
    ///
    /// A supervisor that hangs is ended by SIGKILL, and with it, as the first process of its PID namespace, all others.
    public func down() throws(LabFailure) {
        let client = try LabClient(self)
        try client.send(.stop)
        let reclaimed: Int32
        do {
            reclaimed = try client.receiveDescriptors(1, within: LabClient.shortTimeout)[0]
        } catch {
            guard error.kind == .silent, let supervisor else { throw error }
            return try kill(supervisor)
        }
        defer { close(reclaimed) }
        var byte: UInt8 = 0
        // Nobody writes: the pipe ends when the warden, which waits for the kernel, has ended.
        while read(reclaimed, &byte, 1) < 0 && errno == EINTR {}
    }

    /// The supervisor's process: the one that has the lab's listening socket open. nil where it cannot be found.
    private var supervisor: Int32? {
        guard let table = KernelFile.contents("/proc/net/unix") else { return nil }
        // Num RefCount Protocol Flags Type St Inode Path; Flags 00010000 is a listener. Source: proc_net_unix(5)
        var inode: Substring?
        for line in table.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 8, words[3] == "00010000", words[7] == "@" + socketName else { continue }
            inode = words[6]
        }
        guard let inode else { return nil }
        return ProcessFiles.processes().first { process in
            ProcessFiles.name(of: process) == "fl-supervisor"
                && ProcessFiles.openFiles(of: process).contains("socket:[\(inode)]")
        }
    }

    /// Returns when the lab's warden has ended, which waits for the kernel to reclaim the lab.
    private func kill(_ supervisor: Int32) throws(LabFailure) {
        let warden = ProcessFiles.parent(of: supervisor)
        guard Glibc.kill(supervisor, SIGKILL) == 0 || errno == ESRCH else {
            throw LabFailure(.lab, "the supervisor of '\(id)' cannot be ended: \(Errno(rawValue: errno))")
        }
        // The kernel closes the packet rings of a process that is killed one after the other, some 40 ms each.
        let limit = Duration.seconds(120)
        let deadline = Instant.monotonic() + limit
        while warden.map({ ProcessFiles.parent(of: $0) != nil }) ?? Self.all().contains(self) {
            guard Instant.monotonic() < deadline else {
                throw LabFailure(
                    .lab, "lab '\(id)' is still there \(limit) after its supervisor was killed")
            }
            usleep(10_000)
        }
    }
}
