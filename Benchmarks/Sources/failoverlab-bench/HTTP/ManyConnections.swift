internal import EventLoop
internal import Glibc
internal import LabTime
internal import Wire

/// Thousands of connections of clients at the same time, each with an answer that it waits for.
final class ManyConnections {
    private struct Member {
        var descriptor: Int32
        var answer: [UInt8] = []
        var answers = 0
        var isClosed = false
    }

    private let loop: EventLoop
    private var members: [Member] = []

    init() throws { loop = try EventLoop() }

    deinit {
        for member in members where !member.isClosed {
            loop.unwatch(member.descriptor)
            close(member.descriptor)
        }
    }

    var open: Int { members.count { !$0.isClosed } }

    /// Whether somebody listens.
    var canConnect: Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        return Self.connect(descriptor)
    }

    /// Connects so many, from the calling thread's namespace.
    func connect(_ count: Int) throws {
        for _ in 0..<count {
            // A blocking connect: the listener's queue is emptied meanwhile.
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else {
                throw BenchmarkFailure("no socket: \(errorText); 'ulimit -n' must be above \(count)")
            }
            guard Self.connect(descriptor) else { throw BenchmarkFailure("connection \(members.count): \(errorText)") }
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            let index = members.count
            members.append(Member(descriptor: descriptor))
            try loop.watch(descriptor) { [unowned self] _ in read(index) }
        }
    }

    /// Sends the same on all.
    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        for member in members where !member.isClosed {
            guard Glibc.send(member.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
                throw BenchmarkFailure("a connection accepts no data: \(errorText)")
            }
        }
    }

    /// Waits until so many answers with that status line have come, or until `timeout` is over.
    /// - Returns: how many came in all
    func await(_ statusLine: String, count: Int, timeout: Duration) -> Int {
        self.statusLine = Array(statusLine.utf8)
        seen = 0
        for index in members.indices { examine(index) }
        var isOver = false
        let timer = loop.schedule(after: timeout) { isOver = true }
        while seen < count, !isOver { loop.turn(block: true) }
        loop.cancel(timer)
        return seen
    }

    /// Waits until all are closed by the other side, or until `timeout` is over.
    func awaitEnd(timeout: Duration) {
        var isOver = false
        let timer = loop.schedule(after: timeout) { isOver = true }
        while open > 0, !isOver { loop.turn(block: true) }
        loop.cancel(timer)
    }

    private var statusLine: [UInt8] = []
    private var seen = 0

    private func read(_ index: Int) {
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = recv(members[index].descriptor, &buffer, buffer.count, 0)
        if count > 0 {
            members[index].answer += buffer[..<count]
            examine(index)
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            loop.unwatch(members[index].descriptor)
            close(members[index].descriptor)
            members[index].isClosed = true
        }
    }

    /// One answer comes at a time and in one piece or few; it counts by its first line.
    private func examine(_ index: Int) {
        guard !statusLine.isEmpty, members[index].answer.starts(with: statusLine) else { return }
        members[index].answer = []
        members[index].answers += 1
        seen += 1
    }

    private static func connect(_ descriptor: Int32) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(80).bigEndian
        address.sin_addr.s_addr = IPv4Address(HTTPPath.proxyAddress)!.rawValue.bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
