import Appliances
import Dataplane
import LabTime
import Testing
import Wire

/// ICMP through a translator. Source: RFC 5508
@Suite struct NATErrorTests {
    private func one(_ bench: NATBench, _ text: String) -> [UInt8] {
        let out = bench.raw([bench.frame(text)])
        return out.first?.2 ?? []
    }

    @Test func `queries of two hosts with one identifier are told apart`() {
        NATRow.run(
            [
                NATRow(
                    "echo request", "inside icmp 8/0 10.0.0.10 > 203.0.113.5 id 7",
                    "outside icmp 8/0 192.0.2.9 > 203.0.113.5 id 7"),
                NATRow(
                    "of another host", "inside icmp 8/0 10.0.0.11 > 203.0.113.5 id 7",
                    "outside icmp 8/0 192.0.2.9 > 203.0.113.5 id 1"),
                NATRow(
                    "its answer", "outside icmp 0/0 203.0.113.5 > 192.0.2.9 id 1",
                    "inside icmp 0/0 203.0.113.5 > 10.0.0.11 id 7"),
                NATRow(
                    "the first one's answer", "outside icmp 0/0 203.0.113.5 > 192.0.2.9 id 7",
                    "inside icmp 0/0 203.0.113.5 > 10.0.0.10 id 7"),
                NATRow(
                    "to another host: the same mapping", "inside icmp 8/0 10.0.0.11 > 198.51.100.7 id 7",
                    "outside icmp 8/0 192.0.2.9 > 198.51.100.7 id 1"),
                NATRow(
                    "an answer nobody asked for", "outside icmp 0/0 203.0.113.5 > 192.0.2.9 id 8",
                    drops: ["no-session 1"]),
                NATRow(
                    "a question from outside", "outside icmp 8/0 203.0.113.99 > 192.0.2.9 id 7",
                    drops: ["no-session 1", "no-mapping 1"]),
                NATRow(
                    "timestamp request", "inside icmp 13/0 10.0.0.10 > 203.0.113.5 id 9",
                    "outside icmp 13/0 192.0.2.9 > 203.0.113.5 id 9", drops: ["no-session 1", "no-mapping 1"]),
                NATRow(
                    "its answer", "outside icmp 14/0 203.0.113.5 > 192.0.2.9 id 9",
                    "inside icmp 14/0 203.0.113.5 > 10.0.0.10 id 9", drops: ["no-session 1", "no-mapping 1"]),
            ], on: NATBench())
    }

