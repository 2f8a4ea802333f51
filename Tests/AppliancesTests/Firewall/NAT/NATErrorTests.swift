import Appliances
import Dataplane
import LabTime
import Testing
import VirtualNetwork
import Wire

/// ICMP through a translator. Source: RFC 5508
@Suite struct NATErrorTests {
    private func one(_ bench: NATBench, _ text: String) -> [UInt8] {
        let out = bench.raw([bench.frame(text)])
        return out.first?.bytes ?? []
    }

    @Test func `queries of two hosts with one identifier are told apart`() {
        NATRow.run(
            [
                NATRow(
                    "echo request", "inside icmp 10.0.0.10 > 203.0.113.5 8/0 id 7",
                    "outside icmp 192.0.2.9 > 203.0.113.5 8/0 id 7"),
                NATRow(
                    "of another host", "inside icmp 10.0.0.11 > 203.0.113.5 8/0 id 7",
                    "outside icmp 192.0.2.9 > 203.0.113.5 8/0 id 1"),
                NATRow(
                    "its answer", "outside icmp 203.0.113.5 > 192.0.2.9 0/0 id 1",
                    "inside icmp 203.0.113.5 > 10.0.0.11 0/0 id 7"),
                NATRow(
                    "the first one's answer", "outside icmp 203.0.113.5 > 192.0.2.9 0/0 id 7",
                    "inside icmp 203.0.113.5 > 10.0.0.10 0/0 id 7"),
                NATRow(
                    "to another host: the same mapping", "inside icmp 10.0.0.11 > 198.51.100.7 8/0 id 7",
                    "outside icmp 192.0.2.9 > 198.51.100.7 8/0 id 1"),
                NATRow(
                    "an answer nobody asked for", "outside icmp 203.0.113.5 > 192.0.2.9 0/0 id 8",
                    drops: ["no-session 1"]),
                NATRow(
                    "a question from outside", "outside icmp 203.0.113.99 > 192.0.2.9 8/0 id 7",
                    drops: ["no-session 1", "no-mapping 1"]),
                NATRow(
                    "timestamp request", "inside icmp 10.0.0.10 > 203.0.113.5 13/0 id 9",
                    "outside icmp 192.0.2.9 > 203.0.113.5 13/0 id 9", drops: ["no-session 1", "no-mapping 1"]),
                NATRow(
                    "its answer", "outside icmp 203.0.113.5 > 192.0.2.9 14/0 id 9",
                    "inside icmp 203.0.113.5 > 10.0.0.10 14/0 id 9", drops: ["no-session 1", "no-mapping 1"]),
            ], on: NATBench())
    }

