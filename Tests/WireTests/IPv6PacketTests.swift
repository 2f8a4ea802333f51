import Testing
import TestSupport
import Wire

/// IPv6 packets of the examples' stations.
enum Example6 {
    static let client = IPv6Address("2001:db8:1::10")!
    static let service = IPv6Address("2001:db8:2::100")!

    static func header(_ next: IPProtocol, hopLimit: UInt8 = 64) -> IPv6Header {
        IPv6Header(source: client, destination: service, nextHeader: next, hopLimit: hopLimit)
    }

    static let udp = Example.frame { buffer in
        withGuarded(Array("hello".utf8)) {
            FrameBuilder.udp(
                UDPHeader(sourcePort: 40000, destinationPort: 53), in: header(.udp), from: Example.clientMAC,
                to: Example.serviceMAC, payload: $0, into: buffer)
        }
    }

    static let tcp = Example.frame { buffer in
        FrameBuilder.tcp(
            TCPHeader(
                sourcePort: 40000, destinationPort: 80, sequence: 0x0102_0304, flags: .syn, window: 64240,
                maximumSegmentSize: 1440, windowScale: 7),
            in: header(.tcp), from: Example.clientMAC, to: Example.serviceMAC, into: buffer)
    }

    static let ping = Example.frame { buffer in
        withGuarded(Array("ping".utf8)) {
            FrameBuilder.icmp(
                ICMPv6Header(type: .echoRequest, rest: 0x1234_0007), in: header(.icmpv6), from: Example.clientMAC,
                to: Example.serviceMAC, body: $0, into: buffer)
        }
    }

    /// Packet too big, about `udp`.
    static let tooBig: [UInt8] = {
        let memory = GuardedMemory()
        return withExtendedLifetime(memory) {
            let packet = IPv6PacketView(memory.place(udp))!
            return Example.frame {
                FrameBuilder.icmpv6Error(
                    ICMPv6Header(type: .packetTooBig, rest: 1280), about: packet, from: service,
                    mac: Example.serviceMAC, into: $0)
            }
        }
    }()

    static let solicitation = Example.frame {
        FrameBuilder.neighborSolicitation(for: service, from: client, mac: Example.clientMAC, into: $0)
    }

    static let all = [udp, tcp, ping, tooBig, solicitation]
}

@Suite struct `IPv6 packets in frames` {
    /// Lends the packet of a frame in guarded memory.
    static func packet<R>(_ frame: [UInt8], _ body: (inout IPv6PacketView) throws -> R) throws -> R {
        let memory = GuardedMemory()
        return try withExtendedLifetime(memory) {
            var packet = try #require(IPv6PacketView(memory.place(frame)))
            return try body(&packet)
        }
    }

    /// Puts extension headers between the IPv6 header and what it carries.
    static func extended(_ frame: [UInt8], by headers: [UInt8], first: UInt8) -> [UInt8] {
        var frame = frame
        frame.insert(contentsOf: headers, at: 54)
        frame[20] = first
        let length = frame.count - 54
        frame[18] = UInt8(length >> 8)
        frame[19] = UInt8(length & 0xff)
        return frame
    }

    @Test func `have their flow, ports and flags where they are`() throws {
        try Self.packet(Example6.tcp) { packet in
            #expect("\(packet.fiveTuple)" == "tcp [2001:db8:1::10]:40000 > [2001:db8:2::100]:80")
            #expect(packet.tcpFlags == .syn && packet.timeToLive == 64 && !packet.hasOptions)
            #expect(packet.isTransportChecksumValid && packet.tcp?.maximumSegmentSize == 1440)
            #expect(packet.fiveTuple.reversed.reversed == packet.fiveTuple)
        }
        try Self.packet(Example6.ping) { packet in
            #expect(packet.sourcePort == 0x1234 && packet.destinationPort == 0x1234)
            #expect(packet.icmp?.type == .echoRequest && packet.isTransportChecksumValid)
        }
    }

