import Appliances
import Configuration
import Testing
import Wire

@Suite struct LoadBalancerFragmentTests {
    /// The frame as a fragment: flags and offset field replaced, header checksum made anew.
    private func fragment(_ bytes: [UInt8], field: UInt16) -> [UInt8] {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { buffer in
            let header = buffer.baseAddress! + 14
            header.write(field, at: 6)
            header.write(UInt16(0), at: 10)
            header.write(Checksum.of(UnsafeRawBufferPointer(start: header, count: 20)), at: 10)
        }
        return bytes
    }

    @Test func `first and later fragments for a fast path are dropped and counted`() {
        let bench = BalancerBench(BalancerBench.service(.udpFastPath))
        let whole = bench.frame("inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53")
        #expect(bench.process([(fragment(whole, field: 0x2000), 0)]).isEmpty)
        #expect(bench.process([(fragment(whole, field: 0x0010), 0)]).isEmpty)
        #expect(bench.drops == ["fragment 2"])
        #expect(bench.counter("flows") == 0)
    }

    @Test func `a fragment of a member's answer is dropped`() {
        let bench = BalancerBench(BalancerBench.service(.udpFastPath, members: 1))
        _ = bench.send("inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53")
        let answer = bench.frame("servers b1>lb.servers udp 203.0.113.21:5353 > 192.0.2.50:40000")
        #expect(bench.process([(fragment(answer, field: 0x2000), 1)]).isEmpty)
        #expect(bench.process([(fragment(answer, field: 0x0010), 1)]).isEmpty)
        #expect(bench.drops == ["fragment 2"])
    }

    @Test func `fragments for the box or a proxied service are the host side's`() {
        let bench = BalancerBench(BalancerBench.service(.tcpProxy))
        let whole = bench.frame("inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.10:53")
        #expect(bench.process([(fragment(whole, field: 0x2000), 0)]).count == 1)
        let service = bench.frame("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN")
        #expect(bench.process([(fragment(service, field: 0x2000), 0)]).count == 1)
        #expect(bench.drops.isEmpty)
    }
}
