import Appliances
import Dataplane
import LabEvents
import LabTime
import Testing
import Wire

@Suite struct NATTableTests {
    @Test func `a TCP connection from SYN to FIN keeps one external endpoint`() {
        let bench = NATBench()
        let (out, sent) = (
            "inside tcp 10.0.0.10:40001 > 203.0.113.5:80", "outside tcp 192.0.2.9:40001 > 203.0.113.5:80"
        )
        let (back, got) = (
            "outside tcp 203.0.113.5:80 > 192.0.2.9:40001", "inside tcp 203.0.113.5:80 > 10.0.0.10:40001"
        )
        NATRow.run(
            [
                NATRow("SYN", "\(out) SYN", "\(sent) SYN"), NATRow("again", "\(out) SYN", "\(sent) SYN"),
                NATRow("SYN-ACK", "\(back) SYN,ACK", "\(got) SYN,ACK"), NATRow("ACK", "\(out) ACK", "\(sent) ACK"),
                NATRow("data", "\(back) PSH,ACK", "\(got) PSH,ACK"), NATRow("FIN", "\(out) FIN,ACK", "\(sent) FIN,ACK"),
                NATRow("FIN", "\(back) FIN,ACK", "\(got) FIN,ACK"), NATRow("last ACK", "\(out) ACK", "\(sent) ACK"),
                NATRow(
                    "a stranger's port is nobody's", "outside tcp 203.0.113.5:80 > 192.0.2.9:40003 ACK",
                    drops: ["no-session 1"]),
            ], on: bench)
        #expect(bench.counter("nat.granted") == 1)
        #expect(bench.counter("nat.preserved") == 1)
    }

    @Test func `the mapping of an inside endpoint is the same towards everybody`() {
        NATRow.run(
            [
                NATRow(
                    "one host", "inside udp 10.0.0.10:5000 > 203.0.113.5:53",
                    "outside udp 192.0.2.9:5000 > 203.0.113.5:53"),
                NATRow(
                    "another port", "inside udp 10.0.0.10:5000 > 203.0.113.5:99",
                    "outside udp 192.0.2.9:5000 > 203.0.113.5:99"),
                NATRow(
                    "another host", "inside udp 10.0.0.10:5000 > 198.51.100.7:53",
                    "outside udp 192.0.2.9:5000 > 198.51.100.7:53"),
                NATRow(
                    "TCP has a mapping of its own", "inside tcp 10.0.0.10:5000 > 203.0.113.5:53 SYN",
                    "outside tcp 192.0.2.9:5000 > 203.0.113.5:53 SYN"),
            ], on: NATBench())
    }

    @Test func `two hosts with one port get two of the same parity, and privileged ports stay privileged`() {
        NATRow.run(
            [
                NATRow(
                    "first come", "inside udp 10.0.0.10:5004 > 203.0.113.5:53",
                    "outside udp 192.0.2.9:5004 > 203.0.113.5:53"),
                NATRow(
                    "second: even as its own", "inside udp 10.0.0.11:5004 > 203.0.113.5:53",
                    "outside udp 192.0.2.9:1024 > 203.0.113.5:53"),
                NATRow(
                    "odd", "inside udp 10.0.0.10:5005 > 203.0.113.5:53", "outside udp 192.0.2.9:5005 > 203.0.113.5:53"),
                NATRow(
                    "second: odd", "inside udp 10.0.0.11:5005 > 203.0.113.5:53",
                    "outside udp 192.0.2.9:1025 > 203.0.113.5:53"),
                NATRow(
                    "privileged", "inside udp 10.0.0.10:500 > 203.0.113.5:500",
                    "outside udp 192.0.2.9:500 > 203.0.113.5:500"),
                NATRow(
                    "privileged and taken", "inside udp 10.0.0.11:500 > 203.0.113.5:500",
                    "outside udp 192.0.2.9:2 > 203.0.113.5:500"),
            ], on: NATBench())
    }

