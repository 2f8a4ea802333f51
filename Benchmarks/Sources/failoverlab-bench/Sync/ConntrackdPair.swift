internal import EventLoop
internal import Glibc
internal import LabTime
internal import Netlink

/// Two conntrackd in FTFW mode, each in a namespace whose kernel has sessions of its own.
///
/// The sessions are UDP entries of the kernel's table, made by `conntrack -R`. A namespace may have as many as
/// nf_conntrack_max of the host allows.
struct ConntrackdPair: ~Copyable {
    static let timeout: Duration = .seconds(60)

    /// Where the second box's copies are.
    enum Place: String {
        /// In the daemon's external cache: a copy that `conntrackd -c` would commit to the kernel at a failover.
        case cache
        /// In the kernel's table (DisableExternalCache): ready to carry packets, as our table is.
        case kernel
    }

    private let folder: String
    private let place: Place
    private let path: SyncPath

    init(in folder: String, place: Place) throws {
        let path = try SyncPath(kernelHasAddresses: true)
        let addresses = [SyncPath.firstAddress, SyncPath.secondAddress]
        for number in 0..<2 {
            try TextFile.write(
                Self.configuration(
                    number, own: "\(addresses[number])", peer: "\(addresses[1 - number])", in: folder, place: place),
                to: "\(folder)/\(number).conf")
        }
        self.folder = folder
        self.place = place
        self.path = path
    }

    /// The most sessions that a namespace's kernel takes on this host.
    static func mostSessions() throws -> Int {
        let text = String(decoding: try TextFile.read("/proc/sys/net/netfilter/nf_conntrack_max"), as: UTF8.self)
        guard let most = Int(text.filter(\.isNumber)) else { throw BenchmarkFailure("nf_conntrack_max is '\(text)'") }
        return most * 15 / 16
    }

    /// The first box has `sessions` before the second one asks for them (`conntrackd -n`).
    func bulk(_ sessions: Int) throws -> SyncFigures {
        try load(sessions)
        let one = try start(0)
        defer { end(one) }
        try wait(until: "the first daemon's cache has \(sessions)") { ((try? count(0, "internal")) ?? 0) >= sessions }
        let two = try start(1)
        defer { end(two) }
        try wait(until: "the second daemon answers") { (try? count(1, "internal")) != nil }
        let bytes = try path.crossConnectBytes()
        let begin = Instant.monotonic()
        try path.second.perform { try ChildProgram.run(["conntrackd", "-C", "\(folder)/1.conf", "-n"]) }
        return try figures(sessions, since: begin, bytes: bytes)
    }

    /// Both daemons run while the sessions are made.
    func live(_ sessions: Int) throws -> SyncFigures {
        let one = try start(0)
        defer { end(one) }
        let two = try start(1)
        defer { end(two) }
        try wait(until: "both daemons answer") {
            (try? count(0, "internal")) != nil && (try? count(1, "internal")) != nil
        }
        // Until the hellos are exchanged, changes would be lost to a resynchronisation.
        usleep(1_500_000)
        let bytes = try path.crossConnectBytes()
        let begin = Instant.monotonic()
        try load(sessions)
        return try figures(sessions, since: begin, bytes: bytes)
    }

    private func figures(_ sessions: Int, since begin: Instant, bytes: UInt64) throws -> SyncFigures {
        var reached = 0
        var at = begin
        let deadline = begin + Self.timeout
        repeat {
            let now = try copies()
            if now > reached {
                reached = now
                at = .monotonic()
            }
            if reached < sessions { usleep(2000) }
        } while reached < sessions && Instant.monotonic() < deadline
        return SyncFigures(sessions: reached, elapsed: at - begin, bytes: try path.crossConnectBytes() - bytes)
    }

    private func copies() throws -> Int {
        guard place == .kernel else { return (try? count(1, "external")) ?? 0 }
        return try path.second.perform {
            Int(
                String(decoding: try TextFile.read("/proc/sys/net/netfilter/nf_conntrack_count"), as: UTF8.self).filter(
                    \.isNumber)) ?? 0
        }
    }

    /// `conntrackd -s cache` answers with lines like `cache:external	active objects:	100000`.
    private func count(_ number: Int, _ cache: String) throws -> Int {
        let namespace = number == 0 ? path.first.descriptor : path.second.descriptor
        let home = try NetworkNamespace.current()
        try NetworkNamespace.enter(namespace)
        defer { try? home.enter() }
        let text = try ChildProgram.run(["conntrackd", "-C", "\(folder)/\(number).conf", "-s", "cache"])
        for line in text.split(separator: "\n") where line.hasPrefix("cache:\(cache)") {
            if let count = line.split(whereSeparator: \.isWhitespace).last.flatMap({ Int($0) }) { return count }
        }
        throw BenchmarkFailure("conntrackd has no \(cache) cache: \(text)")
    }

    private func load(_ sessions: Int) throws {
        var text = ""
        text.reserveCapacity(sessions * 100)
        for flow in 0..<sessions {
            text +=
                "-I -s 10.64.0.\(flow / 50_000) -d 10.10.3.3 -p udp --sport \(10_000 + flow % 50_000) --dport 5000 -t 3600\n"
        }
        try TextFile.write(text, to: "\(folder)/sessions")
        try path.first.perform { try ChildProgram.run(["conntrack", "-R", "\(folder)/sessions"]) }
    }

    private func start(_ number: Int) throws -> ChildProgram {
        let words = ["conntrackd", "-C", "\(folder)/\(number).conf"]
        return number == 0
            ? try path.first.perform { try ChildProgram(words) } : try path.second.perform { try ChildProgram(words) }
    }

    private func end(_ daemon: consuming ChildProgram) {
        kill(daemon.identifier, SIGKILL)
        daemon.abandon()
        for number in 0..<2 {
            unlink("\(folder)/\(number).lock")
            unlink("\(folder)/\(number).ctl")
        }
    }

    private func wait(until what: String, _ condition: () throws -> Bool) throws {
        let deadline = Instant.monotonic() + Self.timeout
        while try !condition() {
            guard Instant.monotonic() < deadline else {
                throw BenchmarkFailure("conntrackd: not within \(Self.timeout): \(what)")
            }
            usleep(20_000)
        }
    }

    /// Buffers and tables so large that nothing here is lost because they are full.
    private static func configuration(
        _ number: Int, own: String, peer: String, in folder: String, place: Place
    ) -> String {
        """
        Sync {
            Mode FTFW {
                ResendQueueSize 524288
                PurgeTimeout 60
                ACKWindowSize 300
                DisableExternalCache \(place == .kernel ? "On" : "Off")
            }
            UDP {
                IPv4_address \(own)
                IPv4_Destination_Address \(peer)
                Port 3780
                Interface sync
                SndSocketBuffer 24985600
                RcvSocketBuffer 24985600
                Checksum on
            }
        }
        General {
            HashSize 524288
            HashLimit 2097152
            LogFile \(folder)/\(number).log
            LockFile \(folder)/\(number).lock
            UNIX {
                Path \(folder)/\(number).ctl
            }
            NetlinkBufferSize 33554432
            NetlinkBufferSizeMaxGrowth 268435456
            NetlinkOverrunResync On
            Filter From Userspace {
                Protocol Accept {
                    TCP
                    UDP
                }
            }
        }

        """
    }
}
