import EventLoop
import Measurement
import Testing
import TrafficModel
import Wire

@testable import Traffic

@Suite(.serialized) struct `Traffic servers` {
    let bench: LoopbackBench

    init() throws { bench = try LoopbackBench() }

    @Test func `an HTTP server answers each request of a kept connection with its node's name`() throws {
        let server = try TrafficServer(
            ServerProgram(kind: .http, port: 0), nodeName: "backend-1", at: .ipv4(.loopback), on: bench.loop)
        defer { server.close() }
        let answer = try exchange(
            "GET /a HTTP/1.1\r\nhost: x\r\n\r\nHEAD /b HTTP/1.1\r\nhost: x\r\n\r\n"
                + "GET /c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", port: server.port)
        #expect(answer.matches(of: /HTTP\/1.1 200 OK/).count == 3)
        #expect(answer.matches(of: /content-length: 10/).count == 3)
        // The answer to HEAD has no body.
        #expect(answer.matches(of: /backend-1\n/).count == 2)
    }

    @Test func `who asks whether to go on with the body is told so`() throws {
        let server = try TrafficServer(
            ServerProgram(kind: .http, port: 0), nodeName: "backend-1", at: .ipv4(.loopback), on: bench.loop)
        defer { server.close() }
        let answer = try exchange(
            "PUT /a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
            port: server.port)
        #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "\(answer)")
    }

    @Test func `a request that is no HTTP is answered with 400`() throws {
        let server = try TrafficServer(
            ServerProgram(kind: .http, port: 0), nodeName: "backend-1", at: .ipv4(.loopback), on: bench.loop)
        defer { server.close() }
        #expect(try exchange("nonsense\r\n\r\n", port: server.port).hasPrefix("HTTP/1.1 400"))
    }

    @Test(arguments: ServerProgram.Kind.allCases)
    func `a port that is taken is explained in words`(kind: ServerProgram.Kind) throws {
        let first = try TrafficServer(
            ServerProgram(kind: kind, port: 0), nodeName: "backend-1", at: .ipv4(.loopback), on: bench.loop)
        defer { first.close() }
        let error = #expect(throws: TrafficServerError.self) {
            try TrafficServer(
                ServerProgram(kind: kind, port: first.port), nodeName: "backend-1", at: .ipv4(.loopback), on: bench.loop
            )
        }
        #expect(
            error?.description
                == "backend-1: \(kind.rawValue) cannot listen on 127.0.0.1:\(first.port): something else listens there "
                + "already; give each server of the node a port of its own")
    }

    @Test(arguments: ServerProgram.Kind.allCases)
    func `an address that the node does not have is explained in words`(kind: ServerProgram.Kind) {
        let error = #expect(throws: TrafficServerError.self) {
            try TrafficServer(
                ServerProgram(kind: kind, port: 7), nodeName: "backend-1", at: .ipv4(IPv4Address(192, 0, 2, 77)),
                on: bench.loop)
        }
        #expect(error?.description.contains("the node does not have that address") == true)
    }

    @Test(arguments: ServerProgram.Kind.allCases)
    func `a closed server's port is free again`(kind: ServerProgram.Kind) throws {
        let first = try TrafficServer(
            ServerProgram(kind: kind, port: 0), nodeName: "backend-1", at: .ipv4(.loopback), on: bench.loop)
        first.close()
        let second = try TrafficServer(
            ServerProgram(kind: kind, port: first.port), nodeName: "backend-1", at: .ipv4(.loopback), on: bench.loop)
        #expect(second.port == first.port)
        second.close()
    }

    @Test func `source ports come one after the other and begin again at the end of the range`() throws {
        let ports = SourcePorts(seed: UInt64(SourcePorts.range.count - 1))
        let (a, b) = (try Socket(.udp, .ipv4), try Socket(.udp, .ipv4))
        try ports.bind(a)
        try ports.bind(b)
        let (first, second) = (a.localEndpoint!.port, b.localEndpoint!.port)
        #expect(SourcePorts.range.contains(first) && SourcePorts.range.contains(second) && first != second)
    }

    private func exchange(_ request: String, port: UInt16) throws -> String {
        let socket = try Socket(.tcp, .ipv4)
        _ = try socket.connect(Endpoint(address: .ipv4(.loopback), port: port))
        var (answer, isOver, isSent) = ([UInt8](), false, false)
        try bench.loop.watch(socket.descriptor, for: [.readable, .writable]) { [bench] readiness in
            if !isSent {
                isSent = true
                _ = Array(request.utf8).withUnsafeBytes { socket.send($0) }
                try? bench.loop.change(socket.descriptor, to: .readable)
            }
            var buffer = [UInt8](repeating: 0, count: 4096)
            switch buffer.withUnsafeMutableBytes({ socket.receive(into: $0, isStream: true) }) {
            case .bytes(let count): answer += buffer[..<count]
            case .wouldBlock: break
            case .endOfStream, .failed: isOver = true
            }
        }
        bench.run { isOver }
        bench.loop.unwatch(socket.descriptor)
        return String(decoding: answer, as: UTF8.self)
    }
}