    @Test(arguments: ["tcp", "udp", "icmp"])
    func `an error from outside reaches the inside host and quotes what that one sent`(proto: String) {
        let bench = NATBench()
        let texts = [
            "tcp": "inside tcp 10.0.0.11:5000 > 203.0.113.5:80 SYN",
            "udp": "inside udp 10.0.0.11:5000 > 203.0.113.5:80",
            "icmp": "inside icmp 8/0 10.0.0.11 > 203.0.113.5 id 5000",
        ]
        // The mapping differs from the host's own port.
        bench.send(texts[proto]!.split(separator: "10.0.0.11").joined(separator: "10.0.0.10"))
        let sent = one(bench, texts[proto]!)
        let ports = proto == "icmp" ? (5000, 5000) : (5000, 80)
        for (kind, quoting) in [("11/0", 60), ("3/1", 28), ("3/4", 40), ("12/0", 60)] {
            #expect(
                bench.sendError(kind, from: "198.51.100.1", about: sent, on: "outside", quoting: quoting) == [
                    "inside icmp \(kind) 198.51.100.1 > 10.0.0.11 about \(proto) 10.0.0.11:\(ports.0) > 203.0.113.5:\(ports.1)"
                ], "\(kind) quoting \(quoting) bytes")
        }
        #expect(bench.counter("icmp.translated") == 4)
    }

    @Test func `the quoted transport checksum is that of the packet which the host sent`() {
        let bench = NATBench()
        bench.send("inside udp 10.0.0.10:5000 > 203.0.113.5:80")
        let (original, port) = bench.frame("inside udp 10.0.0.11:5000 > 203.0.113.5:80")
        let sent = bench.raw([(original, port)])[0].2
        var quote = Array(sent[14...])
        // A router on the way has lowered the time to live, and corrected the header's checksum.
        quote[8] -= 5
        quote.withUnsafeMutableBytes { buffer in
            buffer.baseAddress!.write(UInt16(0), at: 10)
            buffer.baseAddress!.write(
                Checksum.of(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<20])), at: 10)
        }
        let out = bench.raw([bench.frame("outside icmp 3/3 203.0.113.5 > 192.0.2.9", payload: quote)])
        #expect(out.count == 1)
        let got = Array(out[0].2[42...])
        #expect(Array(got[12...]) == Array(original[26...]))
        #expect(got[8] == original[22] - 6)
    }

    @Test func `an error from inside leaves in the name of the external address`() {
        let bench = NATBench()
        bench.send("inside udp 10.0.0.10:5000 > 203.0.113.5:53")
        bench.send("inside udp 10.0.0.11:5000 > 203.0.113.5:53")
        let answer = one(bench, "outside udp 203.0.113.5:53 > 192.0.2.9:1024")
        let about = "about udp 203.0.113.5:53 > 192.0.2.9:1024"
        #expect(
            bench.sendError("3/3", from: "10.0.0.11", about: answer, on: "inside")
                == ["outside icmp 3/3 192.0.2.9 > 203.0.113.5 \(about)"])
        // A router between the box and the host has no external address of its own.
        #expect(
            bench.sendError("11/0", from: "10.0.0.99", about: answer, on: "inside")
                == ["outside icmp 11/0 192.0.2.9 > 203.0.113.5 \(about)"])
    }

    @Test func `an error about a hairpinned packet reaches its sender and quotes the external destination`() {
        let bench = NATBench()
        bench.send("inside udp 10.0.0.11:6000 > 203.0.113.5:53")
        let sent = one(bench, "inside udp 10.0.0.10:5000 > 192.0.2.9:6000")
        #expect(
            bench.sendError("3/3", from: "10.0.0.11", about: sent, on: "inside")
                == ["inside icmp 3/3 192.0.2.9 > 10.0.0.10 about udp 10.0.0.10:5000 > 192.0.2.9:6000"])
    }

    @Test func `an error that is damaged, or about nothing that left, is dropped`() {
        let bench = NATBench()
        let sent = one(bench, "inside udp 10.0.0.10:5000 > 203.0.113.5:53")
        #expect(bench.sendError("3/3", from: "203.0.113.5", about: sent, on: "outside") { $0[4] ^= 1 }.isEmpty)
        #expect(bench.drops == ["malformed-transport 1"])
        var (frame, port) = bench.frame("outside icmp 3/3 203.0.113.5 > 192.0.2.9", payload: Array(sent[14...]))
        frame[36] ^= 1
        #expect(bench.raw([(frame, port)]).isEmpty)
        #expect(bench.drops == ["malformed-transport 2"])
        #expect(bench.sendError("3/3", from: "203.0.113.5", about: sent, on: "outside", quoting: 24).isEmpty)
        // Another port than the mapping's, with a right checksum.
        let stranger = bench.frame("outside udp 192.0.2.9:5001 > 203.0.113.5:53").0
        #expect(bench.sendError("3/3", from: "203.0.113.5", about: stranger, on: "outside").isEmpty)
        #expect(bench.counter("drop.no-session") == 2)
    }

    @Test func `an error that the box itself sends quotes the packet as its sender knows it`() {
        let bench = NATBench()
        #expect(
            bench.send("inside udp 10.0.0.10:5000 > 203.0.113.5:53", timeToLive: 1)
                == ["inside icmp 11/0 10.0.0.1 > 10.0.0.10 about udp 10.0.0.10:5000 > 203.0.113.5:53"])
        #expect(
            bench.send("outside udp 203.0.113.5:53 > 192.0.2.9:5000", timeToLive: 1)
                == ["outside icmp 11/0 192.0.2.1 > 203.0.113.5 about udp 203.0.113.5:53 > 192.0.2.9:5000"])
    }
}
