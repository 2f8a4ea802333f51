import Appliances
import Dataplane
import LabTime
import TestSupport
import Testing
import Wire

private let vip = IPv6Address("2001:db8:2::100")!
private let insideAddress = IPv6Address("2001:db8:2::5")!
private let serversAddress = IPv6Address("2001:db8:3::5")!
private let client = IPv6Address("2001:db8:1::10")!
private let router = IPv6Address("2001:db8:2::1")!
private let b1 = IPv6Address("2001:db8:3::21")!
private let b2 = IPv6Address("2001:db8:3::22")!
private let macs: [String: MACAddress] = [
    "rt": MACAddress(2, 0, 0, 0, 1, 0xa), "rt-b": MACAddress(2, 0, 0, 0, 1, 0xb), "lb0": MACAddress(2, 0, 0, 0, 2, 0),
    "lb1": MACAddress(2, 0, 0, 0, 2, 1), "b1": MACAddress(2, 0, 0, 0, 3, 1), "b2": MACAddress(2, 0, 0, 0, 3, 2),
]

/// A dual-stack balancer between a router and two backends, in virtual time. Packets are text, short for
/// `in rt>lb0 tcp [source]:port > [destination]:port SYN`; every IPv6 frame that leaves has a right checksum.
private final class Bench {
    var balancer: LoadBalancer
    var now = Instant(nanoseconds: 1_000_000_000)

    init(_ profile: ServiceProfile, _ translation: SourceTranslation, scheduler: Scheduler = .roundRobin, mtu: Int = 1500) throws {
        balancer = try LoadBalancer(Self.configuration(profile, translation, scheduler, mtu), flowCapacity: 1024)
        ask(b1, "b1", for: serversAddress, on: 1)
        ask(b2, "b2", for: serversAddress, on: 1)
        ask(router, "rt", for: insideAddress, on: 0)
    }

    static func configuration(
        _ profile: ServiceProfile, _ translation: SourceTranslation, _ scheduler: Scheduler = .roundRobin, _ mtu: Int = 1500
    ) -> LoadBalancerConfiguration {
        LoadBalancerConfiguration(
            name: "lb",
            ports: [
                PortConfiguration(
                    name: "inside", mac: macs["lb0"]!, address: IPv4InterfaceAddress("198.51.100.5/24"),
                    ipv6: IPv6InterfaceAddress(insideAddress, prefixLength: 64)),
                PortConfiguration(
                    name: "servers", mac: macs["lb1"]!, address: nil,
                    ipv6: IPv6InterfaceAddress(serversAddress, prefixLength: 64), mtu: mtu),
            ], routes: [RouteConfiguration(destination: .any, gateway: router)],
            services: [
                VirtualServiceConfiguration(
                    name: "web", address: vip, port: 80, profile: profile, scheduler: scheduler,
                    sourceTranslation: translation,
                    members: [
                        PoolMemberConfiguration(name: "b1", address: b1, port: 8080),
                        PoolMemberConfiguration(name: "b2", address: b2, port: 8080),
                    ], monitor: nil, idleTimeout: .seconds(60))
            ])
    }

    /// A neighbour asks for an address of the balancer, and so becomes known.
    func ask(_ source: IPv6Address, _ station: String, for target: IPv6Address, on port: PortIndex) {
        let bytes = Self.build {
            FrameBuilder.neighborSolicitation(for: target, from: source, mac: macs[station]!, into: $0)
        }
        #expect(process(bytes, on: port).count == 1)
    }

