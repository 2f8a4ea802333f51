import Appliances
import Dataplane
import LabTime
import TestSupport
import Testing
import Wire

/// Fragments of translated datagrams. Source: RFC 4787, REQ-14; RFC 6864, 5.3
@Suite struct NATFragmentTests {
    private let payload = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    private func pieces(_ bench: NATBench, _ text: String, identification: UInt16 = 77) -> [([UInt8], PortIndex)] {
        let (frame, port) = bench.frame(text, payload: payload)
        return NATBench.fragments(frame, size: 256, identification: identification).map { ($0, port) }
    }

    /// Puts fragments together as their receiver does.
    private func datagram(_ fragments: [[UInt8]]) -> [UInt8] {
        let sorted = fragments.map { bytes in (bytes, (Int(bytes[20] & 0x1f) << 8 | Int(bytes[21])) * 8) }
            .sorted { $0.1 < $1.1 }
        var whole = Array(sorted[0].0[..<34])
        for (bytes, offset) in sorted {
            #expect(whole.count == 34 + offset)
            whole += bytes[34...]
        }
        whole.withUnsafeMutableBytes { buffer in
            buffer.baseAddress!.write(UInt16(buffer.count - 14), at: 16)
            buffer.baseAddress!.write(UInt16(0), at: 20)
            buffer.baseAddress!.write(UInt16(0), at: 24)
            let header = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[14..<34])
            buffer.baseAddress!.write(Checksum.of(header), at: 24)
        }
        return whole
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `fragments leave whole in any order, under one identification, with right checksums`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let bench = NATBench()
        var parts = pieces(bench, "inside udp 10.0.0.10:4000 > 203.0.113.5:53")
        parts.shuffle(using: &random)
        var out: [[UInt8]] = []
        for part in parts { out += bench.raw([part]).map(\.2) }
        #expect(out.count == parts.count, "seed \(seed)")
        var whole = datagram(out)
        whole.withUnsafeMutableBytes { buffer in
            let packet = PacketView(buffer)
            #expect(packet?.isTransportChecksumValid == true, "seed \(seed)")
            #expect("\(packet!.fiveTuple)" == "udp 192.0.2.9:4000 > 203.0.113.5:53")
            #expect(Array(packet!.payload) == payload, "seed \(seed)")
        }
        #expect(Set(out.map { [$0[18], $0[19]] }).count == 1, "seed \(seed)")
        #expect(bench.counter("fragments.held") == 0)
    }

    @Test func `fragments of two hosts with one identification leave with two`() {
        let bench = NATBench()
        let first = pieces(bench, "inside udp 10.0.0.10:4000 > 203.0.113.5:53")
        let second = pieces(bench, "inside udp 10.0.0.11:4000 > 203.0.113.5:53")
        var out: [[UInt8]] = []
        for (a, b) in zip(first, second.reversed()) { out += bench.raw([a, b]).map(\.2) }
        #expect(out.count == 8)
        let groups = Dictionary(grouping: out) { [$0[18], $0[19]] }
        #expect(groups.count == 2)
        for group in groups.values {
            var whole = datagram(group)
            let valid = whole.withUnsafeMutableBytes { PacketView($0)?.isTransportChecksumValid }
            #expect(valid == true)
        }
    }

    @Test func `fragments from outside reach the host, those that came first too`() {
        let bench = NATBench()
        bench.send("inside udp 10.0.0.11:4001 > 203.0.113.5:53")
        let parts = pieces(bench, "outside udp 203.0.113.5:53 > 192.0.2.9:4001")
        #expect(bench.raw([parts[3], parts[1]]).isEmpty)
        let out = bench.raw([parts[0], parts[2]])
        var whole = datagram(out.map(\.2))
        whole.withUnsafeMutableBytes { buffer in
            #expect("\(PacketView(buffer)!.fiveTuple)" == "udp 203.0.113.5:53 > 10.0.0.11:4001")
            #expect(PacketView(buffer)!.isTransportChecksumValid)
        }
    }

    @Test func `a large ping is translated in fragments`() {
        let bench = NATBench()
        let out = pieces(bench, "inside icmp 8/0 10.0.0.10 > 203.0.113.5 id 7").flatMap { bench.raw([$0]).map(\.2) }
        var whole = datagram(out)
        let valid = whole.withUnsafeMutableBytes { PacketView($0)?.isTransportChecksumValid }
        #expect(valid == true && out.count == 4)
    }

    @Test func `a datagram that is refused is refused to its last fragment`() {
        let bench = NATBench()
        let parts = pieces(bench, "outside udp 203.0.113.5:53 > 192.0.2.9:4001")
        #expect(bench.raw([parts[1]]).isEmpty)
        #expect(bench.raw([parts[0]]).isEmpty)
        #expect(bench.raw([parts[2], parts[3]]).isEmpty)
        #expect(bench.drops == ["no-mapping 4"])
    }

    @Test func `fragments whose first one never comes are dropped after two seconds, and their memory is bounded`() {
        let bench = NATBench()
        for identification in 0..<300 as Range<UInt16> {
            let part = pieces(bench, "inside udp 10.0.0.10:4000 > 203.0.113.5:53", identification: identification)[1]
            #expect(bench.raw([part]).isEmpty)
        }
        #expect(bench.counter("fragments.held") == 128)
        #expect(bench.drops == ["fragment 172"])
        bench.pass(.seconds(3))
        #expect(bench.counter("fragments.held") == 0)
        #expect(bench.drops == ["fragment 300"])
    }

    @Test func `a piece that would write over a TCP header is dropped`() {
        let bench = NATBench()
        let (frame, port) = bench.frame("inside tcp 10.0.0.10:4000 > 203.0.113.5:80 SYN", payload: payload)
        let parts = NATBench.fragments(frame, size: 24, identification: 9)
        #expect(bench.raw([(parts[0], port)]).count == 1)
        var over = parts[1]
        over.withUnsafeMutableBytes { buffer in
            buffer.baseAddress!.write(UInt16(0x2001), at: 20)
            buffer.baseAddress!.write(UInt16(0), at: 24)
            let header = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[14..<34])
            buffer.baseAddress!.write(Checksum.of(header), at: 24)
        }
        #expect(bench.raw([(over, port)]).isEmpty)
        #expect(bench.drops == ["fragment 1"])
    }
}
