import Testing
import Wire

@Suite struct `Building frames` {
    static func packet<R>(_ frame: [UInt8], _ body: (PacketView) throws -> R) throws -> R {
        let memory = GuardedMemory()
        return try withExtendedLifetime(memory) { try body(try #require(PacketView(memory.place(frame)))) }
    }

    @Test func `a request, its answer and an announcement are these bytes`() throws {
        #expect(
            Example.arp
                == hex(
                    """
                    ff ff ff ff ff ff 02 00 00 00 00 0a 08 06 00 01 08 00 06 04 00 01
                    02 00 00 00 00 0a c0 00 02 0a 00 00 00 00 00 00 c6 33 64 64
                    """))
        let request = try withGuarded(Example.arp[14...]) { try ARPHeader($0) }
        #expect(
            dirty { FrameBuilder.arpReply(to: request, mac: Example.serviceMAC, into: $0) }
                == hex("02 00 00 00 00 0a 02 00 00 00 00 64 08 06") + ARPTests.bytes)
        let announcement = try #require(
            dirty { FrameBuilder.gratuitousARP(Example.client, mac: .virtualRouter(ipv4: 7), into: $0) })
        #expect(Array(announcement.prefix(12)) == hex("ff ff ff ff ff ff 00 00 5e 00 01 07"))
        let parsed = try withGuarded(announcement[14...]) { try ARPHeader($0) }
        #expect(parsed.isGratuitous && parsed.operation == .request && parsed.senderMAC == .virtualRouter(ipv4: 7))
    }

    @Test func `an advertisement goes to the group with the right time to live`() throws {
        #expect(Array(Example.vrrp.prefix(12)) == hex("01 00 5e 00 00 12 00 00 5e 00 01 07"))
        try Self.packet(Example.vrrp) {
            #expect($0.timeToLive == 255 && $0.ipProtocol == .vrrp && $0.destination == .vrrpRouters)
            let view = try VRRPView($0.segment, source: $0.source, destination: $0.destination)
            let checksum = view.checksum
            #expect(checksum == .pseudoHeader)
        }
    }

    @Test func `an advertisement for IPv6 is a right packet`() throws {
        let source = VRRPTests.source6
        let frame = try #require(
            dirty {
                FrameBuilder.vrrp(
                    VRRPTests.header, addresses: [VRRPTests.virtual6], from: source, mac: .virtualRouter(ipv6: 7),
                    into: $0)
            })
        #expect(Array(frame.prefix(14)) == hex("33 33 00 00 00 12 00 00 5e 00 02 07 86 dd"))
        try withGuarded(frame[14...]) {
            let packet = try IPv6View($0)
            let hopLimit = packet.hopLimit
            let header = VRRPHeader(try VRRPView(packet.transport, source: source, destination: packet.destination))
            #expect(hopLimit == 255 && header == VRRPTests.header)
        }
    }

    @Test func `an error quotes the packet and goes back to its sender`() throws {
        try Self.packet(Example.unreachable) {
            #expect($0.source == Example.service && $0.destination == Example.client)
            #expect($0.destinationMAC == Example.clientMAC && $0.isTransportChecksumValid)
            #expect($0.icmp == .unreachable(code: 3) && Array($0.payload) == Array(Example.udp[14...]))
        }
    }

    @Test func `a minimal quote has the header and eight bytes, a generous one fits 576`() throws {
        let payload = [UInt8](repeating: 7, count: 1000)
        let large = try #require(
            dirty(1100) { buffer in
                withGuarded(payload) {
                    FrameBuilder.udp(
                        UDPHeader(sourcePort: 1, destinationPort: 2), in: Example.packet(.udp), from: Example.clientMAC,
                        to: Example.serviceMAC, payload: $0, into: buffer)
                }
            })
        for (quote, length) in [(ICMPQuote.minimal, 14 + 20 + 8 + 28), (.generous, 14 + 576)] {
            let error = try Self.packet(large) { packet in
                dirty(1100) {
                    FrameBuilder.icmpError(
                        .fragmentationNeeded(mtu: 576), about: packet, quote: quote, from: Example.service,
                        mac: Example.serviceMAC, into: $0)
                }
            }
            #expect(error?.count == length)
        }
    }

    @Test func `errors, groups and fragments are not answered with an error`() throws {
        #expect(try Self.packet(Example.udp, \.mayBeAnsweredWithError))
        #expect(try Self.packet(Example.ping, \.mayBeAnsweredWithError))
        #expect(try !Self.packet(Example.unreachable, \.mayBeAnsweredWithError))
        #expect(try !Self.packet(Example.vrrp, \.mayBeAnsweredWithError))
        #expect(try !Self.packet(Example.udp.replacing(0, with: 0xff), \.mayBeAnsweredWithError))
        #expect(try !Self.packet(`Parsing a frame`.frame(Example.udp, 6, 0, 1), \.mayBeAnsweredWithError))
        #expect(try !Self.packet(`Parsing a frame`.frame(Example.udp, 12, 0, 0, 0, 0), \.mayBeAnsweredWithError))
    }

    @Test func `a SYN is refused with the acknowledgement of its sequence number`() throws {
        let reset = try #require(
            try Self.packet(Example.tcp) { packet in
                dirty { FrameBuilder.tcpReset(refusing: packet, mac: Example.serviceMAC, into: $0) }
            })
        try Self.packet(reset) { packet in
            let header = try #require(packet.tcp)
            #expect(header.flags == [.rst, .ack] && header.sequence == 0 && header.acknowledgement == 0x0102_0305)
            #expect(packet.fiveTuple.description == "tcp 198.51.100.100:80 > 192.0.2.10:40000")
            #expect(packet.isTransportChecksumValid && packet.destinationMAC == Example.clientMAC)
            #expect(dirty { FrameBuilder.tcpReset(refusing: packet, mac: .zero, into: $0) } == nil)
        }
    }

    @Test func `a segment with an acknowledgement is refused at its number`() throws {
        let data = try #require(
            dirty { buffer in
                withGuarded([1, 2, 3]) {
                    FrameBuilder.tcp(
                        TCPHeader(
                            sourcePort: 1, destinationPort: 2, sequence: 5, acknowledgement: 77, flags: [.ack, .psh],
                            window: 1),
                        in: Example.packet(.tcp), from: Example.clientMAC, to: Example.serviceMAC, payload: $0,
                        into: buffer)
                }
            })
        let reset = try #require(
            try Self.packet(data) { packet in
                dirty { FrameBuilder.tcpReset(refusing: packet, mac: Example.serviceMAC, into: $0) }
            })
        let header = try Self.packet(reset) { try #require($0.tcp) }
        #expect(header.flags == .rst && header.sequence == 77 && header.acknowledgement == 0)
    }

    @Test func `a frame that does not fit is not built, at any size`() {
        for size in 0..<Example.udp.count {
            let frame = dirty(size) { buffer in
                withGuarded(Array("hello".utf8)) {
                    FrameBuilder.udp(
                        UDPHeader(sourcePort: 1, destinationPort: 2), in: Example.packet(.udp), from: .zero, to: .zero,
                        payload: $0, into: buffer)
                }
            }
            #expect(frame == nil)
        }
        for size in 0..<Example.vrrp.count {
            #expect(
                dirty(size) {
                    FrameBuilder.vrrp(
                        VRRPTests.header, addresses: [Example.client], from: Example.client, mac: .zero, into: $0)
                } == nil)
        }
        for size in 0..<42 { #expect(dirty(size) { FrameBuilder.gratuitousARP(.any, mac: .zero, into: $0) } == nil) }
    }
}

private typealias ARPTests = `ARP packets`
private typealias VRRPTests = `VRRP advertisements`
