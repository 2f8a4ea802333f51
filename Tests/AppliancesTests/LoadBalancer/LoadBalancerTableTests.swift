import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import Testing
import Wire

/// Description, packet in, packets out, drops so far.
private struct Row {
    let description: String
    let packet: String
    let out: [String]
    let drops: [String]

    init(_ description: String, _ packet: String, _ out: [String] = [], drops: [String] = []) {
        self.description = description
        self.packet = packet
        self.out = out
        self.drops = drops
    }
}

@Suite struct LoadBalancerTableTests {
    private func run(_ bench: BalancerBench, _ rows: [Row]) {
        for row in rows {
            #expect(bench.send(row.packet) == row.out, "\(row.description)")
            #expect(bench.drops == row.drops, "\(row.description)")
        }
    }

    @Test func `a TCP fast path from SYN to FIN without source translation`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, members: 1))
        let toMember = "servers lb.servers>b1 tcp 192.0.2.50:40000 > 203.0.113.21:8080"
        let toClient = "inside lb.inside>fw-a tcp 198.51.100.100:80 > 192.0.2.50:40000"
        let fromClient = "inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80"
        let fromMember = "servers b1>lb.servers tcp 203.0.113.21:8080 > 192.0.2.50:40000"
        run(
            bench,
            [
                Row("SYN opens the session", "\(fromClient) SYN", ["\(toMember) SYN"]),
                Row("its retransmission is carried too", "\(fromClient) SYN", ["\(toMember) SYN"]),
                Row("SYN-ACK", "\(fromMember) SYN,ACK", ["\(toClient) SYN,ACK"]),
                Row("data", "\(fromClient) PSH,ACK", ["\(toMember) PSH,ACK"]),
                Row("client finishes", "\(fromClient) FIN,ACK", ["\(toMember) FIN,ACK"]),
                Row("member still sends", "\(fromMember) PSH,ACK", ["\(toClient) PSH,ACK"]),
                Row("member finishes", "\(fromMember) FIN,ACK", ["\(toClient) FIN,ACK"]),
                Row("last ACK", "\(fromClient) ACK", ["\(toMember) ACK"]),
            ])
        #expect(bench.counter("flows") == 1)
        _ = bench.pass(.milliseconds(900))
        #expect(bench.counter("flows") == 1)
        _ = bench.pass(.milliseconds(200))
        #expect(bench.counter("flows") == 0)
        #expect(bench.counter("flows.closed") == 1)
        #expect(bench.counter("service.web.packets-to-members") == 5)
        #expect(bench.counter("service.web.packets-to-clients") == 3)
        run(
            bench,
            [
                Row("afterwards the client is a stranger", "\(fromClient) ACK", drops: ["not-syn 1"]),
                Row("and so is the member", "\(fromMember) ACK", drops: ["no-flow 1", "not-syn 1"]),
            ])
    }

    @Test func `auto-map gives the member the balancer's address and a port, and the client sees only the service`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, translation: .autoMap, members: 1), seed: 5)
        let out = bench.send("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN")
        #expect(out.count == 1)
        let words = out[0].split(separator: " ").map(String.init)
        let source = words[3].split(separator: ":")
        #expect(source[0] == "203.0.113.10")
        let port = UInt16(source[1])!
        #expect((10240...32767).contains(port))
        run(
            bench,
            [
                Row(
                    "answer", "servers b1>lb.servers tcp 203.0.113.21:8080 > 203.0.113.10:\(port) SYN,ACK",
                    ["inside lb.inside>fw-a tcp 198.51.100.100:80 > 192.0.2.50:40000 SYN,ACK"]),
                Row(
                    "an answer to the host side's own port",
                    "servers b1>lb.servers tcp 203.0.113.21:8080 > 203.0.113.10:50000 ACK",
                    ["host:servers b1>lb.servers tcp 203.0.113.21:8080 > 203.0.113.10:50000 ACK"]),
            ])
    }

    @Test func `what is not for the box or no session's is dropped and counted`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        run(
            bench,
            [
                Row(
                    "flooded by the switch", "inside fw-a>stranger tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN",
                    drops: ["not-for-us 1"]),
                Row(
                    "in mid-stream", "inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 PSH,ACK",
                    drops: ["not-for-us 1", "not-syn 1"]),
                Row(
                    "SYN-ACK opens nothing", "inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN,ACK",
                    drops: ["not-for-us 1", "not-syn 2"]),
                Row(
                    "for somebody else", "inside fw-a>lb.inside tcp 192.0.2.50:40000 > 203.0.113.21:8080 SYN",
                    drops: ["not-for-us 1", "not-a-router 1", "not-syn 2"]),
                Row(
                    "broadcast", "inside fw-a>all udp 192.0.2.50:40000 > 198.51.100.255:53",
                    drops: ["not-for-us 1", "multicast 1", "not-a-router 1", "not-syn 2"]),
                Row(
                    "from the box's own address",
                    "inside fw-a>lb.inside tcp 198.51.100.10:40000 > 198.51.100.100:80 SYN",
                    drops: ["not-for-us 1", "source-address-invalid 1", "multicast 1", "not-a-router 1", "not-syn 2"]),
                Row(
                    "to the box, no service there", "inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.10:22 SYN",
                    ["host:inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.10:22 SYN"],
                    drops: ["not-for-us 1", "source-address-invalid 1", "multicast 1", "not-a-router 1", "not-syn 2"]),
                Row(
                    "to the service's address at another port",
                    "inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:80",
                    ["host:inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:80"],
                    drops: ["not-for-us 1", "source-address-invalid 1", "multicast 1", "not-a-router 1", "not-syn 2"]),
            ])
        #expect(bench.counter("flows") == 0)
    }

    @Test func `sentinel frames of the captures are dropped and counted`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        var sentinel = [UInt8](repeating: 0xff, count: 60)
        sentinel.replaceSubrange(6..<14, with: [2, 0, 0, 0, 9, 9, 0x88, 0xb5])
        #expect(bench.process([(sentinel, 0)]).isEmpty)
        #expect(bench.drops == ["unsupported-ether-type 1"])
    }

    @Test func `a packet whose time to live ends here is answered with time exceeded`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        #expect(
            bench.send("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN", timeToLive: 1)
                == [
                    "inside lb.inside>fw-a icmp 198.51.100.10 > 192.0.2.50 11/0 about tcp 192.0.2.50:40000 > 198.51.100.100:80"
                ])
        #expect(bench.drops == ["time-to-live-exceeded 1"])
        #expect(bench.counter("flows") == 0)
    }

    @Test func `a packet larger than the way to the member is answered with fragmentation needed`() {
        let bench = BalancerBench(BalancerBench.service(.udpFastPath))
        let out = bench.send(
            "inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53",
            payload: [UInt8](repeating: 1, count: 1600))
        #expect(
            out == [
                "inside lb.inside>fw-a icmp 198.51.100.10 > 192.0.2.50 3/4 about udp 192.0.2.50:40000 > 198.51.100.100:53"
            ])
        #expect(bench.drops == ["packet-too-big 1"])
    }

    @Test func `a member whose MAC address is unknown is asked for, and its packets wait`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, members: 1), knowsNeighbors: false)
        #expect(
            bench.send("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN")
                == ["servers lb.servers>all arp who-has 203.0.113.21 tell 203.0.113.10"])
        #expect(bench.pass(.milliseconds(250)) == ["servers lb.servers>all arp who-has 203.0.113.21 tell 203.0.113.10"])
        #expect(
            bench.arp(.reply, "b1", BalancerBench.b1, for: BalancerBench.serversAddress, on: 1, to: "lb.servers")
                == [
                    "servers lb.servers>b1 tcp 192.0.2.50:40000 > 203.0.113.21:8080 SYN",
                    "host:servers b1>lb.servers arp 203.0.113.21 is-at b1",
                ])
        // The way back needs no neighbour: it is the flow's own.
        #expect(
            bench.send("servers b1>lb.servers tcp 203.0.113.21:8080 > 192.0.2.50:40000 SYN,ACK")
                == ["inside lb.inside>fw-a tcp 198.51.100.100:80 > 192.0.2.50:40000 SYN,ACK"])
    }

    @Test func `a member that is replaced is reached at its new MAC address by existing flows`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, members: 1))
        _ = bench.send("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN")
        _ = bench.arp(.request, "stranger", BalancerBench.b1, for: BalancerBench.b1, on: 1)
        #expect(
            bench.send("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 ACK")
                == ["servers lb.servers>stranger tcp 192.0.2.50:40000 > 203.0.113.21:8080 ACK"])
    }

    @Test func `ARP requests for the service and the box are answered here and not shown to the host side`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        #expect(
            bench.arp(.request, "fw-a", BalancerBench.gateway, for: BalancerBench.vip, on: 0)
                == ["inside lb.inside>fw-a arp 198.51.100.100 is-at lb.inside"])
        #expect(
            bench.arp(.request, "fw-a", BalancerBench.gateway, for: BalancerBench.insideAddress, on: 0)
                == ["inside lb.inside>fw-a arp 198.51.100.10 is-at lb.inside"])
        #expect(bench.arp(.request, "b1", BalancerBench.b1, for: BalancerBench.vip, on: 1).isEmpty)
    }

    @Test func `starting announces every address and says ready`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        #expect(
            bench.announced.map(bench.line) == [
                "inside lb.inside>all arp who-has 198.51.100.10 tell 198.51.100.10",
                "inside lb.inside>all arp who-has 198.51.100.100 tell 198.51.100.100",
                "servers lb.servers>all arp who-has 203.0.113.10 tell 203.0.113.10",
            ])
        #expect(bench.startEvents.map(\.kind) == [.ready])
        #expect(bench.takeEvents().isEmpty)
    }
}