    static func build(_ emit: (UnsafeMutableRawBufferPointer) -> Int?) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xa5, count: 2048)
        let length = bytes.withUnsafeMutableBytes { emit($0) }
        return Array(bytes.prefix(length!))
    }

    static func frame(_ text: String, size: Int = 4, hopLimit: UInt8 = 64) -> [UInt8] {
        let words = text.split(separator: " ").map(String.init)
        let link = words[0].split(separator: ">").map { macs[String($0)]! }
        func end(_ word: String) -> (IPv6Address, UInt16) {
            let parts = word.dropFirst().split(separator: "]")
            return (IPv6Address(String(parts[0]))!, UInt16(parts[1].dropFirst())!)
        }
        let (source, sourcePort) = end(words[2])
        let (destination, destinationPort) = end(words[4])
        let header = IPv6Header(source: source, destination: destination, nextHeader: .none, hopLimit: hopLimit)
        let payload = [UInt8](repeating: 0x70, count: size)
        return build { buffer in
            payload.withUnsafeBytes { payload in
                words[1] == "tcp"
                    ? FrameBuilder.tcp(
                        TCPHeader(
                            sourcePort: sourcePort, destinationPort: destinationPort, sequence: 1, acknowledgement: 1,
                            flags: BalancerBench.flags(words[5]), window: 1000), in: header, from: link[0], to: link[1],
                        payload: payload, into: buffer)
                    : FrameBuilder.udp(
                        UDPHeader(sourcePort: sourcePort, destinationPort: destinationPort), in: header, from: link[0],
                        to: link[1], payload: payload, into: buffer)
            }
        }
    }

    func send(_ text: String, size: Int = 4, hopLimit: UInt8 = 64) -> [String] {
        let frame = Self.frame(text, size: size, hopLimit: hopLimit)
        return process(frame, on: text.hasPrefix("b") ? 1 : 0)
    }

    func process(_ bytes: [UInt8], on port: PortIndex) -> [String] { raw(bytes, on: port).map { Self.text($0.0, $0.1) } }

    /// - Parameter isDamaged: a wrong checksum that came in leaves as wrong
    func raw(_ bytes: [UInt8], on port: PortIndex, isDamaged: Bool = false) -> [(PortIndex, [UInt8])] {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 2048, alignment: 64)
        defer { memory.deallocate() }
        bytes.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
        var frame = Frame(base: memory, length: Int32(bytes.count), port: port, side: .wire)
        var output = FrameQueue()
        withUnsafePointer(to: &frame) {
            balancer.process(UnsafeBufferPointer(start: $0, count: 1), at: now, into: &output)
        }
        return (0..<output.count).map { index in
            let frame = output[index]
            if frame.side == .wire, !isDamaged, let packet = IPv6PacketView(frame.bytes) {
                #expect(packet.isTransportChecksumValid, "\(packet.fiveTuple) left with a wrong checksum")
            }
            return (frame.port, Array(UnsafeRawBufferPointer(frame.bytes)))
        }
    }

    static func text(_ port: PortIndex, _ bytes: [UInt8]) -> String {
        var bytes = bytes
        return bytes.withUnsafeMutableBytes { buffer in
            guard let packet = IPv6PacketView(buffer) else { return "\(port) ?" }
            func station(_ mac: MACAddress) -> String { macs.first { $0.value == mac }?.key ?? mac.description }
            let link = "\(station(packet.sourceMAC))>\(station(packet.destinationMAC))"
            guard let icmp = packet.icmp else {
                return "\(link) \(packet.fiveTuple)" + (packet.ipProtocol == .tcp ? " \(packet.tcpFlags)" : "")
            }
            let about = IPv6FiveTuple.quoted(in: packet).map { " about \($0.fiveTuple)" } ?? ""
            return "\(link) icmpv6 \(packet.source) > \(packet.destination) \(icmp.type.rawValue)/\(icmp.code)\(about)"
        }
    }

    func pass(_ duration: Duration) {
        now = now + duration
        var output = FrameQueue()
        balancer.advance(to: now, into: &output)
    }

    func counter(_ name: String) -> UInt64 { balancer.counters.first { $0.name == name }?.value ?? .max }
}

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
        let (one, other) = (try Bench(.udpFastPath, .off, scheduler: .consistentHash), try Bench(.udpFastPath, .off, scheduler: .consistentHash))
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
        var output = FrameQueue()
        bench.balancer.start(at: bench.now, into: &output)
        let announced = (0..<output.count).compactMap { index -> String? in
            guard let packet = IPv6PacketView(output[index].bytes), packet.icmp?.type == .neighborAdvertisement else { return nil }
            #expect(packet.isTransportChecksumValid && packet.destination == .allNodes)
            return "\(packet.source)"
        }
        #expect(announced == ["\(insideAddress)", "\(vip)", "\(serversAddress)"])
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
    func `translates ICMPv6 errors about its sessions, quote and checksums included`(translation: SourceTranslation) throws {
        let bench = try Bench(.tcpFastPath, translation)
        let toMember = bench.raw(Bench.frame("rt>lb0 tcp [\(client)]:40000 > [\(vip)]:80 SYN"), on: 0)[0].1
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
        #expect(sent.map { Bench.text($0.0, $0.1) } == ["lb0>rt icmpv6 \(hop) > \(client) 2/0 \(about)"])
        var out = try #require(sent.first?.1)
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
            for (_, bytes) in bench.raw(frame, on: .random(in: 0...1, using: &random), isDamaged: true) {
                #expect(bytes.count >= 54, "seed \(seed)")
            }
        }
    }
}