    @Test func `are found behind extension headers, and later fragments have no ports`() throws {
        // Hop-by-hop options, then destination options of 16 bytes, then TCP.
        let options: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0, 6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try Self.packet(Self.extended(Example6.tcp, by: options, first: 0)) { packet in
            #expect(packet.destinationPort == 80 && packet.hasOptions && packet.isTransportChecksumValid)
            packet.rewriteDestination(Example6.client, port: 8080)
            #expect(packet.isTransportChecksumValid && packet.tcp?.destinationPort == 8080)
        }
        try Self.packet(Self.extended(Example6.udp, by: [17, 0, 0, 1, 0, 0, 0, 9], first: 44)) { packet in
            #expect(packet.layout.fragment == .first && packet.destinationPort == 53)
        }
        try Self.packet(Self.extended(Example6.udp, by: [17, 0, 0, 8, 0, 0, 0, 9], first: 44)) { packet in
            #expect(packet.layout.fragment == .later && packet.destinationPort == 0 && packet.ipProtocol == .udp)
        }
    }

    @Test func `that are cut off anywhere are malformed, not read beyond`() {
        let memory = GuardedMemory()
        for frame in Example6.all {
            for length in 0..<frame.count {
                guard case .malformed = ParsedFrame(memory.place(frame.prefix(length))) else {
                    Issue.record("\(length) of \(frame.count) bytes were taken for a whole frame")
                    continue
                }
            }
        }
    }

    @Test(arguments: 1...20)
    func `get any other flow with right checksums`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func address() -> IPv6Address { IPv6Address(high: random.next(), low: random.next()) }
        for frame in [Example6.udp, Example6.tcp, Example6.ping] {
            let new = IPv6FiveTuple(
                source: address(), destination: address(), sourcePort: .random(in: 1...0xffff, using: &random),
                destinationPort: .random(in: 1...0xffff, using: &random), protocol: .tcp)
            try Self.packet(frame) { packet in
                packet.rewrite(to: new)
                #expect(packet.isTransportChecksumValid, "seed \(seed)")
                #expect(packet.source == new.source && packet.destination == new.destination)
                #expect(packet.sourcePort == new.sourcePort)
                #expect(packet.decrementTimeToLive() && packet.timeToLive == 63)
            }
        }
    }

    @Test func `never have a UDP checksum of zero`() throws {
        try Self.packet(Example6.udp.replacing(60, with: 0, 0)) { #expect(!$0.isTransportChecksumValid) }
    }

    @Test func `that ICMPv6 may not answer are told`() throws {
        #expect(try Self.packet(Example6.udp) { $0.mayBeAnsweredWithError(.timeExceeded) })
        #expect(try Self.packet(Example6.ping) { $0.mayBeAnsweredWithError(.unreachable) })
        // Errors are not answered, nor packets from nobody.
        #expect(try !Self.packet(Example6.tooBig) { $0.mayBeAnsweredWithError(.timeExceeded) })
        let nobody = Example6.udp.prefix(22) + [UInt8](repeating: 0, count: 16) + Example6.udp.dropFirst(38)
        #expect(try !Self.packet(Array(nobody)) { $0.mayBeAnsweredWithError(.timeExceeded) })
        // To a group only that a packet is too big. Source: RFC 4443, 2.4 (e.3)
        let group = Example6.udp.replacing(38, with: 0xff)
        #expect(try !Self.packet(group) { $0.mayBeAnsweredWithError(.timeExceeded) })
        #expect(try Self.packet(group) { $0.mayBeAnsweredWithError(.packetTooBig) })
    }

    @Test func `are quoted by errors up to 1280 bytes`() throws {
        try Self.packet(Example6.tooBig) { error in
            let quoted = try #require(IPv6.quoted(in: error))
            #expect("\(quoted.fiveTuple)" == "udp [2001:db8:1::10]:40000 > [2001:db8:2::100]:53" && quoted.hasPorts)
            #expect(error.destination == Example6.client && error.isTransportChecksumValid)
        }
        let large = [UInt8](repeating: 7, count: 1400)
        let frame = try #require(
            dirty(1600) { buffer in
                large.withUnsafeBytes {
                    FrameBuilder.udp(
                        UDPHeader(sourcePort: 1, destinationPort: 2), in: Example6.header(.udp),
                        from: Example.clientMAC, to: Example.serviceMAC, payload: $0, into: buffer)
                }
            })
        let error = try Self.packet(frame) { packet in
            dirty(1600) {
                FrameBuilder.icmpv6Error(
                    ICMPv6Header(type: .timeExceeded), about: packet, from: Example6.service, mac: Example.serviceMAC,
                    into: $0)
            }
        }
        #expect(error?.count == 1280 + 14)
    }
}