    @Test(arguments: ["tcp", "udp", "icmp"])
    func `an error from outside reaches the inside host and quotes what that one sent`(proto: String) {
        let bench = NATBench()
        let texts = [
            "tcp": "inside tcp 10.0.0.11:5000 > 203.0.113.5:80 SYN",
            "udp": "inside udp 10.0.0.11:5000 > 203.0.113.5:80",
            "icmp": "inside icmp 10.0.0.11 > 203.0.113.5 8/0 id 5000",
        ]
        // The mapping differs from the host's own port.
        bench.send(texts[proto]!.split(separator: "10.0.0.11").joined(separator: "10.0.0.10"))
        let sent = one(bench, texts[proto]!)
        let about =
            proto == "icmp"
            ? "icmp 10.0.0.11 > 203.0.113.5 id 5000" : "\(proto) 10.0.0.11:5000 > 203.0.113.5:80"
        for (kind, quoting) in [("11/0", 60), ("3/1", 28), ("3/4", 40), ("12/0", 60)] {
            #expect(
                bench.sendError(kind, from: "198.51.100.1", about: sent, on: "outside", quoting: quoting) == [
                    "inside icmp 198.51.100.1 > 10.0.0.11 \(kind) about \(about)"
                ], "\(kind) quoting \(quoting) bytes")
        }
        #expect(bench.counter("icmp.translated") == 4)
    }

    @Test func `the quoted transport checksum is that of the packet which the host sent`() {
        let bench = NATBench()
        bench.send("inside udp 10.0.0.10:5000 > 203.0.113.5:80")
        let original = bench.frame("inside udp 10.0.0.11:5000 > 203.0.113.5:80")
        let sent = bench.raw([original])[0].bytes
        var quote = Array(sent[14...])
        // A router on the way has lowered the time to live, and corrected the header's checksum.
        quote[8] -= 5
        quote.withUnsafeMutableBytes { buffer in
            buffer.baseAddress!.write(UInt16(0), at: 10)
            buffer.baseAddress!.write(
                Checksum.of(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<20])), at: 10)
        }
        let out = bench.raw([bench.frame("outside icmp 203.0.113.5 > 192.0.2.9 3/3", payload: quote)])
        #expect(out.count == 1)
        let got = Array(out[0].bytes[42...])
        #expect(Array(got[12...]) == Array(original.bytes[26...]))
        #expect(got[8] == original.bytes[22] - 6)
    }

    @Test func `an error from inside leaves in the name of the external address`() {
        let bench = NATBench()
        bench.send("inside udp 10.0.0.10:5000 > 203.0.113.5:53")
        bench.send("inside udp 10.0.0.11:5000 > 203.0.113.5:53")
        let answer = one(bench, "outside udp 203.0.113.5:53 > 192.0.2.9:1024")
        let about = "about udp 203.0.113.5:53 > 192.0.2.9:1024"
        #expect(
            bench.sendError("3/3", from: "10.0.0.11", about: answer, on: "inside")
                == ["outside icmp 192.0.2.9 > 203.0.113.5 3/3 \(about)"])
        // A router between the box and the host has no external address of its own.
        #expect(
            bench.sendError("11/0", from: "10.0.0.99", about: answer, on: "inside")
                == ["outside icmp 192.0.2.9 > 203.0.113.5 11/0 \(about)"])
    }

    @Test func `an error about a hairpinned packet reaches its sender and quotes the external destination`() {
        let bench = NATBench()
        bench.send("inside udp 10.0.0.11:6000 > 203.0.113.5:53")
        let sent = one(bench, "inside udp 10.0.0.10:5000 > 192.0.2.9:6000")
        #expect(
            bench.sendError("3/3", from: "10.0.0.11", about: sent, on: "inside")
                == ["inside icmp 192.0.2.9 > 10.0.0.10 3/3 about udp 10.0.0.10:5000 > 192.0.2.9:6000"])
    }

    @Test func `an error that is damaged, or about nothing that left, is dropped`() {
        let bench = NATBench()
        let sent = one(bench, "inside udp 10.0.0.10:5000 > 203.0.113.5:53")
        #expect(bench.sendError("3/3", from: "203.0.113.5", about: sent, on: "outside") { $0[4] ^= 1 }.isEmpty)
        #expect(bench.drops == ["malformed-transport 1"])
        var frame = bench.frame("outside icmp 203.0.113.5 > 192.0.2.9 3/3", payload: Array(sent[14...]))
        frame.bytes[36] ^= 1
        #expect(bench.raw([frame]).isEmpty)
        #expect(bench.drops == ["malformed-transport 2"])
        #expect(bench.sendError("3/3", from: "203.0.113.5", about: sent, on: "outside", quoting: 24).isEmpty)
        // Another port than the mapping's, with a right checksum.
        let stranger = bench.frame("outside udp 192.0.2.9:5001 > 203.0.113.5:53").bytes
        #expect(bench.sendError("3/3", from: "203.0.113.5", about: stranger, on: "outside").isEmpty)
        #expect(bench.counter("drop.no-session") == 2)
    }

    @Test func `an error that the box itself sends quotes the packet as its sender knows it`() {
        let bench = NATBench()
        #expect(
            bench.send("inside udp 10.0.0.10:5000 > 203.0.113.5:53", timeToLive: 1)
                == ["inside icmp 10.0.0.1 > 10.0.0.10 11/0 about udp 10.0.0.10:5000 > 203.0.113.5:53"])
        #expect(
            bench.send("outside udp 203.0.113.5:53 > 192.0.2.9:5000", timeToLive: 1)
                == ["outside icmp 192.0.2.1 > 203.0.113.5 11/0 about udp 203.0.113.5:53 > 192.0.2.9:5000"])
    }
}
