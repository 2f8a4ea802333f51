import Appliances
import Configuration
import Dataplane
import LabTime
import TestSupport
import Testing
import VirtualNetwork
import Wire

private typealias Bench = IPv6BalancerBench
private let (vip, insideAddress, serversAddress, client) = (
    Bench.vip, Bench.insideAddress, Bench.serversAddress, Bench.client
)
private let (router, b1, b2, macs) = (Bench.router, Bench.b1, Bench.b2, Bench.macs)

@Suite struct `A load balancer over IPv6` {
    @Test func `keeps a connection's member and the client's MAC address`() throws {
        let bench = try Bench(.tcpFastPath, .off)
        #expect(
            bench.send("rt>lb0 tcp [\(client)]:40000 > [\(vip)]:80 SYN")
                == ["lb1>b1 tcp [\(client)]:40000 > [\(b1)]:8080 SYN"])
        #expect(
            bench.send("b1>lb1 tcp [\(b1)]:8080 > [\(client)]:40000 SYN,ACK")
                == ["lb0>rt tcp [\(vip)]:80 > [\(client)]:40000 SYN,ACK"])
        // Another router brings the rest; answers go on to the first, as article 420010 has it.
        #expect(
            bench.send("rt-b>lb0 tcp [\(client)]:40000 > [\(vip)]:80 ACK")
                == ["lb1>b1 tcp [\(client)]:40000 > [\(b1)]:8080 ACK"])
        #expect(
            bench.send("b1>lb1 tcp [\(b1)]:8080 > [\(client)]:40000 ACK").first?.hasPrefix("lb0>rt ") == true)
        #expect(bench.send("rt>lb0 tcp [\(client)]:40001 > [\(vip)]:80 SYN").first?.hasPrefix("lb1>b2") == true)
        #expect(bench.send("rt>lb0 tcp [\(client)]:40002 > [\(vip)]:80 ACK") == [])
        #expect(bench.counter("flows") == 2 && bench.counter("drop.not-syn") == 1)
    }

    @Test func `translates sources to its own address, one port for each flow`() throws {
        let bench = try Bench(.udpFastPath, .autoMap)
        let first = try #require(bench.send("rt>lb0 udp [\(client)]:40000 > [\(vip)]:80").first)
        let second = try #require(bench.send("rt>lb0 udp [\(client)]:40001 > [\(vip)]:80").first)
        #expect(first.hasPrefix("lb1>b1 udp [\(serversAddress)]:") && first.hasSuffix(" > [\(b1)]:8080"))
        #expect(second.hasPrefix("lb1>b2 udp [\(serversAddress)]:") && second.hasSuffix(" > [\(b2)]:8080"))
        let source = first.split(separator: " ")[2]
        #expect(source != second.split(separator: " ")[2])
        #expect(
            bench.send("b1>lb1 udp [\(b1)]:8080 > \(source)") == ["lb0>rt udp [\(vip)]:80 > [\(client)]:40000"])
        bench.pass(.seconds(61))
        #expect(bench.counter("flows") == 0)
        #expect(bench.send("b1>lb1 udp [\(b1)]:8080 > \(source)").filter { $0.hasPrefix("lb0") } == [])
    }

    @Test(arguments: [SourceTranslation.off, .autoMap])
    func `balances each datagram of a per-packet service`(translation: SourceTranslation) throws {
        let bench = try Bench(.udpPerPacket, translation)
        let sent = (0..<4).flatMap { _ in bench.send("rt>lb0 udp [\(client)]:40000 > [\(vip)]:80") }
        #expect(sent.map { $0.prefix(6) } == ["lb1>b1", "lb1>b2", "lb1>b1", "lb1>b2"])
        let source = try #require(sent[0].split(separator: " ").dropFirst(2).first)
        #expect(Set(sent.map { $0.split(separator: " ")[2] }).count == 1)
        #expect(
            bench.send("b2>lb1 udp [\(b2)]:8080 > \(source)") == ["lb0>rt udp [\(vip)]:80 > [\(client)]:40000"])
    }

    @Test func `answers consistent hash by address and port alone, the same on every balancer`() throws {
        let (one, other) = (
            try Bench(.udpFastPath, .off, scheduler: .consistentHash),
            try Bench(.udpFastPath, .off, scheduler: .consistentHash)
        )
        var members: [String: Int] = [:]
        for port in 40000..<40200 {
            let text = "rt>lb0 udp [\(client)]:\(port) > [\(vip)]:80"
            let sent = one.send(text)
            #expect(sent == other.send(text))
            members[String(sent[0].prefix(6)), default: 0] += 1
        }
        // Half of 200, within five standard deviations.
        #expect(members.count == 2 && members.values.allSatisfy { abs($0 - 100) < 36 }, "\(members)")
    }

    @Test func `answers neighbour solicitations for its services and announces them`() throws {
        let bench = try Bench(.tcpFastPath, .off)
        bench.ask(client, "rt", for: vip, on: 0)
        let announced = bench.announced.map(bench.line).filter { $0.contains(" advertise ") }
        #expect(
            announced == [
                "lb0>33:33:00:00:00:01 icmpv6 \(insideAddress) > ff02::1 advertise \(insideAddress) at lb0 flags 32",
                "lb0>33:33:00:00:00:01 icmpv6 \(vip) > ff02::1 advertise \(vip) at lb0 flags 32",
                "lb1>33:33:00:00:00:01 icmpv6 \(serversAddress) > ff02::1 advertise \(serversAddress) at lb1 flags 32",
            ])
    }

    @Test func `tells the sender that a packet is too big for the members' network, or too old`() throws {
        let bench = try Bench(.tcpFastPath, .off, mtu: 1280)
        _ = bench.send("rt>lb0 tcp [\(client)]:40000 > [\(vip)]:80 SYN")
        let about = "about tcp [\(client)]:40000 > [\(vip)]:80"
        #expect(
            bench.send("rt>lb0 tcp [\(client)]:40000 > [\(vip)]:80 ACK", size: 1400)
                == ["lb0>rt icmpv6 \(insideAddress) > \(client) 2/0 \(about)"])
        #expect(
            bench.send("rt>lb0 tcp [\(client)]:40000 > [\(vip)]:80 ACK", hopLimit: 1)
                == ["lb0>rt icmpv6 \(insideAddress) > \(client) 3/0 \(about)"])
        #expect(bench.counter("drop.packet-too-big") == 1 && bench.counter("drop.time-to-live-exceeded") == 1)
    }

    @Test(arguments: [SourceTranslation.off, .autoMap])
    func `translates ICMPv6 errors about its sessions, quote and checksums included`(translation: SourceTranslation)
        throws
    {
        let bench = try Bench(.tcpFastPath, translation)
        let toMember = bench.raw(Bench.frame("rt>lb0 tcp [\(client)]:40000 > [\(vip)]:80 SYN"), on: 0)[0].bytes
        // A router behind the balancer finds the client's packet too big for its next link.
        let hop = IPv6Address("2001:db8:3::fe")!
        var quoted = toMember
        let error = quoted.withUnsafeMutableBytes { buffer in
            let packet = IPv6PacketView(buffer)!
            return Bench.build {
                FrameBuilder.icmpv6Error(
                    ICMPv6Header(type: .packetTooBig, rest: 1300), about: packet, from: hop, mac: macs["b1"]!, into: $0)
            }
        }
        let sent = bench.raw(error, on: 1)
        let about = "about tcp [\(client)]:40000 > [\(vip)]:80"
        #expect(sent.map(bench.line) == ["lb0>rt icmpv6 \(hop) > \(client) 2/0 \(about)"])
        var out = try #require(sent.first?.bytes)
        out.withUnsafeMutableBytes { buffer in
            #expect(IPv6PacketView(buffer)?.icmp?.rest == 1300)
            // The quote is the packet as the client sent it, checksum included, but for the hop limit.
            let quote = Array(buffer[62...])
            let original = Bench.frame("rt>lb0 tcp [\(client)]:40000 > [\(vip)]:80 SYN")
            #expect(quote[8..<60].elementsEqual(original[22..<74]))
        }
        #expect(bench.counter("icmp.translated") == 1)
        // A broken one is not healed.
        var broken = error
        broken[56] ^= 0xff
        #expect(bench.raw(broken, on: 1).isEmpty)
    }

    @Test func `drops fragments of its services and what is for nobody`() throws {
        let bench = try Bench(.udpFastPath, .off)
        var fragment = Bench.frame("rt>lb0 udp [\(client)]:40000 > [\(vip)]:80")
        fragment.insert(contentsOf: [17, 0, 0, 1, 0, 0, 0, 9], at: 54)
        fragment[20] = 44
        fragment[19] += 8
        #expect(bench.process(fragment, on: 0) == [])
        #expect(bench.send("rt>lb0 udp [\(client)]:40000 > [2001:db8:9::9]:80") == [])
        #expect(bench.counter("drop.fragment") == 1 && bench.counter("drop.not-a-router") == 1)
    }

    @Test func `whose service and members are of two families is refused`() {
        var configuration = Bench.configuration(.tcpFastPath, .off)
        configuration.services[0].members[1].address = .ipv4(IPv4Address(198, 51, 100, 9))
        #expect(throws: ConfigurationError.self) { _ = try LoadBalancer(configuration) }
    }

    @Test(arguments: 1...6)
    func `survives damaged frames, and what leaves is well-formed`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let bench = try Bench(seed % 2 == 0 ? .tcpFastPath : .udpPerPacket, seed % 3 == 0 ? .off : .autoMap)
        let frames = [
            Bench.frame("rt>lb0 tcp [\(client)]:40000 > [\(vip)]:80 SYN"),
            Bench.frame("rt>lb0 udp [\(client)]:40000 > [\(vip)]:80"),
            Bench.frame("b1>lb1 udp [\(b1)]:8080 > [\(client)]:40000"),
            Bench.build { FrameBuilder.neighborSolicitation(for: vip, from: router, mac: macs["rt"]!, into: $0) },
        ]
        for _ in 0..<3000 {
            var frame = frames.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                frame[.random(in: 12..<frame.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if .random(using: &random) { frame = Array(frame.prefix(.random(in: 1...frame.count, using: &random))) }
            for left in bench.raw(frame, on: .random(in: 0...1, using: &random), isDamaged: true) {
                #expect(left.bytes.count >= 54, "seed \(seed)")
            }
        }
    }
}