@Suite struct `Five-tuples of IPv6` {
    @Test func `of both directions differ in hash, and each bit counts`() {
        let tuple = IPv6FiveTuple(
            source: Example6.client, destination: Example6.service, sourcePort: 40000, destinationPort: 80,
            protocol: .tcp)
        #expect(tuple.mixedHash != tuple.reversed.mixedHash)
        var seen: Set<UInt64> = [tuple.mixedHash]
        for bit in 0..<64 {
            var other = tuple
            other.source = IPv6Address(high: tuple.source.high ^ 1 << UInt64(bit), low: tuple.source.low)
            seen.insert(other.mixedHash)
            other.source = IPv6Address(high: tuple.source.high, low: tuple.source.low ^ 1 << UInt64(bit))
            seen.insert(other.mixedHash)
        }
        for bit in 0..<32 {
            var other = tuple
            other.portsAndProtocol ^= 1 << UInt64(bit)
            seen.insert(other.mixedHash)
        }
        #expect(seen.count == 1 + 128 + 32)
    }

    @Test func `scatter evenly over the buckets of a table`() {
        // 4096 clients of one subnet over 1024 buckets: 4 each; a poor hash would leave most of them empty.
        var buckets = [Int](repeating: 0, count: 1024)
        for host in 0..<4096 {
            let tuple = IPv6FiveTuple(
                source: IPv6Address(high: Example6.client.high, low: UInt64(host)), destination: Example6.service,
                sourcePort: 40000, destinationPort: 80, protocol: .tcp)
            buckets[Int(tuple.keyedHash(seed: 42) & 1023)] += 1
        }
        #expect(buckets.max()! <= 20 && buckets.count(where: { $0 == 0 }) < 60)
    }
}

@Suite struct `Addresses of either family` {
    @Test func `are read and written as people do`() throws {
        #expect(IPAddress("192.0.2.1") == .ipv4(IPv4Address(192, 0, 2, 1)))
        #expect(IPAddress("2001:DB8::1")?.description == "2001:db8::1")
        #expect(IPAddress("2001:db8::1")?.endpoint(port: 7) == "[2001:db8::1]:7")
        #expect(IPAddress("192.0.2.1")?.endpoint(port: 7) == "192.0.2.1:7")
        #expect(IPAddress("2001:db8::1/64") == nil && IPAddress("") == nil && IPAddress("[::1]") == nil)
        #expect(IPNetwork("2001:db8::/64")?.contains(try #require(IPAddress("2001:db8::9"))) == true)
        #expect(IPNetwork("0.0.0.0/0")?.contains(try #require(IPAddress("2001:db8::9"))) == false)
        #expect(IPInterfaceAddress("2001:db8::9/64")?.network == IPNetwork("2001:db8::/64"))
        #expect(try #require(IPAddress("255.0.0.1")) < #require(IPAddress("::2")))
    }

    @Test func `keep their family as keys of one table`() throws {
        for text in ["192.0.2.1", "0.0.0.0", "2001:db8::1", "fe80::1", "::"] {
            let address = try #require(IPAddress(text))
            #expect(IPAddress(universal: address.universal) == address)
        }
        // What could be mistaken for IPv4 never comes from a link.
        #expect(try !#require(IPv6Address("::ffff:192.0.2.1")).isRoutable)
        #expect(try #require(IPv6Address("fe80::1")).isNeighbor && !#require(IPv6Address("fe80::1")).isRoutable)
    }
}
