import Appliances
import Configuration
import Dataplane
import Testing
import Wire

/// Article 420010 in virtual time: the uplink firewall fails over, the same address answers from another MAC address.
@Suite struct LoadBalancerSymptomTests {
    @Test func `a TCP fast path keeps the MAC address that the flow began with`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        #expect(
            bench.send("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN")
                == ["servers lb.servers>b1 tcp 192.0.2.50:40000 > 203.0.113.21:8080 SYN"])
        #expect(
            bench.send("servers b1>lb.servers tcp 203.0.113.21:8080 > 192.0.2.50:40000 SYN,ACK")
                == ["inside lb.inside>fw-a tcp 198.51.100.100:80 > 192.0.2.50:40000 SYN,ACK"])
        // Failover: firewall B announces the gateway's address, and forwards from its own MAC address.
        _ = bench.arp(.request, "fw-b", BalancerBench.gateway, for: BalancerBench.gateway, on: 0)
        #expect(
            bench.send("inside fw-b>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 PSH,ACK")
                == ["servers lb.servers>b1 tcp 192.0.2.50:40000 > 203.0.113.21:8080 PSH,ACK"])
        #expect(
            bench.send("servers b1>lb.servers tcp 203.0.113.21:8080 > 192.0.2.50:40000 PSH,ACK")
                == ["inside lb.inside>fw-a tcp 198.51.100.100:80 > 192.0.2.50:40000 PSH,ACK"])
        // A new connection of the same client works.
        #expect(
            bench.send("inside fw-b>lb.inside tcp 192.0.2.50:40001 > 198.51.100.100:80 SYN")
                == ["servers lb.servers>b2 tcp 192.0.2.50:40001 > 203.0.113.22:8080 SYN"])
        #expect(
            bench.send("servers b2>lb.servers tcp 203.0.113.22:8080 > 192.0.2.50:40001 SYN,ACK")
                == ["inside lb.inside>fw-b tcp 198.51.100.100:80 > 192.0.2.50:40001 SYN,ACK"])
    }

    @Test func `a UDP fast path keeps the MAC address that the flow began with`() {
        let bench = BalancerBench(BalancerBench.service(.udpFastPath))
        _ = bench.send("inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53")
        _ = bench.arp(.request, "fw-b", BalancerBench.gateway, for: BalancerBench.gateway, on: 0)
        #expect(
            bench.send("inside fw-b>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53")
                == ["servers lb.servers>b1 udp 192.0.2.50:40000 > 203.0.113.21:5353"])
        #expect(
            bench.send("servers b1>lb.servers udp 203.0.113.21:5353 > 192.0.2.50:40000")
                == ["inside lb.inside>fw-a udp 198.51.100.100:53 > 192.0.2.50:40000"])
    }

    @Test func `per-packet UDP follows the gratuitous ARP at once`() {
        let bench = BalancerBench(BalancerBench.service(.udpPerPacket))
        let answer = "servers b1>lb.servers udp 203.0.113.21:5353 > 192.0.2.50:40000"
        #expect(
            bench.send("inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53")
                == ["servers lb.servers>b1 udp 192.0.2.50:40000 > 203.0.113.21:5353"])
        #expect(bench.send(answer) == ["inside lb.inside>fw-a udp 198.51.100.100:53 > 192.0.2.50:40000"])
        _ = bench.arp(.request, "fw-b", BalancerBench.gateway, for: BalancerBench.gateway, on: 0)
        #expect(bench.send(answer) == ["inside lb.inside>fw-b udp 198.51.100.100:53 > 192.0.2.50:40000"])
        #expect(bench.counter("flows") == 0)
    }

    @Test func `a proxied service is the host side's, whoever sends the frame`() {
        let bench = BalancerBench(BalancerBench.service(.tcpProxy))
        for firewall in ["fw-a", "fw-b"] {
            #expect(
                bench.send("inside \(firewall)>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN")
                    == ["host:inside \(firewall)>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN"])
        }
        // The host side's answer leaves as the host side's kernel addressed it.
        #expect(
            bench.send("inside lb.inside>fw-b tcp 198.51.100.100:80 > 192.0.2.50:40000 SYN,ACK", side: .host)
                == ["inside lb.inside>fw-b tcp 198.51.100.100:80 > 192.0.2.50:40000 SYN,ACK"])
        // Its own connection to the member comes back to it.
        #expect(
            bench.send("servers b1>lb.servers tcp 203.0.113.21:8080 > 203.0.113.10:50000 SYN,ACK")
                == ["host:servers b1>lb.servers tcp 203.0.113.21:8080 > 203.0.113.10:50000 SYN,ACK"])
    }

    @Test func `an HTTP service is the host side's, and so are the addresses of its SNAT pool`() {
        var service = BalancerBench.service(.http)
        service.http = HTTPServiceConfiguration(sourceAddresses: [.ipv4(IPv4Address(203, 0, 113, 11))])
        let bench = BalancerBench(service)
        #expect(
            bench.send("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN")
                == ["host:inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN"])
        #expect(
            bench.send("servers b1>lb.servers tcp 203.0.113.21:8080 > 203.0.113.11:4000 SYN,ACK")
                == ["host:servers b1>lb.servers tcp 203.0.113.21:8080 > 203.0.113.11:4000 SYN,ACK"])
        #expect(
            bench.arp(.request, "b1", IPv4Address(203, 0, 113, 21), for: IPv4Address(203, 0, 113, 11), on: 1).count == 1
        )
    }

    @Test func `with a virtual MAC address nothing changes for the fast path`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        // Both firewalls forward from one address, which the bench knows as fw-a.
        _ = bench.send("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN")
        _ = bench.arp(.request, "fw-a", BalancerBench.gateway, for: BalancerBench.gateway, on: 0)
        #expect(
            bench.send("servers b1>lb.servers tcp 203.0.113.21:8080 > 192.0.2.50:40000 SYN,ACK")
                == ["inside lb.inside>fw-a tcp 198.51.100.100:80 > 192.0.2.50:40000 SYN,ACK"])
    }
}
