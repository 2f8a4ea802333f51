import EventLoop
import Measurement
import Testing
import TrafficModel
import Wire

@testable import Traffic

@Suite(.serialized) struct `Ping traffic` {
    /// The namespaces of a lab give it; a test may run without.
    private static let mayOpenRawSockets = (try? Socket(.echo, .ipv4)) != nil && (try? Socket(.echo, .ipv6)) != nil

    let bench: LoopbackBench

    init() throws { bench = try LoopbackBench() }

    @Test(
        .enabled(if: mayOpenRawSockets, "this process may open no raw socket"),
        arguments: [IPAddress.ipv4(.loopback), .ipv6(.loopback)])
    func `the kernel answers each flow's own requests`(target: IPAddress) throws {
        bench.start(bench.program(.ping, port: 0, flows: 3, payload: 1000, target: target))
        bench.run { bench.isReady }
        bench.run(for: .milliseconds(40))
        let result = bench.finish()
        #expect(result.flows.count == 3 && result.totals.outcome == .survived && result.totals.lost == 0)
        #expect(result.flows.allSatisfy { $0.received > 0 && $0.duplicated == 0 && $0.garbage == 0 })
        #expect(result.flows.allSatisfy { $0.source == target })
        #expect(Set(result.flows.map(\.sourcePort)).count == 3, "identifiers")
    }

    @Test(.enabled(if: mayOpenRawSockets, "this process may open no raw socket"))
    func `a flow with a count ends by itself`() throws {
        var program = bench.program(.ping, port: 0, flows: 2)
        program.options = PingTraffic(count: 4)
        bench.start(program)
        bench.run { bench.ended.count == 2 }
        #expect(bench.ended.allSatisfy { $0.sent == 4 && $0.received == 4 && $0.outcome == .survived })
        #expect(bench.finish().flows.count == 2)
    }

    @Test(.enabled(if: mayOpenRawSockets, "this process may open no raw socket"))
    func `only replies with its identifier are its own`() throws {
        let socket = try Socket(.echo, .ipv4)
        try socket.takeEchoReplies(to: 0x1234)
        func packet(_ type: UInt8, _ identifier: UInt16, words: UInt8 = 5) -> [UInt8] {
            [0x40 | words] + [UInt8](repeating: 0, count: Int(words) * 4 - 1)
                + [type, 0, 0, 0, UInt8(identifier >> 8), UInt8(identifier & 0xff), 0, 1, 0xaa, 0xbb]
        }
        func data(_ packet: [UInt8]) -> [UInt8]? { packet.withUnsafeBytes { socket.echoData($0).map(Array.init) } }
        #expect(data(packet(0, 0x1234)) == [0xaa, 0xbb] && data(packet(0, 0x1234, words: 6)) == [0xaa, 0xbb])
        #expect(data(packet(8, 0x1234)) == nil && data(packet(0, 0x1235)) == nil)
        for length in 0..<28 { #expect(data(Array(packet(0, 0x1234).prefix(length))) == nil, "\(length)") }
    }
}
