import Appliances
import Dataplane
import LabTime
import Testing
import VirtualNetwork
import Wire

/// How long mappings live. Source: RFC 4787, REQ-5 and REQ-6; RFC 5382, REQ-4 and REQ-5; RFC 5508, REQ-2; RFC 7857
@Suite struct NATTimeTests {
    private let out = "inside tcp 10.0.0.10:4000 > 203.0.113.5:80"
    private let back = "outside tcp 203.0.113.5:80 > 192.0.2.9:4000"

    /// Whether the mapping of 4000 lives: one second before its time, and one after.
    private func mappingLives(_ bench: NATBench, for seconds: Int) -> [Bool] {
        bench.pass(.seconds(seconds - 1))
        let before = bench.counter("nat.mappings") == 1
        bench.pass(.seconds(2))
        return [before, bench.counter("nat.mappings") == 1]
    }

    private func connected() -> NATBench {
        let bench = NATBench()
        bench.send("\(out) SYN")
        bench.send("\(back) SYN,ACK")
        bench.send("\(out) ACK")
        return bench
    }

    @Test func `UDP five minutes, a query one, and each packet of the inside puts it off`() {
        for (packet, seconds) in [
            ("inside udp 10.0.0.10:4000 > 203.0.113.5:53", 300),
            ("inside icmp 10.0.0.10 > 203.0.113.5 8/0 id 4000", 60),
        ] {
            let bench = NATBench()
            bench.send(packet)
            bench.pass(.seconds(seconds - 10))
            bench.send(packet)
            #expect(mappingLives(bench, for: seconds) == [true, false])
        }
    }

    @Test func `TCP four minutes while it opens or closes, two hours and four minutes between`() {
        let opening = NATBench()
        opening.send("\(out) SYN")
        #expect(mappingLives(opening, for: 240) == [true, false])
        #expect(mappingLives(connected(), for: 7440) == [true, false])
        let closing = connected()
        closing.send("\(out) FIN,ACK")
        #expect(mappingLives(closing, for: 240) == [true, false])
        let closed = connected()
        for packet in ["\(out) FIN,ACK", "\(back) FIN,ACK", "\(out) ACK"] { closed.send(packet) }
        #expect(mappingLives(closed, for: 240) == [true, false])
    }

    @Test func `a reset shortens to four minutes and never prolongs, and data prolongs again`() {
        let bench = connected()
        bench.send("\(back) RST")
        bench.pass(.seconds(200))
        #expect(bench.send("\(back) RST") == ["inside tcp 203.0.113.5:80 > 10.0.0.10:4000 RST"])
        #expect(mappingLives(bench, for: 40) == [true, false])
        let forged = connected()
        forged.send("\(back) RST")
        forged.pass(.seconds(200))
        forged.send("\(out) PSH,ACK")
        #expect(mappingLives(forged, for: 240) == [true, false])
        // A reset prolongs no session that is about to end anyway.
        let opening = NATBench()
        opening.send("\(out) SYN")
        opening.pass(.seconds(230))
        opening.send("\(back) RST,ACK")
        #expect(mappingLives(opening, for: 10) == [true, false])
    }

    @Test func `an error neither ends nor prolongs a mapping`() {
        let bench = NATBench()
        let sent = bench.raw([bench.frame("inside udp 10.0.0.10:4000 > 203.0.113.5:53")])[0].bytes
        bench.pass(.seconds(290))
        #expect(bench.sendError("3/3", from: "203.0.113.5", about: sent, on: "outside").count == 1)
        #expect(mappingLives(bench, for: 10) == [true, false])
    }

    @Test func `nobody outside keeps a mapping alive alone`() {
        let bench = NATBench()
        bench.send("inside udp 10.0.0.10:4000 > 203.0.113.5:53")
        for _ in 0..<29 {
            bench.pass(.seconds(10))
            #expect(bench.send("outside udp 198.51.100.66:1 > 192.0.2.9:4000").count == 1)
        }
        bench.pass(.seconds(11))
        // The session of the inside has ended; the stranger's own ends five minutes after its first packet.
        #expect(bench.counter("sessions") == 1)
        for _ in 0..<60 where bench.counter("nat.mappings") == 1 {
            bench.pass(.seconds(1))
            bench.send("outside udp 198.51.100.66:1 > 192.0.2.9:4000")
        }
        #expect(bench.counter("nat.mappings") == 0)
    }

    @Test func `an unsolicited SYN gets no answer for six seconds, then port unreachable`() {
        let bench = NATBench()
        #expect(bench.send("outside tcp 203.0.113.5:80 > 192.0.2.9:4000 SYN").isEmpty)
        #expect(bench.pass(.milliseconds(5900)).isEmpty)
        #expect(bench.send("outside tcp 203.0.113.5:80 > 192.0.2.9:4000 SYN").isEmpty)
        #expect(
            bench.pass(.milliseconds(200))
                == ["outside icmp 192.0.2.1 > 203.0.113.5 3/3 about tcp 203.0.113.5:80 > 192.0.2.9:4000"])
        #expect(bench.pass(.seconds(20)).isEmpty)
        // Nothing but a SYN is ever answered.
        bench.send("outside tcp 203.0.113.5:80 > 192.0.2.9:4000 SYN,ACK")
        bench.send("outside udp 203.0.113.5:80 > 192.0.2.9:4000")
        #expect(bench.pass(.seconds(20)).isEmpty)
    }

    @Test func `a SYN that the inside answers with its own within six seconds was no unsolicited one`() {
        let bench = NATBench([NATBench.pool("192.0.2.9", filtering: .addressAndPortDependent)])
        #expect(bench.send("\(back) SYN").isEmpty)
        bench.pass(.seconds(3))
        #expect(bench.send("\(out) SYN") == ["outside tcp 192.0.2.9:4000 > 203.0.113.5:80 SYN"])
        #expect(bench.pass(.seconds(10)).isEmpty)
        #expect(bench.counter("nat.unsolicited") == 0)
    }

    @Test func `more unsolicited SYNs than are remembered are dropped all the same`() {
        let bench = NATBench()
        for port in 1...200 { bench.send("outside tcp 203.0.113.5:\(port) > 192.0.2.9:4000 SYN") }
        #expect(bench.counter("nat.unsolicited") == 64)
        #expect(bench.counter("drop.no-mapping") == 200)
        #expect(bench.pass(.seconds(7)).count == 50 || bench.counter("icmp.suppressed") > 0)
    }

    @Test func `both sides open at once`() {
        let bench = NATBench([NATBench.pool("192.0.2.9", filtering: .addressAndPortDependent)])
        let (sent, got) = ("outside tcp 192.0.2.9:4000 > 203.0.113.5:80", "inside tcp 203.0.113.5:80 > 10.0.0.10:4000")
        NATRow.run(
            [
                NATRow("SYN out", "\(out) SYN", "\(sent) SYN"), NATRow("SYN in", "\(back) SYN", "\(got) SYN"),
                NATRow("SYN-ACK out", "\(out) SYN,ACK", "\(sent) SYN,ACK"),
                NATRow("SYN-ACK in", "\(back) SYN,ACK", "\(got) SYN,ACK"),
                NATRow("data", "\(out) PSH,ACK", "\(sent) PSH,ACK"),
            ], on: bench)
        #expect(mappingLives(bench, for: 7440) == [true, false])
    }
}
