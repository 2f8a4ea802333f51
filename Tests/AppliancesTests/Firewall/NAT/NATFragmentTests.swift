import Appliances
import Dataplane
import LabTime
import TestSupport
import Testing
import VirtualNetwork
import Wire

/// Fragments of translated datagrams. Source: RFC 4787, REQ-14; RFC 6864, 5.3
@Suite struct NATFragmentTests {
    private let payload = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    private func pieces(_ bench: NATBench, _ text: String, identification: UInt16 = 77) -> [BoxFrame] {
        let frame = bench.frame(text, payload: payload)
        return NATBench.fragments(frame.bytes, size: 256, identification: identification)
            .map { BoxFrame($0, port: frame.port) }
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
        for part in parts { out += bench.raw([part]).map(\.bytes) }
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
        for (a, b) in zip(first, second.reversed()) { out += bench.raw([a, b]).map(\.bytes) }
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
        var whole = datagram(out.map(\.bytes))
        whole.withUnsafeMutableBytes { buffer in
            #expect("\(PacketView(buffer)!.fiveTuple)" == "udp 203.0.113.5:53 > 10.0.0.11:4001")
            #expect(PacketView(buffer)!.isTransportChecksumValid)
        }
    }

    @Test func `a large ping is translated in fragments`() {
        let bench = NATBench()
        let out = pieces(bench, "inside icmp 10.0.0.10 > 203.0.113.5 8/0 id 7").flatMap { bench.raw([$0]).map(\.bytes) }
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

    @Test(arguments: [false, true])
    func `any number of fragmented datagrams pass within a minute, also where some never end`(isCut: Bool) {
        let bench = NATBench()
        for round in 0..<5000 {
            let identification = UInt16(truncatingIfNeeded: round)
            var parts = pieces(bench, "inside udp 10.0.0.10:4000 > 203.0.113.5:53", identification: identification)
            if isCut, round % 3 == 0 { parts.removeLast() }
            #expect(bench.raw(parts).count == parts.count, "datagram \(round)")
            bench.pass(.milliseconds(2))
        }
        #expect(bench.drops.isEmpty)
        // Those that are complete are forgotten at once; of the others, the oldest made room.
        #expect((bench.counter("fragments.evicted") > 0) == isCut)
        bench.pass(.seconds(61))
        #expect(bench.counter("fragments.datagrams") == 0)
    }

    @Test func `a datagram is forgotten a moment after its last fragment, whichever that is, and copies still pass`() {
        for last in 0..<4 {
            let bench = NATBench()
            let parts = pieces(bench, "inside udp 10.0.0.10:4000 > 203.0.113.5:53")
            for part in parts.indices where part != last { _ = bench.raw([parts[part]]) }
            #expect(bench.raw([parts[last]]).count == (last == 0 ? 4 : 1))
            #expect(bench.raw([parts[1], parts[3]]).count == 2)
            #expect(bench.counter("fragments.datagrams") == 1)
            bench.pass(.milliseconds(300))
            #expect(bench.counter("fragments.datagrams") == 0, "last \(last)")
        }
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

    /// Makes a frame one that may be fragmented, and gives its header `options`, whose length is a multiple of four.
    private func fragmentable(_ frame: [UInt8], options: [UInt8] = []) -> [UInt8] {
        var bytes = Array(frame[..<34]) + options + frame[34...]
        bytes.withUnsafeMutableBytes { buffer in
            let base = buffer.baseAddress!
            base.write(UInt8(0x45 + options.count / 4), at: 14)
            base.write(UInt16(buffer.count - 14), at: 16)
            base.write(UInt16(0), at: 20)
            base.write(UInt16(0), at: 24)
            base.write(Checksum.of(UnsafeRawBufferPointer(start: base + 14, count: 20 + options.count)), at: 24)
        }
        return bytes
    }

    @Test func `a datagram beyond the MTU leaves in fragments where it may, in order and under a new identification`() {
        let bench = NATBench(outsideMTU: 576)
        let whole = bench.frame("inside udp 10.0.0.10:4000 > 203.0.113.5:53", payload: payload)
        let sent = fragmentable(whole.bytes)
        let out = bench.raw([BoxFrame(sent, port: whole.port)]).map(\.bytes)
        #expect(out.map(\.count) == [14 + 572, 14 + 476])
        #expect(out.map { Array($0[20..<22]) } == [[0x20, 0], [0, 69]])
        #expect(Set(out.map { Array($0[18..<20]) }).count == 1 && out[0][18..<20] != sent[18..<20])
        var together = datagram(out)
        together.withUnsafeMutableBytes { buffer in
            #expect(PacketView(buffer)?.isTransportChecksumValid == true)
            #expect(Array(PacketView(buffer)!.payload) == payload)
        }
        #expect(bench.counter("fragmented") == 1)
    }

    @Test func `a datagram beyond the MTU that must stay whole is refused with the MTU`() throws {
        let bench = NATBench(outsideMTU: 576)
        let frame = bench.frame("inside udp 10.0.0.10:4000 > 203.0.113.5:53", payload: payload)
        let out = bench.raw([frame])
        #expect(
            out.map(bench.line) == [
                "inside icmp 10.0.0.1 > 10.0.0.10 3/4 about udp 10.0.0.10:4000 > 203.0.113.5:53"
            ])
        #expect(Array(try #require(out.first).bytes[40..<42]) == [0x02, 0x40])
        #expect(bench.drops == ["packet-too-big 1"])
    }

    @Test func `later fragments carry only the options that are to be copied`() {
        let bench = NATBench(outsideMTU: 576)
        // Record route (7, not copied), no-operation, loose source route (131, copied).
        let options: [UInt8] = [7, 3, 4, 1, 131, 3, 4, 0]
        let whole = bench.frame("inside udp 10.0.0.10:4000 > 203.0.113.5:53", payload: payload)
        let out = bench.raw([BoxFrame(fragmentable(whole.bytes, options: options), port: whole.port)]).map(\.bytes)
        #expect(out.count == 2)
        #expect(out.map { Array($0[34..<42]) } == [options, [1, 1, 1, 1, 131, 3, 4, 0]])
    }

    @Test func `a fragment beyond the MTU is cut again, also one that had to wait`() {
        let bench = NATBench(outsideMTU: 100)
        var parts = pieces(bench, "inside udp 10.0.0.10:4000 > 203.0.113.5:53")
        parts.swapAt(0, 2)
        let out = parts.flatMap { bench.raw([$0]).map(\.bytes) }
        #expect(out.allSatisfy { $0.count <= 114 })
        var together = datagram(out)
        together.withUnsafeMutableBytes { buffer in
            #expect(PacketView(buffer)?.isTransportChecksumValid == true)
            #expect(Array(PacketView(buffer)!.payload) == payload)
        }
    }

    @Test func `a piece that would write over a TCP header is dropped`() {
        let bench = NATBench()
        let frame = bench.frame("inside tcp 10.0.0.10:4000 > 203.0.113.5:80 SYN", payload: payload)
        let parts = NATBench.fragments(frame.bytes, size: 24, identification: 9)
        #expect(bench.raw([BoxFrame(parts[0], port: frame.port)]).count == 1)
        var over = parts[1]
        over.withUnsafeMutableBytes { buffer in
            buffer.baseAddress!.write(UInt16(0x2001), at: 20)
            buffer.baseAddress!.write(UInt16(0), at: 24)
            let header = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[14..<34])
            buffer.baseAddress!.write(Checksum.of(header), at: 24)
        }
        #expect(bench.raw([BoxFrame(over, port: frame.port)]).isEmpty)
        #expect(bench.drops == ["fragment 1"])
    }
}
