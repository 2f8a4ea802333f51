import Appliances
import Configuration
import Dataplane
import LabTime
import TestSupport
import Testing
import VirtualNetwork
import Wire

/// ICMP errors and health monitors of direct server return, and garbage.
@Suite struct DirectReturnErrorTests {
    private let request = DirectReturnTests.request
    private static let router = IPv4Address(203, 0, 113, 1)

    /// An ICMP error about the packet of a frame.
    private func error(
        _ header: ICMPv4Header, about quoted: [UInt8], from source: IPv4Address, to destination: IPv4Address,
        link: (String, String), quoting count: Int = 100
    ) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xa5, count: 2048)
        let quote = Array(quoted[14..<min(14 + count, quoted.count)])
        let length = buffer.withUnsafeMutableBytes { buffer in
            quote.withUnsafeBytes {
                FrameBuilder.icmp(
                    header, in: IPv4Header(source: source, destination: destination, protocol: .icmp),
                    from: BalancerBench.stations[link.0]!, to: BalancerBench.stations[link.1]!, payload: $0,
                    into: buffer)
            }
        }
        return Array(buffer.prefix(length!))
    }

    // MARK: About a member's answers

    @Test(arguments: [DirectReturnConfiguration.Mode.l2, .ipip, .gre])
    func `an error about a member's answer reaches that member, which sent from the service's address`(
        mode: DirectReturnConfiguration.Mode
    ) {
        for isKnown in [true, false] {
            let bench = BalancerBench(DirectReturnTests.service(mode))
            let other = BalancerBench(DirectReturnTests.service(mode))
            let sent = (isKnown ? bench : other).raw([(bench.frame("\(request) SYN"), 0)]).map(DirectReturnTests.text)
            let way = sent[0].components(before: " tcp")
            let answer = bench.frame("servers b1>fw-a tcp 198.51.100.100:80 > 192.0.2.50:40000 PSH,ACK")
            let back = error(
                .fragmentationNeeded(mtu: 1400), about: answer, from: IPv4Address(198, 51, 100, 2),
                to: BalancerBench.vip,
                link: ("fw-a", "lb.inside"))
            #expect(
                bench.raw([(back, 0)]).map(DirectReturnTests.text)
                    == ["\(way) icmp 198.51.100.2 > 198.51.100.100 3/4 about tcp 198.51.100.100:80 > 192.0.2.50:40000"])
        }
    }

    // MARK: About tunnel packets

    @Test(arguments: [DirectReturnConfiguration.Mode.ipip, .gre])
    func
        `a router's fragmentation needed about a tunnel packet reaches the client, about its own packet and the MTU within`(
            mode: DirectReturnConfiguration.Mode
        )
    {
        let bench = BalancerBench(DirectReturnTests.service(mode, members: 1))
        _ = bench.send("\(request) SYN")
        let large = bench.frame("\(request) PSH,ACK", payload: [UInt8](repeating: 1, count: 1400))
        let sent = bench.raw([(large, 0)])[0].bytes
        let back = error(
            .fragmentationNeeded(mtu: 1400), about: sent, from: Self.router, to: BalancerBench.serversAddress,
            link: ("b1", "lb.servers"))
        let out = bench.raw([(back, 1)])
        #expect(
            out.map(BalancerBench.line)
                == [
                    "inside lb.inside>fw-a icmp 198.51.100.10 > 192.0.2.50 3/4 about tcp 192.0.2.50:40000 > 198.51.100.100:80"
                ])
        let inner = 1400 - (mode == .ipip ? 20 : 24)
        #expect(Int(out[0].bytes[40]) << 8 | Int(out[0].bytes[41]) == inner)
        // From now on the balancer says so itself, for ten minutes.
        #expect(
            bench.send("\(request) PSH,ACK", payload: [UInt8](repeating: 1, count: inner - 39))[0].contains(" 3/4 "))
        _ = bench.send("\(request) PSH,ACK", payload: [UInt8](repeating: 1, count: inner - 40))
        _ = bench.pass(.seconds(601))
        #expect(bench.raw([(large, 0)]).map(BalancerBench.line)[0].contains(" icmp ") == false)
    }

    @Test func `a quote without the inner ports teaches the MTU and is told with the next packet`() {
        let bench = BalancerBench(DirectReturnTests.service(.ipip, members: 1))
        let large = bench.frame("\(request) PSH,ACK", payload: [UInt8](repeating: 1, count: 1400))
        let sent = bench.raw([(large, 0)])[0].bytes
        let back = error(
            .fragmentationNeeded(mtu: 1400), about: sent, from: Self.router, to: BalancerBench.serversAddress,
            link: ("b1", "lb.servers"), quoting: 28)
        #expect(bench.raw([(back, 1)]).isEmpty)
        #expect(bench.drops == ["icmp-without-flow 1"])
        #expect(bench.raw([(large, 0)]).map(BalancerBench.line)[0].contains(" 3/4 "))
    }

    @Test func `any other error about a tunnel packet is host unreachable to the client`() {
        for header in [ICMPv4Header.unreachable(code: 2), .unreachable(code: 1), .timeExceeded] {
            let bench = BalancerBench(DirectReturnTests.service(.gre, members: 1))
            let sent = bench.raw([(bench.frame("\(request) SYN"), 0)])[0].bytes
            let back = error(
                header, about: sent, from: BalancerBench.b1, to: BalancerBench.serversAddress,
                link: ("b1", "lb.servers"))
            #expect(
                bench.process([(back, 1)])
                    == [
                        "inside lb.inside>fw-a icmp 198.51.100.10 > 192.0.2.50 3/1 about tcp 192.0.2.50:40000 > 198.51.100.100:80"
                    ])
        }
    }

    @Test func `an error about a tunnel to nobody's member, or a broken one, goes nowhere`() {
        let bench = BalancerBench(DirectReturnTests.service(.ipip, members: 1))
        var sent = bench.raw([(bench.frame("\(request) SYN"), 0)])[0].bytes
        var back = error(
            .unreachable(code: 1), about: sent, from: Self.router, to: BalancerBench.serversAddress,
            link: ("b1", "lb.servers"))
        back[36] ^= 0x55
        #expect(bench.raw([(back, 1)]).isEmpty)
        #expect(bench.drops == ["malformed-transport 1"])
        // A tunnel to a stranger: none of ours, so the host side's.
        sent[33] = 99
        let stranger = error(
            .unreachable(code: 1), about: sent, from: Self.router, to: BalancerBench.serversAddress,
            link: ("b1", "lb.servers"))
        #expect(bench.process([(stranger, 1)]).map { $0.hasPrefix("host:") } == [true])
    }

    @Test func `nobody talks the balancer down below what every link takes`() {
        let bench = BalancerBench(DirectReturnTests.service(.ipip, members: 1))
        let sent = bench.raw([(bench.frame("\(request) SYN"), 0)])[0].bytes
        let back = error(
            .fragmentationNeeded(mtu: 68), about: sent, from: Self.router, to: BalancerBench.serversAddress,
            link: ("b1", "lb.servers"))
        _ = bench.raw([(back, 1)])
        #expect(
            bench.raw([(bench.frame("\(request) PSH,ACK", payload: [UInt8](repeating: 1, count: 500)), 0)]).map(
                DirectReturnTests.text)[0].contains("ipip"))
    }

    // MARK: Monitors

    private static let monitor = MonitorConfiguration(
        kind: .tcp, interval: .milliseconds(200), timeout: .milliseconds(500), fall: 3, rise: 2)

    @Test(arguments: [DirectReturnConfiguration.Mode.l2, .ipip, .gre])
    func `a monitor asks for the service at its member, and hears it as the member`(
        mode: DirectReturnConfiguration.Mode
    ) throws {
        let bench = BalancerBench(DirectReturnTests.service(mode, monitor: Self.monitor))
        let syn = "servers lb.servers>b2 tcp 203.0.113.10:40000 > 203.0.113.22:80"
        let out = bench.raw([(bench.frame("\(syn) SYN"), 1)], side: .host).map(DirectReturnTests.text)
        let wrapping = mode == .l2 ? "" : "[203.0.113.10 > 203.0.113.22 \(mode.rawValue)] "
        let words = out[0].split(separator: " ").map(String.init)
        let end = words[words.count - 4]
        let port = end.split(separator: ":")[1]
        #expect(out == ["servers lb.servers>b2 \(wrapping)tcp 203.0.113.10:\(port) > 198.51.100.100:80 SYN"])
        #expect(
            bench.send("servers b2>lb.servers tcp 198.51.100.100:80 > 203.0.113.10:\(port) SYN,ACK")
                == ["host:servers b2>lb.servers tcp 203.0.113.22:80 > 203.0.113.10:40000 SYN,ACK"])
        #expect(
            bench.raw([(bench.frame("\(syn) ACK"), 1)], side: .host).map(DirectReturnTests.text)
                == ["servers lb.servers>b2 \(wrapping)tcp 203.0.113.10:\(port) > 198.51.100.100:80 ACK"])
        // Another member's monitor may have the same port of the kernel's.
        let other = bench.raw(
            [(bench.frame("servers lb.servers>b1 tcp 203.0.113.10:40000 > 203.0.113.21:80 SYN"), 1)], side: .host)
        #expect(other.count == 1)
        #expect(bench.counter("flows") == 2)
        // Sessions are clients'.
        #expect(bench.counter("service.web.member.b2.sessions") == 0)
        // Its own connection outlives the verdict that the member is down.
        _ = bench.perform(.member(service: "web", member: "b2", isUp: false))
        #expect(bench.counter("flows") == 2)
        _ = bench.send("servers b2>lb.servers tcp 198.51.100.100:80 > 203.0.113.10:\(port) RST")
        _ = bench.pass(.milliseconds(1100))
        #expect(bench.counter("flows") == 1)
    }

    @Test func `a monitor of the member's own address leaves the balancer as it is`() {
        var monitor = Self.monitor
        monitor.target = .member
        let bench = BalancerBench(DirectReturnTests.service(.ipip, monitor: monitor))
        let syn = "servers lb.servers>b2 tcp 203.0.113.10:40000 > 203.0.113.22:80 SYN"
        #expect(bench.send(syn, side: .host) == [syn])
    }

    // MARK: Configurations

    @Test func `what direct server return cannot do is refused with the reason`() {
        func problem(_ service: VirtualServiceConfiguration) -> String? {
            do throws(ConfigurationError) {
                _ = try LoadBalancer(BalancerBench.configuration([service]))
                return nil
            } catch {
                return error.description
            }
        }
        #expect(problem(DirectReturnTests.service(.l2)) == nil)
        #expect(
            problem(DirectReturnTests.service(.l2, scheduler: .roundRobin))
                == "service web has direct server return and the scheduler round-robin; only consistent-hash is supported"
        )
        #expect(problem(DirectReturnTests.service(.l2, scheduler: .roundRobin) { $0.allowsAnyScheduler = true }) == nil)
        var service = DirectReturnTests.service(.l2)
        service.members[0].port = 8080
        #expect(
            problem(service)
                == "member b1 of service web has port 8080; with direct server return it must be the service's, 80")
        service = DirectReturnTests.service(.l2)
        service.members[0].address = .ipv4(IPv4Address(10, 0, 0, 1))
        #expect(
            problem(service)
                == "member b1 of service web is behind a router; direct server return at layer 2 needs it on the balancer's own network"
        )
        service = DirectReturnTests.service(.ipip)
        service.members[0].address = .ipv4(IPv4Address(10, 0, 0, 1))
        #expect(problem(service) == nil)
        service = DirectReturnTests.service(.l2)
        service.sourceTranslation = .autoMap
        #expect(
            problem(service)
                == "service web has direct server return, which translates nothing; its source translation must be off")
        #expect(
            problem(DirectReturnTests.service(.tcpProxy, .l2))
                == "service web has direct server return and the profile tcp-proxy, which ends connections at the balancer"
        )
    }

    // MARK: Garbage

    @Test(arguments: [301, 302, 303] as [UInt64])
    func `garbage never leaves a balancer with direct server return but to a member`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let mode = [DirectReturnConfiguration.Mode.l2, .ipip, .gre][Int(seed % 3)]
        let bench = BalancerBench(
            DirectReturnTests.service(mode, monitor: Self.monitor),
            DirectReturnTests.service(.udpFastPath, mode).named("dns"), flowCapacity: 64, seed: seed)
        let flags = ["SYN", "SYN,ACK", "ACK", "PSH,ACK", "FIN,ACK", "RST"]
        for step in 0..<4_000 {
            let client =
                "192.0.2.\(Int.random(in: 50...59, using: &random)):\(Int.random(in: 40000...40009, using: &random))"
            let flag = flags.randomElement(using: &random)!
            let text = [
                "inside fw-a>lb.inside tcp \(client) > 198.51.100.100:80 \(flag)",
                "inside fw-a>lb.inside udp \(client) > 198.51.100.100:53",
                "servers b1>lb.servers tcp 198.51.100.100:80 > 203.0.113.10:\(Int.random(in: 10240...10300, using: &random)) \(flag)",
                "servers lb.servers>b1 tcp 203.0.113.10:\(Int.random(in: 40000...40009, using: &random)) > 203.0.113.21:80 \(flag)",
            ].randomElement(using: &random)!
            let side: PortSide = text.hasPrefix("servers lb") ? .host : .wire
            var bytes = bench.frame(text, timeToLive: .random(in: 0...64, using: &random))
            if Bool.random(using: &random) {
                let back = error(
                    .fragmentationNeeded(mtu: .random(in: 0 ... .max, using: &random)),
                    about: TunnelledPacket.of(bytes, random.next() % 2 == 0 ? .ipip : .gre, to: BalancerBench.b1),
                    from: Self.router, to: BalancerBench.serversAddress, link: ("b1", "lb.servers"),
                    quoting: .random(in: 20...100, using: &random))
                if side == .wire, Bool.random(using: &random) { bytes = back }
            }
            var isDamaged = false
            if Int.random(in: 0..<3, using: &random) == 0 {
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    bytes[Int.random(in: 12..<bytes.count, using: &random)] = .random(in: .min ... .max, using: &random)
                }
                if Bool.random(using: &random), bytes[14] == 0x45 { bytes = TunnelFrames.healed(bytes) }
                isDamaged = true
            }
            let port: PortIndex = text.hasPrefix("servers") ? 1 : 0
            for frame in bench.raw([(bytes, port)], side: side, isDamaged: true) where frame.side == .wire {
                var copy = frame.bytes
                copy.withUnsafeMutableBytes { buffer in
                    if case .arp = ParsedFrame(buffer) { return }
                    guard let packet = PacketView(buffer) else {
                        // What the host side says leaves as it is.
                        if !(isDamaged && side == .host) {
                            Issue.record("seed \(seed), step \(step): a malformed packet left")
                        }
                        return
                    }
                    if packet.ipProtocol == .icmp || side == .host { return }
                    #expect(frame.port == 1, "seed \(seed), step \(step): \(text) left as \(packet.fiveTuple)")
                    let isRight =
                        mode == .l2
                        ? packet.destination == BalancerBench.vip
                        : packet.ipProtocol == mode.encapsulation?.protocol
                            && packet.source == BalancerBench.serversAddress
                            && [BalancerBench.b1, BalancerBench.b2].contains(packet.destination)
                    #expect(isRight, "seed \(seed), step \(step): \(text) left as \(packet.fiveTuple)")
                }
            }
            if Int.random(in: 0..<50, using: &random) == 0 {
                _ = bench.pass(.milliseconds(.random(in: 0...3_000, using: &random)))
            }
        }
        _ = bench.pass(.seconds(400))
        #expect(bench.counter("flows") == 0, "seed \(seed)")
        #expect(bench.counter("service.web.member.b1.sessions") == 0, "seed \(seed)")
    }
}

private enum TunnelledPacket {
    static func of(_ frame: [UInt8], _ encapsulation: Encapsulation, to member: IPv4Address) -> [UInt8] {
        let tunnel = Tunnel(encapsulation, from: BalancerBench.serversAddress, to: member)
        var buffer = [UInt8](repeating: 0, count: tunnel.frameLength(packetLength: frame.count - 14))
        let packet = Array(frame[14...])
        _ = buffer.withUnsafeMutableBytes { buffer in packet.withUnsafeBytes { tunnel.wrap($0, into: buffer) } }
        return buffer
    }
}

extension VirtualServiceConfiguration {
    fileprivate func named(_ name: String) -> VirtualServiceConfiguration {
        var copy = self
        copy.name = name
        return copy
    }
}

extension String {
    fileprivate func components(before part: String) -> String {
        var start = startIndex
        while start < endIndex, !self[start...].hasPrefix(part) { start = index(after: start) }
        return String(self[..<start])
    }
}
