import Appliances
import Configuration
import Dataplane
import Testing
import VirtualNetwork
import Wire

@Suite struct LoadBalancerICMPTests {
    /// An ICMP error about `quoted` (a whole frame), from `source` on a link.
    private func error(
        _ header: ICMPv4Header, about quoted: [UInt8], from source: IPv4Address, to destination: IPv4Address,
        link: (String, String), quoting count: Int = 28
    ) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xa5, count: 2048)
        let quote = Array(quoted[14..<min(14 + count, quoted.count)])
        let length = buffer.withUnsafeMutableBytes { buffer in
            quote.withUnsafeBytes {
                FrameBuilder.icmp(
                    header, in: IPv4Header(source: source, destination: destination, protocol: .icmp),
                    from: BalancerBench.stations[link.0]!, to: BalancerBench.stations[link.1]!, payload: $0,
                    into: buffer)
            }
        }
        return Array(buffer.prefix(length!))
    }

    private let syn = "inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN"

    @Test(arguments: [SourceTranslation.off, .autoMap], [28, 60])
    func `a member's unreachable reaches the client about the packet that the client sent`(
        translation: SourceTranslation, quoting: Int
    ) throws {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, translation: translation, members: 1))
        let sent = bench.raw([(bench.frame(syn), 0)])[0].bytes
        let address = translation == .off ? BalancerBench.client : BalancerBench.serversAddress
        let back = error(
            .unreachable(code: 3), about: sent, from: BalancerBench.b1, to: address, link: ("b1", "lb.servers"),
            quoting: quoting)
        let out = bench.raw([(back, 1)])
        #expect(
            out.map(BalancerBench.line)
                == [
                    "inside lb.inside>fw-a icmp 198.51.100.100 > 192.0.2.50 3/3 about tcp 192.0.2.50:40000 > 198.51.100.100:80"
                ])
        #expect(bench.counter("icmp.translated") == 1)
        // The quote is the client's own packet again, but for the time to live that the member saw.
        var quote = Array(out[0].bytes[42...])
        let own = bench.frame(syn, timeToLive: 63)
        #expect(quote == Array(own[14..<(14 + quote.count)]))
        #expect(quote.withUnsafeMutableBytes { Checksum.isValid(UnsafeRawBufferPointer(rebasing: $0[..<20])) })
    }

    @Test func `a router's fragmentation needed towards the client reaches the member`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, members: 1))
        _ = bench.send(syn)
        let answer = bench.raw([
            (bench.frame("servers b1>lb.servers tcp 203.0.113.21:8080 > 192.0.2.50:40000 PSH,ACK"), 1)
        ])[0].bytes
        let router = IPv4Address(198, 51, 100, 2)
        let back = error(
            .fragmentationNeeded(mtu: 1400), about: answer, from: router, to: BalancerBench.vip,
            link: ("fw-a", "lb.inside"))
        #expect(
            bench.process([(back, 0)])
                == [
                    "servers lb.servers>b1 icmp 198.51.100.2 > 203.0.113.21 3/4 about tcp 203.0.113.21:8080 > 192.0.2.50:40000"
                ])
    }

    @Test(arguments: [SourceTranslation.off, .autoMap])
    func `errors about datagrams of a per-packet service go back to the client`(translation: SourceTranslation) {
        let bench = BalancerBench(BalancerBench.service(.udpPerPacket, translation: translation, members: 1))
        let sent = bench.raw([(bench.frame("inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53"), 0)])[0]
            .bytes
        let address = translation == .off ? BalancerBench.client : BalancerBench.serversAddress
        let back = error(
            .unreachable(code: 3), about: sent, from: BalancerBench.b1, to: address, link: ("b1", "lb.servers"))
        #expect(
            bench.process([(back, 1)])
                == [
                    "inside lb.inside>fw-a icmp 198.51.100.100 > 192.0.2.50 3/3 about udp 192.0.2.50:40000 > 198.51.100.100:53"
                ])
    }

    @Test func `an error about nothing known is the host side's, or nobody's`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, members: 1))
        let stranger = bench.frame("servers lb.servers>b1 tcp 203.0.113.10:50000 > 203.0.113.21:9 SYN")
        let toBox = error(
            .unreachable(code: 3), about: stranger, from: BalancerBench.b1, to: BalancerBench.serversAddress,
            link: ("b1", "lb.servers"))
        #expect(bench.process([(toBox, 1)]).map { $0.hasPrefix("host:servers b1>lb.servers icmp") } == [true])
        let other = bench.frame("servers lb.servers>b1 tcp 192.0.2.50:50000 > 203.0.113.21:9 SYN")
        let toClient = error(
            .unreachable(code: 3), about: other, from: BalancerBench.b1, to: BalancerBench.client,
            link: ("b1", "lb.servers"))
        #expect(bench.process([(toClient, 1)]).isEmpty)
        #expect(bench.drops == ["icmp-without-flow 1"])
    }

    @Test func `an error with a wrong checksum is not healed by translation`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, members: 1))
        let sent = bench.raw([(bench.frame(syn), 0)])[0].bytes
        var back = error(
            .unreachable(code: 3), about: sent, from: BalancerBench.b1, to: BalancerBench.client,
            link: ("b1", "lb.servers"))
        back[36] ^= 0x55
        #expect(bench.process([(back, 1)]).isEmpty)
        #expect(bench.drops == ["malformed-transport 1"])
    }

    @Test func `echo to the service's address is the host side's`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        var buffer = [UInt8](repeating: 0, count: 100)
        let length = buffer.withUnsafeMutableBytes {
            FrameBuilder.icmp(
                .echoRequest(identifier: 7, sequence: 1),
                in: IPv4Header(source: BalancerBench.client, destination: BalancerBench.vip, protocol: .icmp),
                from: BalancerBench.stations["fw-a"]!, to: BalancerBench.stations["lb.inside"]!,
                payload: UnsafeRawBufferPointer(start: nil, count: 0), into: $0)
        }
        let out = bench.process([(Array(buffer.prefix(length!)), 0)])
        #expect(out.map { $0.hasPrefix("host:inside fw-a>lb.inside icmp 192.0.2.50 > 198.51.100.100 8/0") } == [true])
    }
}
