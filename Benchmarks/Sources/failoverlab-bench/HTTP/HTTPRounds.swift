internal import Foundation
internal import LabTime
internal import Netlink

/// The measurements, each with programs started afresh on one path.
final class HTTPRounds {
    private let folder: String
    private let seconds: Int
    private let connections: Int
    private let path: Path
    private let member: PinnedProgram

    /// A class can hold a noncopyable value only as a stored property.
    private final class Path {
        let path: HTTPPath
        init() throws { path = try HTTPPath() }
    }

    init(folder: String, seconds: Int, connections: Int) throws {
        (self.folder, self.seconds, self.connections) = (folder, seconds, connections)
        for name in ["member", "proxy"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        path = try Path()
        // The load generator and the member share the second processor; the proxy has the first one to itself.
        member = try PinnedProgram(Nginx.words(Nginx.member, folder: "\(folder)/member"), processor: 1)
    }

    func rate(of contender: HTTPContender) throws -> WrkRun {
        try with(contender) { proxy in
            _ = try wrk(1)
            let before = (proxy: try proxy.processorTime, member: try member.processorTime, all: try ProcessorUse())
            var run = try wrk(seconds)
            let ofProxy = try proxy.processorTime - before.proxy
            run.processorTime = ofProxy / Int(run.requests)
            run.others = try ProcessorUse().others(
                since: before.all, own: ofProxy + (try member.processorTime - before.member))
            return run
        }
    }

    func hold(_ clients: Int, at contender: HTTPContender) throws -> HeldClients {
        try with(contender) { proxy in
            // Whatever a first load makes it allocate is not a connection's.
            _ = try wrk(1)
            let before = try proxy.residentMemory
            let connections = try ManyConnections()
            try path.path.client.perform { try connections.connect(clients) }
            let request = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
            try connections.send(request)
            var served = connections.await("HTTP/1.1 200", count: clients, timeout: .seconds(30))
            let memory = try proxy.residentMemory - before
            try connections.send(request)
            served += connections.await("HTTP/1.1 200", count: clients, timeout: .seconds(30))
            return HeldClients(clients: clients, served: served, bytes: memory / clients)
        }
    }

    func bear(_ clients: Int) throws -> SlowClients {
        try with(.multiplexingService) { _ in
            let before = try wrk(seconds)
            let connections = try ManyConnections()
            try path.path.client.perform { try connections.connect(clients) }
            try connections.send("GET / HTTP/1.1\r\nHost: bench\r\nX-Half: ")
            // Less than the time that a head may take, so that all of them are there meanwhile.
            let meanwhile = try wrk(min(seconds, 3))
            let refused = connections.await("HTTP/1.1 408", count: clients, timeout: .seconds(20))
            connections.awaitEnd(timeout: .seconds(10))
            return SlowClients(
                clients: clients, refused: refused, open: connections.open, meanwhile: meanwhile, before: before)
        }
    }

    private func wrk(_ seconds: Int) throws -> WrkRun {
        try path.path.client.perform { try WrkRun(seconds: seconds, connections: connections, folder: folder) }
    }

    private func with<Result>(_ contender: HTTPContender, _ body: (PinnedProgram) throws -> Result) throws -> Result {
        let folder = "\(folder)/proxy"
        let words = try contender.words(folder: folder)
        let proxy = try path.path.proxy.perform { try PinnedProgram(words, processor: 0) }
        defer {
            proxy.stop()
            unlink("\(folder)/access.log")
        }
        try awaitListener(proxy)
        return try body(proxy)
    }

    private func awaitListener(_ proxy: PinnedProgram) throws {
        let watch = Stopwatch()
        while watch.elapsed < .seconds(10) {
            if try path.path.client.perform({ (try? ManyConnections())?.canConnect ?? false }) { return }
            usleep(5000)
        }
        throw BenchmarkFailure("a proxy does not listen: \(proxy.complaint)")
    }
}
