import Appliances
import Configuration
import Dataplane
import LabTime
import TestSupport
import Testing
import VirtualNetwork
import Wire

private typealias Bench = IPv6BalancerBench
private let (client, vip, b1, b2) = (Bench.client, Bench.vip, Bench.b1, Bench.b2)
private let (lb, router) = (Bench.serversAddress, Bench.router)

/// Direct server return of IPv6: at layer 2, and by IPv6 in IPv6.
@Suite struct IPv6DirectReturnTests {
    private func bench(
        _ mode: DirectReturnConfiguration.Mode, _ profile: ServiceProfile = .tcpFastPath, members: Int = 2,
        monitor: MonitorConfiguration? = nil, change: (inout DirectReturnConfiguration) -> Void = { _ in }
    ) throws -> Bench {
        try Bench(Self.configuration(mode, profile, members: members, monitor: monitor, change: change))
    }

    private static func configuration(
        _ mode: DirectReturnConfiguration.Mode, _ profile: ServiceProfile = .tcpFastPath, members: Int = 2,
        monitor: MonitorConfiguration? = nil, change: (inout DirectReturnConfiguration) -> Void = { _ in }
    ) -> LoadBalancerConfiguration {
        var configuration = Bench.configuration(profile, .off, .consistentHash)
        var direct = DirectReturnConfiguration(mode: mode)
        change(&direct)
        configuration.services[0].directReturn = direct
        configuration.services[0].monitor = monitor
        configuration.services[0].members = Array(configuration.services[0].members.prefix(members))
        for index in configuration.services[0].members.indices { configuration.services[0].members[index].port = 80 }
        return configuration
    }

    private static let flow = "[\(client)]:40000 > [\(vip)]:80"

    /// A tunnel packet as `lb1>b1 {source > destination} tcp …`; all others as the bench has them.
    private static func text(_ frame: BoxFrame) -> String {
        let bytes = frame.bytes
        var copy = bytes
        let ends = copy.withUnsafeMutableBytes { buffer -> String? in
            guard let outer = IPv6PacketView(buffer), outer.ipProtocol == .ipv6 else { return nil }
            #expect(outer.timeToLive == 64)
            return "{\(outer.source) > \(outer.destination)}"
        }
        guard let ends else { return Bench.line(bytes) }
        let words = Bench.line(Array(bytes[..<14] + bytes[54...])).split(separator: " ", maxSplits: 1)
        return "\(words[0]) \(ends) \(words[1])"
    }

    private static func way(_ mode: DirectReturnConfiguration.Mode, _ number: Int = 1) -> String {
        "lb1>b\(number)" + (mode == .l2 ? "" : " {\(lb) > \(number == 1 ? b1 : b2)}")
    }

    private func send(_ bench: Bench, _ text: String, size: Int = 4) -> [String] {
        bench.raw(Bench.frame(text, size: size), on: text.hasPrefix("b") ? 1 : 0).map(Self.text)
    }

    @Test(
        arguments: [DirectReturnConfiguration.Mode.l2, .ip6ip6],
        [ServiceProfile.tcpFastPath, .udpFastPath, .udpPerPacket])
    func `the client's packet goes to a member as it is, but for its hop limit`(
        mode: DirectReturnConfiguration.Mode, profile: ServiceProfile
    ) throws {
        let bench = try bench(mode, profile, members: 1)
        let sent = Bench.frame(
            profile == .tcpFastPath ? "rt>lb0 tcp \(Self.flow) SYN" : "rt>lb0 udp \(Self.flow)", hopLimit: 63)
        let out = bench.raw(sent, on: 0)
        let what = profile == .tcpFastPath ? "tcp \(Self.flow) SYN" : "udp \(Self.flow)"
        #expect(out.map(Self.text) == ["\(Self.way(mode)) \(what)"])
        var inner = Array(out[0].bytes[(mode == .l2 ? 14 : 54)...])
        #expect(inner[7] == 62)
        inner[7] = 63
        #expect(inner == Array(sent[14...]))
    }

    @Test func `all packets of a flow have one label, and flows have several`() throws {
        let bench = try bench(.ip6ip6, members: 1)
        func label(_ port: Int, _ flags: String) -> [UInt8] {
            Array(
                bench.raw(Bench.frame("rt>lb0 tcp [\(client)]:\(port) > [\(vip)]:80 \(flags)"), on: 0)[0].bytes[15..<18]
            )
        }
        #expect(label(40_000, "SYN") == label(40_000, "PSH,ACK"))
        #expect(Set((1000..<1020).map { label($0, "SYN") }).count > 15)
    }

