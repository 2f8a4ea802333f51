import Appliances
import Configuration
import Testing

/// A member calls the address of its own pool.
@Suite struct LoadBalancerHairpinTests {
    private func call(_ translation: SourceTranslation, from source: String, members: Int) -> [String] {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, translation: translation, members: members))
        return bench.send("servers b1>lb.servers tcp \(source):40000 > 198.51.100.100:80 SYN")
    }

    @Test func `without source translation it gets its own address as the source`() {
        #expect(
            call(.off, from: "203.0.113.21", members: 1)
                == ["servers lb.servers>b1 tcp 203.0.113.21:40000 > 203.0.113.21:8080 SYN"])
    }

    @Test func `hairpin translation gives such a call, and only it, the balancer's address`() throws {
        let own = try #require(call(.hairpin, from: "203.0.113.21", members: 1).first)
        #expect(own.hasPrefix("servers lb.servers>b1 tcp 203.0.113.10:") && own.hasSuffix(" > 203.0.113.21:8080 SYN"))
        #expect(
            call(.hairpin, from: "203.0.113.77", members: 1)
                == ["servers lb.servers>b1 tcp 203.0.113.77:40000 > 203.0.113.21:8080 SYN"])
    }

    @Test func `a call that is balanced to another member keeps its source, and the answer finds its way back`() throws
    {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath, translation: .hairpin))
        let first = try #require(
            bench.send("servers b1>lb.servers tcp 203.0.113.21:40000 > 198.51.100.100:80 SYN").first)
        let port = try #require(first.split(separator: " ")[3].split(separator: ":").last)
        #expect(
            bench.send("servers b1>lb.servers tcp 203.0.113.21:8080 > 203.0.113.10:\(port) SYN,ACK")
                == ["servers lb.servers>b1 tcp 198.51.100.100:80 > 203.0.113.21:40000 SYN,ACK"])
        #expect(
            bench.send("servers b1>lb.servers tcp 203.0.113.21:40001 > 198.51.100.100:80 SYN")
                == ["servers lb.servers>b2 tcp 203.0.113.21:40001 > 203.0.113.22:8080 SYN"])
    }
}
