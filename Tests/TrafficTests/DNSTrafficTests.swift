import EventLoop
import Glibc
import Measurement
import Testing
import TrafficModel
import Wire

@testable import Traffic

/// Lookups over the kernel's sockets, and a DNS server whose answers are decided by the test.
@Suite(.serialized) struct `DNS traffic` {
    let bench: LoopbackBench

    init() throws { bench = try LoopbackBench() }

    /// Answers each query with what `answer` makes of it, from the one before it on.
    private final class NameServer {
        struct Query {
            var bytes: [UInt8]
            var port: UInt16
            /// The name is `localhost`.
            var isForIPv6: Bool { bytes[12 + 11 + 1] == 28 }

            /// QR and RA, with this RCODE.
            func answer(_ code: UInt8 = 0) -> [UInt8] {
                var bytes = bytes
                (bytes[2], bytes[3]) = (bytes[2] | 0x80, 0x80 | code)
                return bytes
            }
        }

        private let socket: Socket
        private let loop: EventLoop
        private let answer: (Query, Int) -> [UInt8]?
        private(set) var queries: [Query] = []

        var port: UInt16 { socket.localEndpoint!.port }

        init(on loop: EventLoop, _ answer: @escaping (_ query: Query, _ number: Int) -> [UInt8]?) throws {
            self.loop = loop
            self.answer = answer
            socket = try Socket(.udp, .ipv4)
            try socket.bind(Endpoint(address: .ipv4(.loopback), port: 0))
            try loop.watch(socket.descriptor) { [unowned self] _ in read() }
        }

        deinit { loop.unwatch(socket.descriptor) }

        private func read() {
            var bytes = [UInt8](repeating: 0, count: 512)
            while true {
                var sender = sockaddr_in()
                var size = socklen_t(MemoryLayout<sockaddr_in>.size)
                let count = withUnsafeMutablePointer(to: &sender) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(socket.descriptor, &bytes, bytes.count, 0, $0, &size)
                    }
                }
                guard count >= 0, let client = withUnsafeBytes(of: &sender, { Endpoint($0.baseAddress!) }) else {
                    return
                }
                let query = Query(bytes: Array(bytes[..<count]), port: client.port)
                queries.append(query)
                guard let answer = answer(query, queries.count - 1) else { continue }
                _ = answer.withUnsafeBytes { bytes in
                    client.withSocketAddress { sendto(socket.descriptor, bytes.baseAddress, bytes.count, 0, $0, $1) }
                }
            }
        }
    }

    private func program(
        port: UInt16, tryTimeout: Duration = .seconds(30), reopens: Bool = false, timeout: Duration = .seconds(60)
    ) -> TrafficProgram {
        bench.program(
            .dns, port: port, every: .seconds(3600), timeout: timeout,
            options: DNSTraffic(
                .localhost, records: [.address, .ipv6Address], tryTimeout: tryTimeout, reopens: reopens))
    }

    /// The only lookup of a program.
    private func lookup(_ program: TrafficProgram) -> FlowResult {
        bench.start(program)
        bench.run { !bench.ended.isEmpty }
        return bench.finish().flows[0]
    }

    @Test func `both records are asked for from one socket`() throws {
        let server = try NameServer(on: bench.loop) { query, _ in query.answer() }
        let flow = lookup(program(port: server.port))
        #expect(flow.outcome == .survived && flow.sent == 2 && flow.received == 2 && flow.laterEnds == nil)
        #expect(server.queries.map(\.isForIPv6) == [false, true])
        #expect(server.queries.allSatisfy { $0.port == flow.sourcePort })
        #expect(flow.latency != nil)
    }

    @Test func `with single-request-reopen each has a socket of its own, and both are the flow's ends`() throws {
        let server = try NameServer(on: bench.loop) { query, _ in query.answer() }
        let flow = lookup(program(port: server.port, reopens: true))
        #expect(flow.outcome == .survived && flow.sent == 2 && flow.received == 2)
        #expect(server.queries.map(\.isForIPv6) == [false, true])
        #expect(
            server.queries.map(\.port) == flow.ends.map(\.sourcePort) && Set(flow.ends.map(\.sourcePort)).count == 2)
        #expect(flow.ends.allSatisfy { $0.isAnswered })
    }

    @Test func `an answer that never comes is waited for, and asked for again in turn, and from other ports`() throws {
        let server = try NameServer(on: bench.loop) { query, _ in query.isForIPv6 ? nil : query.answer() }
        let flow = lookup(program(port: server.port, tryTimeout: .seconds(1)))
        #expect(flow.outcome == .survived && flow.received == 3 && flow.sent == 6, "\(flow)")
        #expect(server.queries.map(\.isForIPv6) == [false, true, false, true, false, true])
        let ports = server.queries.map(\.port)
        #expect(Set(ports[..<4]).count == 1 && Set(ports).count == 3)
        #expect(flow.ends.map(\.sourcePort) == [ports[0], ports[4], ports[5]])
        #expect(flow.ends.map(\.isAnswered) == [true, true, false])
    }

    @Test func `another RCODE refuses a lookup, and so does a port where nobody listens, after all attempts`() throws {
        let server = try NameServer(on: bench.loop) { query, _ in query.answer(query.isForIPv6 ? 2 : 0) }
        let flow = lookup(program(port: server.port))
        #expect(flow.outcome == .refused && flow.reason == "SERVFAIL for AAAA" && flow.received == 2)
        let other = try LoopbackBench()
        other.start(program(port: try other.closedPort(.udp)))
        other.run { !other.ended.isEmpty }
        let refused = other.finish().flows[0]
        #expect(refused.outcome == .refused && refused.ends.count == 2, "\(refused)")
    }

    @Test func `an answer from another port of the server is none`() throws {
        let loop = bench.loop
        // The kernel keeps a datagram from a connected socket that does not come from its peer.
        let stranger = try Socket(.udp, .ipv4)
        defer { stranger.close() }
        try stranger.bind(Endpoint(address: .ipv4(.loopback), port: 0))
        let server = try NameServer(on: loop) { query, number in
            guard number < 2 else { return query.answer() }
            _ = query.answer(3).withUnsafeBytes { bytes in
                Endpoint(address: .ipv4(.loopback), port: query.port).withSocketAddress {
                    sendto(stranger.descriptor, bytes.baseAddress, bytes.count, 0, $0, $1)
                }
            }
            return nil
        }
        let flow = lookup(program(port: server.port, tryTimeout: .seconds(1)))
        #expect(flow.outcome == .survived && flow.garbage == 0 && flow.sent == 4, "\(flow)")
    }
}
