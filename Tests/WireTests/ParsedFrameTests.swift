import Testing
import Wire

@Suite struct `Parsing a frame` {
    static func parse<R>(_ bytes: some Collection<UInt8>, _ body: (ParsedFrame) throws -> R) rethrows -> R {
        let memory = GuardedMemory(pages: bytes.count / 4096 + 1)
        return try withExtendedLifetime(memory) { try body(ParsedFrame(memory.place(bytes))) }
    }

    static func layout(_ bytes: some Collection<UInt8>) -> FrameLayout? {
        parse(bytes) { if case .ipv4(let packet) = $0 { packet.layout } else { nil } }
    }

    static func error(_ bytes: some Collection<UInt8>) -> WireError? {
        parse(bytes) { if case .malformed(let error) = $0 { error } else { nil } }
    }

    /// The frame with another IPv4 header field and a right header checksum.
    static func frame(_ bytes: [UInt8], _ offset: Int, _ value: UInt8...) -> [UInt8] {
        var packet = Array(bytes[14...])
        packet.replaceSubrange(offset..<(offset + value.count), with: value)
        return Array(bytes.prefix(14)) + packet.withHeaderChecksum
    }

    @Test func `a TCP frame with padding yields flow, flags and offsets`() throws {
        let layout = try #require(Self.layout(Example.tcp + [0, 0, 0]))
        #expect(layout.fiveTuple.description == "tcp 192.0.2.10:40000 > 198.51.100.100:80")
        #expect(layout.networkOffset == 14 && layout.transportOffset == 34 && layout.payloadOffset == 62)
        #expect(layout.endOffset == 62 && layout.payloadLength == 0 && layout.packetLength == 48)
        #expect(layout.tcpFlags == .syn && layout.hasTransportHeader && !layout.isFragment)
    }

    @Test func `a UDP frame yields its payload`() throws {
        try Self.parse(Example.udp) {
            guard case .ipv4(let packet) = $0 else { throw WireError(.udp, .foreign) }
            #expect(packet.fiveTuple.description == "udp 192.0.2.10:40000 > 198.51.100.100:53")
            #expect(Array(packet.payload) == Array("hello".utf8) && packet.segment.count == 13)
            #expect(packet.isTransportChecksumValid && packet.frameLength == Example.udp.count)
            #expect(packet.timeToLive == 64 && packet.identification == 0x1234 && packet.dontFragment)
            #expect(packet.sourceMAC == Example.clientMAC && packet.destinationMAC == Example.serviceMAC)
            #expect(packet.tcp == nil && packet.icmp == nil && !packet.hasOptions)
        }
    }