    @Test func `who sends what the tunnel does not take is told 1460, or nobody`() throws {
        for reports in [true, false] {
            let bench = try bench(.ip6ip6, members: 1) { $0.reportsPathMTU = reports }
            _ = send(bench, "rt>lb0 tcp \(Self.flow) SYN")
            let fits = send(bench, "rt>lb0 tcp \(Self.flow) PSH,ACK", size: 1400)
            #expect(fits == ["\(Self.way(.ip6ip6)) tcp \(Self.flow) PSH,ACK"])
            let out = bench.raw(Bench.frame("rt>lb0 tcp \(Self.flow) PSH,ACK", size: 1401), on: 0)
            #expect(
                out.map(Self.text)
                    == (reports ? ["lb0>rt icmpv6 \(Bench.insideAddress) > \(client) 2/0 about tcp \(Self.flow)"] : []))
            if reports { #expect(Array(out[0].bytes[58..<62]) == [0, 0, 1460 >> 8, 1460 & 0xff]) }
            #expect(bench.counter("drop.packet-too-big") == 1)
        }
    }

    @Test func `a client's SYN is clamped where asked, to what fits`() throws {
        let bench = try bench(.ip6ip6, members: 1) { $0.clampsSegmentSize = true }
        let syn = Bench.build {
            FrameBuilder.tcp(
                TCPHeader(
                    sourcePort: 40_000, destinationPort: 80, sequence: 1, flags: .syn, window: 1000,
                    maximumSegmentSize: 1440),
                in: IPv6Header(source: client, destination: vip, nextHeader: .tcp), from: Bench.macs["rt"]!,
                to: Bench.macs["lb0"]!, into: $0)
        }
        var inner = Array(bench.raw(syn, on: 0)[0].bytes)
        inner.removeSubrange(14..<54)
        #expect(Array(inner[74..<78]) == [2, 4, 1400 >> 8, 1400 & 0xff])
        #expect(inner.withUnsafeMutableBytes { IPv6PacketView($0)!.isTransportChecksumValid })
    }

    // MARK: Errors

    private func error(
        _ header: ICMPv6Header, about quoted: [UInt8], from source: IPv6Address, to destination: IPv6Address,
        on station: String, quoting count: Int = 1232
    ) -> [UInt8] {
        Bench.build { buffer in
            Array(quoted[14..<min(14 + count, quoted.count)]).withUnsafeBytes {
                FrameBuilder.icmp(
                    header, in: IPv6Header(source: source, destination: destination, nextHeader: .icmpv6),
                    from: Bench.macs[station]!, to: Bench.macs[station == "rt" ? "lb0" : "lb1"]!, body: $0, into: buffer
                )
            }
        }
    }

