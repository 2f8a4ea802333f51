import Appliances
import Configuration
import Dataplane
import LabTime
import TestSupport
import Testing
import VirtualNetwork
import Wire

@Suite struct LoadBalancerFuzzTests {
    /// What a forwarded packet may look like: to a member from the client or the box, or to the client from the service.
    private func isRight(_ packet: PacketView, leavingBy port: PortIndex) -> Bool {
        let members = [BalancerBench.b1, BalancerBench.b2]
        if packet.ipProtocol == .icmp { return packet.icmp.map { $0.type.isError } ?? false }
        if port == 1 { return members.contains(packet.destination) && [8080, 5353].contains(packet.destinationPort) }
        return packet.source == BalancerBench.vip && [80, 53, 54].contains(packet.sourcePort)
    }

    @Test(arguments: [101, 102, 103, 104, 105, 106] as [UInt64])
    func `garbage and damaged frames never crash the balancer and never leave it wrongly`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let translation = SourceTranslation.allCases[Int(seed % 3)]
        let bench = BalancerBench(
            BalancerBench.service(.tcpFastPath, translation: translation),
            BalancerBench.service(.udpFastPath, translation: translation, name: "dns"),
            BalancerBench.service(
                .udpPerPacket, scheduler: .consistentHash, translation: .autoMap, port: 54, name: "each"),
            flowCapacity: 64, seed: seed)
        let flags = ["SYN", "SYN,ACK", "ACK", "PSH,ACK", "FIN,ACK", "RST", "SYN,FIN"]
        for step in 0..<4_000 {
            let station = ["fw-a", "fw-b"].randomElement(using: &random)!
            let client =
                "192.0.2.\(Int.random(in: 50...59, using: &random)):\(Int.random(in: 40000...40009, using: &random))"
            let member = Int.random(in: 1...2, using: &random)
            let box = "203.0.113.10:\(Int.random(in: 10240...10300, using: &random))"
            let flag = flags.randomElement(using: &random)!
            let text = [
                "inside \(station)>lb.inside tcp \(client) > 198.51.100.100:80 \(flag)",
                "inside \(station)>lb.inside udp \(client) > 198.51.100.100:\(Bool.random(using: &random) ? 53 : 54)",
                "servers b\(member)>lb.servers tcp 203.0.113.2\(member):8080 > \(Bool.random(using: &random) ? client : box) \(flag)",
                "servers b\(member)>lb.servers udp 203.0.113.2\(member):5353 > \(Bool.random(using: &random) ? client : box)",
            ].randomElement(using: &random)!
            var bytes = bench.frame(text, timeToLive: UInt8.random(in: 0...64, using: &random))
            var isDamaged = false
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: .min ... .max, using: &random)
                }
                isDamaged = true
            case 1:
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
                isDamaged = true
            case 2 where Bool.random(using: &random):
                bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                    .random(in: .min ... .max, using: &random)
                }
                isDamaged = true
            default: break
            }
            if bytes.isEmpty { bytes = [0] }
            let port: PortIndex = text.hasPrefix("servers") ? 1 : 0
            let out = bench.raw([(bytes, port)], isDamaged: isDamaged)
            for frame in out where frame.side == .wire {
                var copy = frame.bytes
                copy.withUnsafeMutableBytes { buffer in
                    let source = UnsafeRawPointer(buffer.baseAddress!).readMAC(at: 6)
                    #expect(
                        source == BalancerBench.stations[frame.port == 0 ? "lb.inside" : "lb.servers"],
                        "seed \(seed), step \(step)")
                    // Parsing verifies the header's checksum.
                    guard case .arp = ParsedFrame(buffer) else {
                        guard let packet = PacketView(buffer) else {
                            Issue.record("seed \(seed), step \(step): a malformed packet left")
                            return
                        }
                        #expect(
                            isRight(packet, leavingBy: frame.port),
                            "seed \(seed), step \(step): \(text) left as \(packet.fiveTuple)")
                        return
                    }
                }
            }
            if Int.random(in: 0..<50, using: &random) == 0 {
                _ = bench.pass(.milliseconds(.random(in: 0...3_000, using: &random)))
            }
            if Int.random(in: 0..<200, using: &random) == 0 {
                _ = bench.perform(.member(service: "web", member: "b\(member)", isUp: .random(using: &random)))
            }
        }
        // Every session ends, and gives back its translation port.
        _ = bench.pass(.seconds(400))
        #expect(bench.counter("flows") == 0, "seed \(seed)")
        #expect(bench.counter("mappings") == 0, "seed \(seed)")
        #expect(bench.counter("service.web.member.b1.sessions") == 0, "seed \(seed)")
        #expect(bench.counter("service.dns.member.b2.sessions") == 0, "seed \(seed)")
    }
}
