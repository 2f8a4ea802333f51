import Appliances
import Configuration
import Dataplane
import LabTime
import Testing
import Wire

@Suite struct LoadBalancerSessionTests {
    private func syn(_ bench: BalancerBench, _ port: Int, flags: String = "SYN") -> [String] {
        bench.send("inside fw-a>lb.inside tcp 192.0.2.50:\(port) > 198.51.100.100:80 \(flags)")
    }

    /// `203.0.113.10:10241` of a frame to a member.
    private func source(_ out: [String]) -> String? {
        out.first?.split(separator: " ").dropFirst(3).first.map(String.init)
    }

    @Test func `a translation port goes to one session at a time and comes back with its end`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, translation: .autoMap, members: 1))
        let first = source(syn(bench, 40000))
        let second = source(syn(bench, 40001))
        #expect(first != nil && second != nil && first != second)
        #expect(source(syn(bench, 40000, flags: "ACK")) == first)
        _ = syn(bench, 40000, flags: "RST")
        _ = bench.pass(.milliseconds(1100))
        #expect(bench.counter("flows") == 1)
        // Round robin: the port that came back is the last to be used again.
        let third = source(syn(bench, 40002))
        #expect(third != first && third != second)
    }

    @Test func `the same seed gives the same translation ports, another one others`() {
        func port(_ seed: UInt64) -> String? {
            source(syn(BalancerBench(BalancerBench.service(.tcpFastPath, translation: .autoMap), seed: seed), 40000))
        }
        #expect(port(1) == port(1))
        #expect(port(1) != port(2))
    }

    @Test func `when every translation port is taken a new session is dropped and counted`() {
        let bench = BalancerBench(
            BalancerBench.service(.tcpFastPath, translation: .autoMap, members: 1), flowCapacity: 30_000)
        let ports = TranslationPorts.autoMap.count
        for number in 0..<ports {
            let client = "192.0.\(number / 10_000 + 3).7:\(number % 10_000 + 1024)"
            let out = bench.send("inside fw-a>lb.inside tcp \(client) > 198.51.100.100:80 SYN", payload: [])
            if out.count != 1 { Issue.record("session \(number): \(out)") }
        }
        #expect(syn(bench, 40000).isEmpty)
        #expect(bench.drops == ["translation-ports-exhausted 1"])
        #expect(bench.counter("flows") == UInt64(ports))
    }

    @Test func `a full flow table keeps its sessions and refuses a new one, whose port goes back`() {
        let bench = BalancerBench(
            BalancerBench.service(.tcpFastPath, translation: .autoMap, members: 1), flowCapacity: 2)
        let first = source(syn(bench, 40000))
        _ = syn(bench, 40001)
        #expect(syn(bench, 40002).isEmpty)
        #expect(bench.drops == ["flow-table-full 1"])
        #expect(source(syn(bench, 40000, flags: "ACK")) == first)
        #expect(bench.counter("service.web.member.b1.sessions") == 2)
    }

    @Test func `without translation two services that share a member cannot share a client's port`() {
        let bench = BalancerBench(
            BalancerBench.service(.tcpFastPath, members: 1),
            BalancerBench.service(.tcpFastPath, members: 1, port: 81, name: "other"))
        #expect(syn(bench, 40000).count == 1)
        #expect(bench.send("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:81 SYN").isEmpty)
        #expect(bench.drops == ["flow-conflict 1"])
    }

    @Test func `an idle session expires, and packets of either side keep it`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, members: 1, idle: .seconds(10)))
        _ = syn(bench, 40000)
        _ = bench.send("servers b1>lb.servers tcp 203.0.113.21:8080 > 192.0.2.50:40000 SYN,ACK")
        for _ in 0..<5 {
            _ = bench.pass(.seconds(9))
            #expect(bench.send("servers b1>lb.servers tcp 203.0.113.21:8080 > 192.0.2.50:40000 ACK").count == 1)
        }
        _ = bench.pass(.milliseconds(10_100))
        #expect(bench.counter("flows") == 0)
        #expect(bench.counter("flows.expired") == 1)
    }

    @Test func `a connection that nobody answers is forgotten after thirty seconds`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, members: 1, idle: .seconds(300)))
        _ = syn(bench, 40000)
        _ = bench.pass(.seconds(29))
        #expect(bench.counter("flows") == 1)
        _ = bench.pass(.seconds(2))
        #expect(bench.counter("flows") == 0)
    }

    @Test func `a client that uses its port again at once gets a new session with the MAC address of today`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        _ = syn(bench, 40000)
        _ = syn(bench, 40000, flags: "RST")
        #expect(
            bench.send("inside fw-b>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN")
                == ["servers lb.servers>b2 tcp 192.0.2.50:40000 > 203.0.113.22:8080 SYN"])
        #expect(
            bench.send("servers b2>lb.servers tcp 203.0.113.22:8080 > 192.0.2.50:40000 SYN,ACK")
                == ["inside lb.inside>fw-b tcp 198.51.100.100:80 > 192.0.2.50:40000 SYN,ACK"])
    }

    @Test func `consistent hash sends one client endpoint to one member, again after its session is gone`() {
        let bench = BalancerBench(
            BalancerBench.service(.udpFastPath, scheduler: .consistentHash, members: 2, idle: .seconds(1)))
        var members = Set<String>()
        for port in 40000..<40050 {
            let packet = "inside fw-a>lb.inside udp 192.0.2.50:\(port) > 198.51.100.100:53"
            let first = bench.send(packet)
            _ = bench.pass(.seconds(2))
            #expect(bench.counter("flows") == 0)
            #expect(bench.send(packet) == first)
            members.insert(String(first[0].split(separator: " ")[1]))
        }
        #expect(members.count == 2)
    }

    @Test func `per-packet UDP takes the next member for every datagram`() {
        let bench = BalancerBench(BalancerBench.service(.udpPerPacket))
        let out = (0..<4).flatMap { _ in bench.send("inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53") }
        #expect(
            out.map { $0.split(separator: " ")[1] } == [
                "lb.servers>b1", "lb.servers>b2", "lb.servers>b1", "lb.servers>b2",
            ])
        #expect(bench.counter("service.web.member.b1.chosen") == 2)
    }

    @Test func `per-packet UDP with auto-map gives a client endpoint one port towards all members`() {
        let bench = BalancerBench(BalancerBench.service(.udpPerPacket, translation: .autoMap))
        let packet = "inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53"
        let first = source(bench.send(packet))!
        #expect(source(bench.send(packet)) == first)
        #expect(bench.counter("mappings") == 1)
        for member in ["b1", "b2"] {
            let address = member == "b1" ? BalancerBench.b1 : BalancerBench.b2
            #expect(
                bench.send("servers \(member)>lb.servers udp \(address):5353 > \(first)")
                    == ["inside lb.inside>fw-a udp 198.51.100.100:53 > 192.0.2.50:40000"])
        }
        // A stranger's datagram to that port is no answer; the host side's kernel refuses it.
        #expect(
            bench.send("servers stranger>lb.servers udp 203.0.113.99:5353 > \(first)")
                == ["host:servers stranger>lb.servers udp 203.0.113.99:5353 > \(first)"])
        _ = bench.pass(.seconds(61))
        #expect(bench.counter("mappings") == 0)
    }
}