    @Test(arguments: [DirectReturnConfiguration.Mode.l2, .ip6ip6])
    func `an error about a member's answer reaches that member, whether its flow is known or not`(
        mode: DirectReturnConfiguration.Mode
    ) throws {
        for isKnown in [true, false] {
            let bench = try bench(mode)
            let other = try self.bench(mode)
            let sent = send(isKnown ? bench : other, "rt>lb0 tcp \(Self.flow) SYN")
            let way = try #require([1, 2].map { Self.way(mode, $0) }.first { sent[0].hasPrefix($0) })
            let answer = Bench.frame("b1>lb1 tcp [\(vip)]:80 > [\(client)]:40000 PSH,ACK", size: 1400)
            let back = error(
                ICMPv6Header(type: .packetTooBig, rest: 1300), about: answer, from: router, to: vip, on: "rt")
            #expect(
                bench.raw(back, on: 0).map(Self.text)
                    == ["\(way) icmpv6 \(router) > \(vip) 2/0 about tcp [\(vip)]:80 > [\(client)]:40000"])
        }
    }

    @Test func `packet too big about a tunnel packet reaches the client, about its own packet, and is remembered`()
        throws
    {
        let bench = try bench(.ip6ip6, members: 1)
        _ = send(bench, "rt>lb0 tcp \(Self.flow) SYN")
        let large = Bench.frame("rt>lb0 tcp \(Self.flow) PSH,ACK", size: 1400)
        let sent = bench.raw(large, on: 0)[0].bytes
        let hop = IPv6Address("2001:db8:3::fe")!
        let back = error(ICMPv6Header(type: .packetTooBig, rest: 1400), about: sent, from: hop, to: lb, on: "b1")
        let out = bench.raw(back, on: 1)
        #expect(
            out.map(Self.text) == ["lb0>rt icmpv6 \(Bench.insideAddress) > \(client) 2/0 about tcp \(Self.flow)"])
        #expect(Array(out[0].bytes[58..<62]) == [0, 0, 1360 >> 8, 1360 & 0xff])
        #expect(send(bench, "rt>lb0 tcp \(Self.flow) PSH,ACK", size: 1301)[0].contains(" 2/0 "))
        #expect(
            send(bench, "rt>lb0 tcp \(Self.flow) PSH,ACK", size: 1300) == [
                "\(Self.way(.ip6ip6)) tcp \(Self.flow) PSH,ACK"
            ])
        bench.pass(.seconds(601))
        #expect(!bench.raw(large, on: 0).map(Self.text)[0].contains(" 2/0 "))
    }

    @Test func `nobody talks the balancer below the least packet of IPv6`() throws {
        let bench = try bench(.ip6ip6, members: 1)
        let sent = bench.raw(Bench.frame("rt>lb0 tcp \(Self.flow) PSH,ACK", size: 1400), on: 0)[0].bytes
        let back = error(ICMPv6Header(type: .packetTooBig, rest: 600), about: sent, from: b1, to: lb, on: "b1")
        let out = bench.raw(back, on: 1)
        #expect(Array(out[0].bytes[58..<62]) == [0, 0, 1280 >> 8, 1280 & 0xff])
        // A packet of 1280 bytes still goes.
        #expect(
            send(bench, "rt>lb0 tcp \(Self.flow) PSH,ACK", size: 1220) == [
                "\(Self.way(.ip6ip6)) tcp \(Self.flow) PSH,ACK"
            ])
    }

    @Test func `a quote without the inner ports teaches the MTU and is told with the next packet`() throws {
        let bench = try bench(.ip6ip6, members: 1)
        let large = Bench.frame("rt>lb0 tcp \(Self.flow) PSH,ACK", size: 1400)
        let sent = bench.raw(large, on: 0)[0].bytes
        let back = error(
            ICMPv6Header(type: .packetTooBig, rest: 1400), about: sent, from: b1, to: lb, on: "b1", quoting: 80)
        #expect(bench.raw(back, on: 1).isEmpty)
        #expect(bench.counter("drop.icmp-without-flow") == 1)
        #expect(bench.raw(large, on: 0).map(Self.text)[0].contains(" 2/0 "))
    }

    @Test func `any other error about a tunnel packet is address unreachable to the client`() throws {
        for header in [
            ICMPv6Header(type: .parameterProblem, code: 1, rest: 6), ICMPv6Header(type: .timeExceeded),
            ICMPv6Header(type: .unreachable, code: ICMPv6UnreachableCode.port),
        ] {
            let bench = try bench(.ip6ip6, members: 1)
            let sent = bench.raw(Bench.frame("rt>lb0 tcp \(Self.flow) SYN"), on: 0)[0].bytes
            let back = error(header, about: sent, from: b1, to: lb, on: "b1")
            #expect(
                bench.process(back, on: 1)
                    == ["lb0>rt icmpv6 \(Bench.insideAddress) > \(client) 1/3 about tcp \(Self.flow)"])
            // A broken one goes nowhere.
            var broken = back
            broken[56] ^= 0x55
            #expect(bench.raw(broken, on: 1).isEmpty)
            #expect(bench.counter("drop.malformed-transport") == 1)
        }
    }

    // MARK: Monitors

    @Test(arguments: [DirectReturnConfiguration.Mode.l2, .ip6ip6])
    func `a monitor asks for the service by the way of clients' packets, and hears the member`(
        mode: DirectReturnConfiguration.Mode
    ) throws {
        let monitor = MonitorConfiguration(
            kind: .tcp, interval: .seconds(1), timeout: .seconds(1), fall: 1, rise: 1)
        let bench = try bench(mode, members: 1, monitor: monitor)
        let probe = Bench.frame("lb1>b1 tcp [\(lb)]:50000 > [\(b1)]:80 SYN")
        let out = bench.raw(probe, on: 1, side: .host).map(Self.text)
        let start = "\(Self.way(mode)) tcp [\(lb)]:"
        #expect(out.count == 1 && out[0].hasPrefix(start) && out[0].hasSuffix(" > [\(vip)]:80 SYN"), "\(out)")
        let port = out[0].dropFirst(start.count).prefix { $0.isNumber }
        let back = bench.process(Bench.frame("b1>lb1 tcp [\(vip)]:80 > [\(lb)]:\(port) SYN,ACK"), on: 1)
        #expect(back == ["b1>lb1 tcp [\(b1)]:80 > [\(lb)]:50000 SYN,ACK"])
    }

    // MARK: Refusals

    @Test func `extension headers, fragments and a source that is the service's own go nowhere`() throws {
        let bench = try bench(.ip6ip6, .udpFastPath)
        let good = Bench.frame("rt>lb0 udp \(Self.flow)")
        func extended(_ header: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            var frame = good
            frame.insert(contentsOf: [frame[20]] + bytes, at: 54)
            frame[20] = header
            frame[19] += 8
            return frame
        }
        #expect(bench.raw(extended(60, [0, 1, 4, 0, 0, 0, 0]), on: 0).isEmpty)
        #expect(bench.counter("drop.ip-options") == 1)
        #expect(bench.raw(extended(44, [0, 0, 1, 0, 0, 0, 9]), on: 0).isEmpty)
        #expect(bench.counter("drop.fragment") == 1)
        #expect(send(bench, "rt>lb0 udp [\(vip)]:40000 > [\(vip)]:80").isEmpty)
        #expect(bench.counter("drop.source-address-invalid") == 1)
    }

    @Test func `a mode of the other family and a link without room for the least packet are refused`() {
        for mode in [DirectReturnConfiguration.Mode.ipip, .gre] {
            #expect(throws: ConfigurationError.self) { _ = try LoadBalancer(Self.configuration(mode)) }
        }
        var narrow = Self.configuration(.ip6ip6)
        narrow.ports[1].mtu = 1319
        #expect(
            throws: ConfigurationError(
                "the interface towards member b1 of service web has the MTU 1319; ip6ip6 needs 1320")
        ) { _ = try LoadBalancer(narrow) }
        narrow.ports[1].mtu = 1320
        #expect(throws: Never.self) { _ = try LoadBalancer(narrow) }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `survives damaged frames, and nothing is wrapped for a stranger`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let bench = try bench(seed % 2 == 0 ? .ip6ip6 : .l2, seed > 2 ? .udpPerPacket : .tcpFastPath)
        let sent = try #require(
            bench.raw(
                Bench.frame("rt>lb0 " + (seed > 2 ? "udp \(Self.flow)" : "tcp \(Self.flow) PSH,ACK"), size: 900), on: 0
            ).first
        ).bytes
        let frames = [
            Bench.frame("rt>lb0 tcp \(Self.flow) SYN"), Bench.frame("rt>lb0 udp \(Self.flow)"),
            error(ICMPv6Header(type: .packetTooBig, rest: 1350), about: sent, from: b1, to: lb, on: "b1"),
            error(
                ICMPv6Header(type: .packetTooBig, rest: 1350),
                about: Bench.frame("b1>lb1 tcp [\(vip)]:80 > [\(client)]:40000 PSH,ACK"), from: router, to: vip,
                on: "rt"),
        ]
        for _ in 0..<4000 {
            var frame = frames.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                frame[.random(in: 12..<frame.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                frame = Array(frame.prefix(.random(in: 1...frame.count, using: &random)))
            }
            for left in bench.raw(frame, on: .random(in: 0...1, using: &random), isDamaged: true) {
                var copy = left.bytes
                copy.withUnsafeMutableBytes { buffer in
                    guard let packet = IPv6PacketView(buffer), packet.ipProtocol == .ipv6 else { return }
                    // What is for the box itself is its kernel's.
                    if [lb, vip, Bench.insideAddress].contains(packet.destination) { return }
                    #expect(packet.source == lb && [b1, b2].contains(packet.destination), "seed \(seed)")
                }
            }
        }
    }
}