    @Test func `an echo request and its reply are two directions of one flow`() throws {
        let request = try #require(Self.layout(Example.ping)).fiveTuple
        let reply = try #require(
            Self.layout(
                Example.frame { buffer in
                    withGuarded([]) {
                        FrameBuilder.icmp(
                            .echoReply(identifier: 0x1234, sequence: 7),
                            in: IPv4Header(source: Example.service, destination: Example.client, protocol: .icmp),
                            from: Example.serviceMAC, to: Example.clientMAC, payload: $0, into: buffer)
                    }
                })
        ).fiveTuple
        #expect(request.sourcePort == 0x1234 && request.reversed == reply)
    }

    @Test func `other frames are what their type says`() {
        Self.parse(Example.arp) {
            guard case .arp(let packet) = $0 else { return #expect(Bool(false), "\($0)") }
            #expect(packet.targetAddress == Example.service && packet.operation == .request)
        }
        // ARP's first byte is not version 6.
        Self.parse(Example.arp.replacing(12, with: 0x86, 0xdd)) {
            guard case .malformed(let error) = $0 else { return #expect(Bool(false), "\($0)") }
            #expect(error.layer == .ipv6)
        }
        Self.parse(Example.arp.replacing(12, with: 0x88, 0xb5)) {
            guard case .other(.localExperimental) = $0 else { return #expect(Bool(false), "\($0)") }
        }
    }

    @Test func `later fragments have no ports, first ones need no end`() throws {
        let later = try #require(Self.layout(Self.frame(Example.udp, 6, 0x00, 0x01)))
        #expect(later.fragment == .later && !later.hasTransportHeader && later.fiveTuple.sourcePort == 0)
        #expect(later.fiveTuple.protocol == .udp && later.payloadOffset == later.transportOffset)
        // UDP says 200 bytes of which the first fragment holds 13.
        var first = Self.frame(Example.udp, 6, 0x20, 0x00)
        first[39] = 200
        let layout = try #require(Self.layout(first))
        #expect(layout.fragment == .first && layout.hasTransportHeader && layout.fiveTuple.sourcePort == 40000)
    }

    @Test func `a protocol without ports has none`() throws {
        let layout = try #require(Self.layout(Example.vrrp))
        #expect(layout.ipProtocol == .vrrp && !layout.hasTransportHeader && layout.payloadLength == 12)
    }

    @Test(arguments: [Example.tcp, Example.udp, Example.ping, Example.arp, Example.vrrp])
    func `a truncated frame is refused at every length`(_ frame: [UInt8]) {
        for length in 0..<frame.count {
            #expect(Self.error(frame.prefix(length)) != nil, "\(length)")
            // Also where the IP header itself claims the shorter length. What VRRP is left with is no concern of this
            // parse, and an ICMP message may have any length from 8 bytes.
            guard length >= 34, frame[12...13] == [8, 0], frame[23] != 112, frame[23] != 1 || length < 42 else {
                continue
            }
            let claimed = Self.frame(Array(frame.prefix(length)), 2, 0, UInt8(length - 14))
            #expect(Self.error(claimed) != nil, "claimed \(length)")
        }
    }

    static let wrong: [(String, [UInt8], WireError.Layer, WireError.Reason)] = [
        ("version 6 in an IPv4 frame", frame(Example.tcp, 0, 0x65), .ipv4, .wrongVersion),
        ("header of 16 bytes", Example.tcp.replacing(14, with: 0x44), .ipv4, .wrongHeaderLength),
        ("header beyond the frame", Example.udp.replacing(14, with: 0x4f), .ipv4, .wrongHeaderLength),
        ("total length below the header", frame(Example.tcp, 2, 0, 19), .ipv4, .wrongLength),
        ("total length beyond the frame", frame(Example.tcp, 2, 5, 220), .ipv4, .wrongLength),
        ("header checksum zero", Example.tcp.replacing(24, with: 0, 0), .ipv4, .wrongChecksum),
        ("TCP header of 16 bytes", Example.tcp.replacing(46, with: 0x40), .tcp, .wrongHeaderLength),
        ("TCP header beyond the packet", Example.tcp.replacing(46, with: 0x80), .tcp, .wrongHeaderLength),
        ("UDP length below its header", Example.udp.replacing(38, with: 0, 7), .udp, .wrongLength),
        ("UDP length beyond the packet", Example.udp.replacing(38, with: 0, 14), .udp, .wrongLength),
        ("ARP for another hardware", Example.arp.replacing(15, with: 6), .arp, .foreign),
    ]

    @Test(arguments: wrong)
    func `a malformed frame is refused with its reason`(
        _ what: String, _ frame: [UInt8], _ layer: WireError.Layer, _ reason: WireError.Reason
    ) {
        let error = Self.error(frame)
        #expect(error?.layer == layer && error?.reason == reason, "\(what): \(error as Any)")
    }

    @Test func `every error is one sentence that names its layer`() {
        for layer in WireError.Layer.allCases {
            for reason in WireError.Reason.allCases {
                let text = WireError(layer, reason, found: 1, expected: 2).description
                #expect(text.hasPrefix("\(layer): ") && text.count > layer.description.count + 10)
            }
        }
        #expect(
            "\(WireError(.tcp, .truncated, found: 12, expected: 20))"
                == "TCP: ends after 12 bytes where its header needs 20")
    }
}
