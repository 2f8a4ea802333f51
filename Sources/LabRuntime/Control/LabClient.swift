public import Appliances
internal import CLinux
internal import Glibc
internal import SystemPackage
public import Topology

/// One question to a running lab's supervisor, and its answer; blocks until it comes.
struct LabClient: ~Copyable {
    private let descriptor: Int32

    init(_ lab: RunningLab) throws(LabFailure) { descriptor = try lab.connect() }

    deinit { close(descriptor) }

    func send(_ order: SupervisorOrder) throws(LabFailure) {
        var line = JSONLine.encode(order)
        line.append(UInt8(ascii: "\n"))
        guard Glibc.send(descriptor, line, line.count, Int32(MSG_NOSIGNAL)) == line.count else {
            throw LabFailure(.lab, "the lab does not take orders: \(Errno(rawValue: errno))")
        }
    }

    /// Reads one line.
    func receive() throws(LabFailure) -> SupervisorReport {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(descriptor, &byte, 1)
            if count < 0 && errno == EINTR { continue }
            guard count == 1 else { throw LabFailure(.lab, "the lab ended before it answered") }
            if byte == UInt8(ascii: "\n") { break }
            line.append(byte)
        }
        do {
            return try JSONLine.decode(SupervisorReport.self, from: line)
        } catch {
            throw LabFailure(.lab, "the lab answered what this version does not understand: \(error)")
        }
    }

    /// Descriptors that come with one byte; a refusal comes as a line instead.
    func receiveDescriptors(_ count: Int) throws(LabFailure) -> [Int32] {
        var peeked: UInt8 = 0
        guard recv(descriptor, &peeked, 1, Int32(MSG_PEEK)) == 1 else {
            throw LabFailure(.lab, "the lab ended before it answered")
        }
        if peeked != 0 {
            if case .failed(let failure) = try receive() { throw failure }
            throw LabFailure(.lab, "the lab answered something else")
        }
        var descriptors = [Int32](repeating: -1, count: count)
        let received = cl_receive_descriptors(descriptor, &descriptors, Int32(count))
        guard received == count else {
            throw LabFailure(.lab, "the lab handed over \(received) of \(count) descriptors")
        }
        return descriptors
    }
}

extension RunningLab {
    public func status() throws(LabFailure) -> LabStatus {
        let client = try LabClient(self)
        try client.send(.status)
        switch try client.receive() {
        case .status(let status): return status
        case .failed(let failure): throw failure
        default: throw LabFailure(.lab, "lab '\(id)' answered something else")
        }
    }

    /// Injects a fault; returns when it has happened.
    public func fail(_ fault: Fault, name: String?) throws(LabFailure) {
        let client = try LabClient(self)
        try client.send(.fail(fault, name: name))
        if case .failed(let failure) = try client.receive() { throw failure }
    }

    /// The connection table of a gateway firewall.
    public func connections(of node: String) throws(LabFailure) -> ConnectionList {
        let client = try LabClient(self)
        try client.send(.connections(node: node))
        switch try client.receive() {
        case .connections(let list): return list
        case .failed(let failure): throw failure
        default: throw LabFailure(.lab, "lab '\(id)' answered something else")
        }
    }

    /// Installs a fault on single frames, given as a lab file has it below `faults:`; returns when it is armed.
    public func impair(_ text: String) throws(LabFailure) {
        let client = try LabClient(self)
        try client.send(.impair(text: text))
        if case .failed(let failure) = try client.receive() { throw failure }
    }

    /// Ends the lab and waits until the kernel has reclaimed its namespaces and links.
    public func down() throws(LabFailure) {
        let client = try LabClient(self)
        try client.send(.stop)
        let reclaimed = try client.receiveDescriptors(1)[0]
        defer { close(reclaimed) }
        var byte: UInt8 = 0
        // Nobody writes: the pipe ends when the warden, which waits for the kernel, has ended.
        while read(reclaimed, &byte, 1) < 0 && errno == EINTR {}
    }
}