    @Test(arguments: NATPool.Filtering.allCases)
    func `filtering lets in whom the setting says`(filtering: NATPool.Filtering) {
        let bench = NATBench([NATBench.pool("192.0.2.9", filtering: filtering)])
        bench.send("inside udp 10.0.0.10:5000 > 203.0.113.5:53")
        let inside = "> 10.0.0.10:5000"
        let answer = bench.send("outside udp 203.0.113.5:53 > 192.0.2.9:5000")
        let samePlace = bench.send("outside udp 203.0.113.5:99 > 192.0.2.9:5000")
        let stranger = bench.send("outside udp 198.51.100.7:53 > 192.0.2.9:5000")
        #expect(answer == ["inside udp 203.0.113.5:53 \(inside)"])
        #expect(samePlace == (filtering == .addressAndPortDependent ? [] : ["inside udp 203.0.113.5:99 \(inside)"]))
        #expect(stranger == (filtering == .endpointIndependent ? ["inside udp 198.51.100.7:53 \(inside)"] : []))
        let refused = [NATPool.Filtering.endpointIndependent: 0, .addressDependent: 1, .addressAndPortDependent: 2]
        #expect(bench.counter("drop.mapping-filter") == UInt64(refused[filtering]!))
        // What came in is answered through the same mapping, whatever let it in.
        if filtering == .endpointIndependent {
            #expect(
                bench.send("inside udp 10.0.0.10:5000 > 198.51.100.7:53") == [
                    "outside udp 192.0.2.9:5000 > 198.51.100.7:53"
                ])
        }
        // A contact ends with its sessions.
        bench.pass(.seconds(301))
        #expect(bench.send("outside udp 203.0.113.5:99 > 192.0.2.9:5000").isEmpty)
        #expect(bench.counter("nat.mappings") == 0)
    }

    @Test(arguments: NATPool.Filtering.allCases)
    func `two hosts behind the box reach each other by their external endpoints`(filtering: NATPool.Filtering) {
        let bench = NATBench([NATBench.pool("192.0.2.9", filtering: filtering)])
        bench.send("inside udp 10.0.0.11:6000 > 203.0.113.5:53")
        let first = bench.send("inside udp 10.0.0.10:5000 > 192.0.2.9:6000")
        let answer = bench.send("inside udp 10.0.0.11:6000 > 192.0.2.9:5000")
        let again = bench.send("inside udp 10.0.0.10:5000 > 192.0.2.9:6000")
        let isOpen = filtering == .endpointIndependent
        #expect(first == (isOpen ? ["inside udp 192.0.2.9:5000 > 10.0.0.11:6000"] : []))
        // Let in or not, it lets answers in: both have sent to the other's external endpoint then.
        #expect(answer == ["inside udp 192.0.2.9:6000 > 10.0.0.10:5000"])
        #expect(again == ["inside udp 192.0.2.9:5000 > 10.0.0.11:6000"])
        bench.pass(.seconds(302))
        #expect(bench.counter("nat.mappings") == 0 && bench.counter("sessions") == 0)
    }

    @Test func `a hairpinned TCP connection`() {
        let bench = NATBench()
        bench.send("inside tcp 10.0.0.11:80 > 203.0.113.5:9999 SYN")
        NATRow.run(
            [
                NATRow(
                    "SYN", "inside tcp 10.0.0.10:4000 > 192.0.2.9:80 SYN",
                    "inside tcp 192.0.2.9:4000 > 10.0.0.11:80 SYN"),
                NATRow(
                    "SYN-ACK", "inside tcp 10.0.0.11:80 > 192.0.2.9:4000 SYN,ACK",
                    "inside tcp 192.0.2.9:80 > 10.0.0.10:4000 SYN,ACK"),
                NATRow(
                    "ACK", "inside tcp 10.0.0.10:4000 > 192.0.2.9:80 ACK",
                    "inside tcp 192.0.2.9:4000 > 10.0.0.11:80 ACK"),
            ], on: bench)
    }

    @Test func `a host reaches itself by its own external endpoint`() {
        let bench = NATBench()
        bench.send("inside udp 10.0.0.10:5000 > 203.0.113.5:53")
        let sent = bench.send("inside udp 10.0.0.10:5000 > 192.0.2.9:5000")
        #expect(sent == ["inside udp 192.0.2.9:5000 > 10.0.0.10:5000"])
        let again = bench.send("inside udp 10.0.0.10:5000 > 192.0.2.9:5000")
        #expect(again == sent)
        bench.pass(.seconds(301))
        #expect(bench.counter("nat.mappings") == 0 && bench.counter("sessions") == 0)
    }

    @Test func `rules choose the pool, and none`() {
        let bench = NATBench(
            [NATBench.pool("192.0.2.9"), NATBench.pool("192.0.2.10", name: "web")],
            rules: [
                NATBench.rule(to: "192.0.2.77/32", pool: nil),
                NATBench.rule(only: .tcp, ports: 80...443, pool: "web"),
                NATBench.rule("10.0.0.0/28"),
            ])
        NATRow.run(
            [
                NATRow(
                    "exempt", "inside udp 10.0.0.10:5000 > 192.0.2.77:53", "outside udp 10.0.0.10:5000 > 192.0.2.77:53"),
                NATRow(
                    "by protocol and port", "inside tcp 10.0.0.10:5000 > 203.0.113.5:80 SYN",
                    "outside tcp 192.0.2.10:5000 > 203.0.113.5:80 SYN"),
                NATRow(
                    "the rest", "inside tcp 10.0.0.10:5000 > 203.0.113.5:22 SYN",
                    "outside tcp 192.0.2.9:5000 > 203.0.113.5:22 SYN"),
                NATRow(
                    "outside the rule's network", "inside udp 10.0.0.200:5000 > 203.0.113.5:53",
                    "outside udp 10.0.0.200:5000 > 203.0.113.5:53"),
            ], on: bench)
    }

    @Test func `an inside address keeps its external address while ports last, and gets none of another then`() {
        let addresses = ["192.0.2.9", "192.0.2.10"]
        for pooling in NATPool.Pooling.allCases {
            let bench = NATBench([
                NATPool(
                    name: "internet", addresses: addresses.map { IPv4Address($0)! }, ports: 2000...2001,
                    pooling: pooling)
            ])
            // 10.0.0.10 is the 167772170th address: even, the first of two.
            let sent = (0..<3).map { bench.send("inside udp 10.0.0.10:\(5000 + $0) > 203.0.113.5:53") }
            #expect(sent[0] == ["outside udp 192.0.2.9:2000 > 203.0.113.5:53"])
            #expect(sent[1] == ["outside udp 192.0.2.9:2001 > 203.0.113.5:53"])
            #expect(
                sent[2]
                    == (pooling == .paired
                        ? ["inside icmp 10.0.0.1 > 10.0.0.10 3/13 about udp 10.0.0.10:5002 > 203.0.113.5:53"]
                        : ["outside udp 192.0.2.10:2000 > 203.0.113.5:53"]))
            #expect(
                bench.send("inside udp 10.0.0.11:6000 > 203.0.113.5:53")
                    == ["outside udp 192.0.2.10:\(pooling == .paired ? 2000 : 2001) > 203.0.113.5:53"])
        }
    }

    @Test func `an exhausted pool refuses with administratively prohibited, tells it, and keeps who is there`() throws {
        let bench = NATBench([NATBench.pool("192.0.2.9", ports: 2000...2001)])
        bench.send("inside udp 10.0.0.10:5000 > 203.0.113.5:53")
        bench.send("inside tcp 10.0.0.10:5000 > 203.0.113.5:53 SYN")
        bench.send("inside udp 10.0.0.10:5001 > 203.0.113.5:53")
        for count in 1...3 {
            #expect(
                bench.send("inside udp 10.0.0.11:6000 > 203.0.113.5:53")
                    == ["inside icmp 10.0.0.1 > 10.0.0.11 3/13 about udp 10.0.0.11:6000 > 203.0.113.5:53"])
            #expect(bench.drops == ["translation-ports-exhausted \(count)"])
        }
        #expect(bench.counter("nat.exhausted") == 3)
        let told = bench.events.filter { $0.kind == .natPoolExhausted }
        #expect(told.count == 1)
        #expect(try #require(told.first).details[.pool] == "internet")
        // Those that are there go on, and towards others too.
        #expect(
            bench.send("inside udp 10.0.0.10:5001 > 198.51.100.7:53") == [
                "outside udp 192.0.2.9:2001 > 198.51.100.7:53"
            ])
        bench.pass(.seconds(301))
        #expect(
            bench.send("inside udp 10.0.0.11:6000 > 203.0.113.5:53") == ["outside udp 192.0.2.9:2000 > 203.0.113.5:53"])
    }

    @Test func `a full session table refuses with administratively prohibited, and no pool is called exhausted`() {
        let bench = NATBench(sessionCapacity: 2)
        bench.send("inside udp 10.0.0.10:5000 > 203.0.113.5:53")
        bench.send("inside udp 10.0.0.10:5001 > 203.0.113.5:53")
        for (count, from) in [(1, "10.0.0.11:6000"), (2, "10.0.0.10:5000")] {
            // Another mapping, and another session of a mapping that is there.
            #expect(
                bench.send("inside udp \(from) > 198.51.100.7:53") == [
                    "inside icmp 10.0.0.1 > \(from.split(separator: ":")[0]) 3/13 about udp \(from) > 198.51.100.7:53"
                ])
            #expect(bench.drops == ["flow-table-full \(count)"])
        }
        #expect(bench.counter("nat.exhausted") == 0 && bench.counter("nat.mappings") == 2)
        #expect(bench.events.allSatisfy { $0.kind != .natPoolExhausted })
        #expect(
            bench.send("inside udp 10.0.0.10:5001 > 203.0.113.5:53") == ["outside udp 192.0.2.9:5001 > 203.0.113.5:53"])
    }

    @Test func `an address of a pool is answered for in its network alone, and packets for it never loop`() {
        let bench = NATBench([NATBench.pool("192.0.2.9", "198.18.0.1")])
        #expect(
            bench.arp(.request, NATBench.router, for: IPv4Address(192, 0, 2, 9), on: 0)
                == ["outside arp 192.0.2.9 is-at \(NATBench.mac(0))"])
        #expect(bench.arp(.request, IPv4Address(10, 0, 0, 10), for: IPv4Address(192, 0, 2, 9), on: 1).isEmpty)
        #expect(bench.arp(.request, NATBench.router, for: IPv4Address(198, 18, 0, 1), on: 0).isEmpty)
        NATRow.run(
            [
                NATRow("nobody's port", "outside udp 203.0.113.5:53 > 192.0.2.9:7", drops: ["no-mapping 1"]),
                NATRow("of a routed address", "outside udp 203.0.113.5:53 > 198.18.0.1:7", drops: ["no-mapping 2"]),
                NATRow("from inside", "inside udp 10.0.0.200:53 > 198.18.0.1:7", drops: ["no-mapping 3"]),
                NATRow(
                    "a mapping of the routed address", "inside udp 10.0.0.11:5000 > 203.0.113.5:53",
                    "outside udp 198.18.0.1:5000 > 203.0.113.5:53", drops: ["no-mapping 3"]),
                NATRow(
                    "and back", "outside udp 203.0.113.5:53 > 198.18.0.1:5000",
                    "inside udp 203.0.113.5:53 > 10.0.0.11:5000", drops: ["no-mapping 3"]),
            ], on: bench)
        #expect(bench.counter("nat.mappings") == 1)
    }

    @Test func `a pool with the interface's own address leaves to the host what no mapping is for`() {
        let bench = NATBench([NATBench.pool("192.0.2.1", ports: NATPool.besideHost)])
        NATRow.run(
            [
                NATRow(
                    "out", "inside tcp 10.0.0.10:40001 > 203.0.113.5:80 SYN",
                    "outside tcp 192.0.2.1:1025 > 203.0.113.5:80 SYN"),
                NATRow(
                    "and back", "outside tcp 203.0.113.5:80 > 192.0.2.1:1025 SYN,ACK",
                    "inside tcp 203.0.113.5:80 > 10.0.0.10:40001 SYN,ACK"),
                NATRow(
                    "a connection of the host", "outside tcp 203.0.113.5:80 > 192.0.2.1:40001 SYN,ACK",
                    "host:outside tcp 203.0.113.5:80 > 192.0.2.1:40001 SYN,ACK"),
                NATRow(
                    "a service of the host", "outside tcp 203.0.113.5:5000 > 192.0.2.1:179 SYN",
                    "host:outside tcp 203.0.113.5:5000 > 192.0.2.1:179 SYN"),
                NATRow(
                    "a ping of the box", "outside icmp 203.0.113.5 > 192.0.2.1 8/0 id 9",
                    "host:outside icmp 203.0.113.5 > 192.0.2.1 8/0 id 9"),
            ], on: bench)
    }

    @Test func `a protocol without ports is translated for one inside address at a time`() {
        NATRow.run(
            [
                NATRow("GRE", "inside ip47 10.0.0.10 > 203.0.113.5", "outside gre 192.0.2.9 > 203.0.113.5"),
                NATRow("back", "outside ip47 203.0.113.5 > 192.0.2.9", "inside gre 203.0.113.5 > 10.0.0.10"),
                NATRow(
                    "of another host", "inside ip47 10.0.0.11 > 203.0.113.5",
                    "inside icmp 10.0.0.1 > 10.0.0.11 3/13 about gre 10.0.0.11 > 203.0.113.5",
                    drops: ["translation-ports-exhausted 1"]),
                NATRow(
                    "another protocol", "inside ip50 10.0.0.11 > 203.0.113.5", "outside ip50 192.0.2.9 > 203.0.113.5",
                    drops: ["translation-ports-exhausted 1"]),
            ], on: NATBench())
    }

    @Test func `two ways to one inside host are not mixed up`() {
        let bench = NATBench()
        bench.send("inside udp 10.0.0.11:6000 > 203.0.113.5:53")
        bench.send("inside udp 10.0.0.10:5000 > 192.0.2.9:6000")
        // Translated alike, but asked by another name: its answers could not be told from those of the first.
        #expect(bench.send("inside udp 10.0.0.10:5000 > 10.0.0.11:6000").isEmpty)
        #expect(bench.drops == ["flow-conflict 1"])
    }
}
