import EventLoop
import LabTime
import Measurement
import Testing
import TrafficModel
import Wire

@testable import Traffic

@Suite(.serialized) struct `FTP traffic` {
    let bench: LoopbackBench

    init() throws { bench = try LoopbackBench() }

    private func server(at address: IPAddress = .ipv4(.loopback)) throws -> TrafficServer {
        try TrafficServer(ServerProgram(kind: .ftp, port: 0), nodeName: "server", at: address, on: bench.loop)
    }

    private func program(
        _ port: UInt16, _ transfer: FileTransfer, flows: Int = 1, every: Duration = .milliseconds(5),
        timeout: Duration = .seconds(60), target: IPAddress = .ipv4(.loopback)
    ) -> TrafficProgram {
        var program = bench.program(.ftp, port: port, flows: flows, every: every, timeout: timeout, target: target)
        program.options = FTPTraffic(transfer)
        return program
    }

    @Test(arguments: FileTransfer.Mode.allCases)
    func `files come one after the other, whole, however the data connection is agreed upon`(
        mode: FileTransfer.Mode
    ) throws {
        let server = try server()
        defer { server.close() }
        let result = bench.result(of: program(server.port, FileTransfer(mode: mode, bytes: 300_001), flows: 2)) {
            $0.flows.allSatisfy { $0.sent > 1 }
        }
        #expect(result.flows.count == 2 && result.totals.outcome == .survived)
        for flow in result.flows {
            #expect(flow.sent > 1 && flow.received == flow.sent && flow.garbage == 0, "\(flow)")
            #expect(flow.sourcePort != 0 && flow.reason == nil)
        }
    }

    @Test(arguments: [FileTransfer.Mode.extendedPassive, .extendedActive])
    func `the extended forms know IPv6`(mode: FileTransfer.Mode) throws {
        let loopback = IPAddress.ipv6(IPv6Address("::1")!)
        let server = try server(at: loopback)
        defer { server.close() }
        bench.start(program(server.port, FileTransfer(mode: mode, bytes: 10), every: .seconds(60), target: loopback))
        bench.run { bench.isReady }
        let result = bench.finish()
        #expect(result.totals.outcome == .survived && result.totals.received == 1)
    }

    @Test(arguments: [FileTransfer.Mode.passive, .active])
    func `the data connection begins when it is due, and its wait costs no timeout`(mode: FileTransfer.Mode) throws {
        let server = try server()
        defer { server.close() }
        let wait: Duration = .milliseconds(400)
        bench.start(
            program(
                server.port, FileTransfer(mode: mode, dataAfter: wait, bytes: 10), every: .seconds(60),
                timeout: .milliseconds(300)))
        bench.run { bench.isReady }
        let result = bench.finish()
        #expect(result.totals.outcome == .survived && result.totals.received == 1)
        #expect(result.flows[0].end - result.flows[0].start >= wait)
    }

    @Test func `a server that does not take the announcement refuses`() throws {
        let server = try server()
        defer { server.close() }
        let elsewhere = IPAddress.ipv4(IPv4Address(192, 0, 2, 99))
        bench.start(program(server.port, FileTransfer(mode: .active, announced: elsewhere)))
        bench.run { bench.ended.count == 1 }
        let result = bench.finish()
        #expect(result.totals.outcome == .refused)
        #expect(result.flows[0].reason == "the server said: 504 Not to that endpoint")
        #expect(result.totals.sent == 1 && result.totals.lost == 1)
    }

    @Test func `a data connection that nobody answers ends the flow when the timeout is over`() throws {
        // A listener whose queue is full drops what comes.
        let hole = try bench.blackHole(.tcp)
        let port = hole.localEndpoint!.port
        let played = try PlayedFTPServer(bench.loop) { command in
            command == "PASV" ? "227 (127,0,0,1,\(port >> 8),\(port & 0xff))" : nil
        }
        bench.start(program(played.port, FileTransfer(), timeout: .milliseconds(200)))
        bench.run { bench.ended.count == 1 }
        #expect(bench.ended[0].outcome == .timedOut)
        #expect(bench.ended[0].reason?.hasPrefix("no end of the file") == true, "\(bench.ended[0])")
    }

    @Test func `an announcement that cannot be read, and a port where nobody listens, end the flow`() throws {
        let unreadable = try PlayedFTPServer(bench.loop) { $0 == "PASV" ? "227 I listen" : nil }
        bench.start(program(unreadable.port, FileTransfer()))
        bench.run { bench.ended.count == 1 }
        #expect(bench.ended[0].outcome == .refused)
        let second = try LoopbackBench()
        let closed = try second.closedPort(.tcp)
        let lying = try PlayedFTPServer(second.loop) {
            $0 == "PASV" ? "227 (127,0,0,1,\(closed >> 8),\(closed & 0xff))" : nil
        }
        second.start(program(lying.port, FileTransfer()))
        second.run { second.ended.count == 1 }
        #expect(second.ended[0].outcome == .refused && second.ended[0].reason?.hasPrefix("data connection: ") == true)
    }
}

/// A server that logs everybody in and then says what a test wants.
private final class PlayedFTPServer {
    let port: UInt16
    private let listener: Socket
    private let loop: EventLoop
    private var sockets: [Socket] = []

    init(_ loop: EventLoop, answer: @escaping (String) -> String?) throws {
        self.loop = loop
        listener = try Socket(.tcp, .ipv4)
        try listener.bind(Endpoint(address: .ipv4(.loopback), port: 0))
        try listener.listen(backlog: 8)
        port = listener.localEndpoint?.port ?? 0
        try loop.watch(listener.descriptor) { [unowned self] _ in accept(answer) }
    }

    deinit {
        for socket in sockets + [listener] { loop.unwatch(socket.descriptor) }
    }

    private func accept(_ answer: @escaping (String) -> String?) {
        guard let socket = try? listener.accept() else { return }
        sockets.append(socket)
        func say(_ line: String) { _ = Array("\(line)\r\n".utf8).withUnsafeBytes { socket.send($0) } }
        say("220 played")
        var lines = ControlLines()
        try? loop.watch(socket.descriptor) { [unowned self] _ in
            let outcome = socket.receiveAll(isStream: true, while: { true }) { bytes in
                lines.consume(bytes) { line in
                    switch line {
                    case "USER anonymous": say("331 password")
                    case "PASS lab@": say("230 in")
                    case "TYPE I": say("200 ok")
                    default: if let reply = answer(line) { say(reply) }
                    }
                }
            }
            if outcome != .wouldBlock { loop.unwatch(socket.descriptor) }
        }
    }
}
