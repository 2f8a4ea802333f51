import Dataplane
import TestSupport
import Testing
import Wire

@Suite struct TunnelTests {
    static let ofIPv4 = Encapsulation.allCases.filter { $0.family == .ipv4 }
    static let balancer = IPv4Address(10, 0, 0, 5)
    static let member = IPv4Address(10, 0, 0, 11)
    static let client = IPv4Address(192, 0, 2, 10)
    static let vip = IPv4Address(10, 0, 0, 100)

    static func end(_ encapsulation: Encapsulation) -> TunnelEnd {
        TunnelEnd(encapsulation, local: member, remotes: [balancer], destinations: [vip])
    }

    /// A frame with a client's packet to the service.
    static func request(
        from source: IPv4Address = client, to destination: IPv4Address = vip, trafficClass: UInt8 = 0, payload: Int = 40
    ) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xa5, count: 2048)
        let bytes = (0..<payload).map { UInt8(truncatingIfNeeded: $0) }
        let length = buffer.withUnsafeMutableBytes { buffer in
            bytes.withUnsafeBytes {
                FrameBuilder.udp(
                    UDPHeader(sourcePort: 40_000, destinationPort: 7),
                    in: IPv4Header(
                        source: source, destination: destination, protocol: .udp, timeToLive: 63,
                        trafficClass: trafficClass),
                    from: MACAddress(2, 0, 0, 0, 0, 1), to: MACAddress(2, 0, 0, 0, 0, 2), payload: $0, into: buffer)
            }
        }
        return Array(buffer.prefix(length!))
    }

    /// The packet of a frame in a tunnel, in a buffer that was full of something else.
    static func wrapped(
        _ frame: [UInt8], _ encapsulation: Encapsulation, from: IPv4Address = balancer, to: IPv4Address = member
    ) -> [UInt8] {
        let tunnel = Tunnel(encapsulation, from: from, to: to)
        var buffer = [UInt8](repeating: 0xa5, count: tunnel.frameLength(packetLength: frame.count - 14))
        for index in 0..<12 { buffer[index] = frame[index] }
        let packet = Array(frame[14...])
        let fits = buffer.withUnsafeMutableBytes { buffer in packet.withUnsafeBytes { tunnel.wrap($0, into: buffer) } }
        #expect(fits)
        return buffer
    }

    enum Outcome: Equatable {
        case notTunnelled
        case packet([UInt8])
        case refused(DropReason)
    }

    static func unwrap(_ frame: [UInt8], _ end: TunnelEnd) -> Outcome {
        var frame = frame
        return frame.withUnsafeMutableBytes { bytes in
            guard let outer = PacketView(bytes) else { return .notTunnelled }
            switch end.unwrap(outer, in: bytes) {
            case .notTunnelled: return .notTunnelled
            case .refused(let reason): return .refused(reason)
            case .packet(let packet, let frame):
                #expect(frame.count == 14 + packet.layout.packetLength)
                return .packet(Array(packet.packet))
            }
        }
    }

    /// Sets the outer header's checksum right after a change of it.
    static func healed(_ frame: [UInt8], at offset: Int = 14) -> [UInt8] {
        var frame = frame
        let length = Int(frame[offset] & 0xf) * 4
        frame[offset + 10] = 0
        frame[offset + 11] = 0
        let header = Array(frame[offset..<(offset + length)])
        let checksum = header.withUnsafeBytes { Checksum.of($0) }
        frame[offset + 10] = UInt8(checksum >> 8)
        frame[offset + 11] = UInt8(checksum & 0xff)
        return frame
    }

    @Test func `an IP-in-IP packet is an IPv4 header in front of the packet`() {
        let frame = Self.request(trafficClass: 0xb8)
        let wrapped = Self.wrapped(frame, .ipip)
        #expect(
            Array(wrapped[12..<24]) == [
                0x08, 0x00,  // IPv4
                0x45, 0xb8, 0x00, UInt8(frame.count - 14 + 20),  // the inner traffic class; total length
                0x00, 0x00, 0x40, 0x00,  // identification 0, never to be fragmented
                64, 4,  // time to live; IP-in-IP
            ])
        #expect(Array(wrapped[26..<34]) == [10, 0, 0, 5, 10, 0, 0, 11])
        #expect(Array(wrapped[34...]) == Array(frame[14...]))
        #expect(wrapped[14..<34].withUnsafeBytes { Checksum.isValid($0) })
    }

    @Test func `a GRE packet has four bytes more, of which two are the type of what it carries`() {
        let frame = Self.request()
        let wrapped = Self.wrapped(frame, .gre)
        #expect(wrapped[23] == 47)
        #expect(Array(wrapped[34..<38]) == [0, 0, 0x08, 0x00])
        #expect(Array(wrapped[38...]) == Array(frame[14...]))
        #expect(wrapped[14..<34].withUnsafeBytes { Checksum.isValid($0) })
    }

    @Test(arguments: TunnelTests.ofIPv4)
    func `what was wrapped comes out as it was`(encapsulation: Encapsulation) {
        for payload in [0, 1, 1400] {
            let frame = Self.request(payload: payload)
            #expect(
                Self.unwrap(Self.wrapped(frame, encapsulation), Self.end(encapsulation)) == .packet(Array(frame[14...]))
            )
        }
    }

    @Test func `the largest segments are those that fit a link of 1500 bytes`() {
        #expect(Encapsulation.ipip.maximumSegmentSize(mtu: 1500) == 1440)
        #expect(Encapsulation.gre.maximumSegmentSize(mtu: 1500) == 1436)
    }

    @Test func `what does not fit the buffer is not written`() {
        let packet = Array(Self.request()[14...])
        var buffer = [UInt8](repeating: 0, count: 40)
        let fits = buffer.withUnsafeMutableBytes { buffer in
            packet.withUnsafeBytes { Tunnel(.ipip, from: Self.balancer, to: Self.member).wrap($0, into: buffer) }
        }
        #expect(!fits)
    }

    // MARK: Refusals

    @Test(arguments: TunnelTests.ofIPv4)
    func `each thing that may not come out of a tunnel has its reason`(encapsulation: Encapsulation) {
        let end = Self.end(encapsulation)
        let good = Self.wrapped(Self.request(), encapsulation)
        let inner = 34 + (encapsulation == .gre ? 4 : 0)
        func changed(_ change: (inout [UInt8]) -> Void, healing offset: Int = 14) -> Outcome {
            var frame = good
            change(&frame)
            return Self.unwrap(Self.healed(frame, at: offset), end)
        }
        #expect(
            Self.unwrap(Self.wrapped(Self.request(), encapsulation, from: IPv4Address(10, 0, 0, 6)), end)
                == .refused(.tunnelStranger))
        #expect(
            Self.unwrap(Self.wrapped(Self.request(), encapsulation, to: IPv4Address(10, 0, 0, 12)), end)
                == .notTunnelled)
        #expect(changed { $0[20] = 0x20 } == .refused(.fragment))
        #expect(changed { $0[21] = 0x01 } == .refused(.fragment))
        #expect(changed({ $0[inner + 6] = 0x20 }, healing: inner) == .refused(.fragment))
        #expect(
            Self.unwrap(Self.wrapped(Self.request(to: Self.member), encapsulation), end) == .refused(.tunnelDestination)
        )
        #expect(
            Self.unwrap(Self.wrapped(Self.request(from: Self.vip), encapsulation), end)
                == .refused(.sourceAddressInvalid))
        #expect(
            Self.unwrap(Self.wrapped(Self.request(from: IPv4Address(127, 0, 0, 1)), encapsulation), end)
                == .refused(.sourceAddressInvalid))
        for nested in Self.ofIPv4 {
            let twice = Self.wrapped(Self.wrapped(Self.request(), nested, to: Self.vip), encapsulation)
            #expect(Self.unwrap(twice, end) == .refused(.tunnelNested))
        }
        #expect(changed { $0[inner + 10] ^= 1 } == .refused(.tunnelMalformed))
        #expect(changed { $0[inner] = 0x65 } == .refused(.tunnelMalformed))
        #expect(changed({ $0[inner + 3] += 1 }, healing: inner) == .refused(.tunnelMalformed))
    }

    @Test func `GRE headers with options, another version or another payload are refused`() {
        for (index, value) in [(34, 0x80), (34, 0x20), (34, 0x10), (34, 0x40), (35, 0x01), (36, 0x86), (37, 0xdd)]
            as [(Int, UInt8)]
        {
            var frame = Self.wrapped(Self.request(), .gre)
            frame[index] |= value
            #expect(Self.unwrap(frame, Self.end(.gre)) == .refused(.tunnelMalformed))
        }
    }

    @Test(arguments: TunnelTests.ofIPv4)
    func `options in either header are refused`(encapsulation: Encapsulation) {
        /// The frame with a no-operation option in the IPv4 header at an offset.
        func optioned(_ frame: [UInt8], at offset: Int, outer: [Int] = []) -> [UInt8] {
            var frame = frame
            frame.insert(contentsOf: [1, 1, 1, 1], at: offset + 20)
            frame[offset] += 1
            for length in [offset] + outer { frame[length + 3] += 4 }
            for header in [offset] + outer { frame = Self.healed(frame, at: header) }
            return frame
        }
        let good = Self.wrapped(Self.request(), encapsulation)
        let inner = 34 + (encapsulation == .gre ? 4 : 0)
        #expect(Self.unwrap(optioned(good, at: 14), Self.end(encapsulation)) == .refused(.ipOptions))
        #expect(Self.unwrap(optioned(good, at: inner, outer: [14]), Self.end(encapsulation)) == .refused(.ipOptions))
    }

    @Test(arguments: TunnelTests.ofIPv4)
    func `an inner packet cut off anywhere is refused and never read beyond its end`(encapsulation: Encapsulation) {
        let good = Self.wrapped(Self.request(), encapsulation)
        for length in 34..<good.count {
            var frame = Array(good.prefix(length))
            let total = UInt16(length - 14)
            frame[16] = UInt8(total >> 8)
            frame[17] = UInt8(total & 0xff)
            #expect(Self.unwrap(Self.healed(frame), Self.end(encapsulation)) == .refused(.tunnelMalformed))
        }
    }

    @Test func `a mark of congestion is borne on, or its packet dropped where it cannot bear one`() {
        func marked(_ trafficClass: UInt8) -> Outcome {
            var frame = Self.wrapped(Self.request(trafficClass: trafficClass), .ipip)
            frame[15] |= 3
            return Self.unwrap(Self.healed(frame), Self.end(.ipip))
        }
        #expect(marked(0) == .refused(.tunnelCongested))
        guard case .packet(let packet) = marked(2) else {
            Issue.record("a capable packet was refused")
            return
        }
        #expect(packet[1] == 3)
        #expect(packet[..<20].withUnsafeBytes { Checksum.isValid($0) })
    }

    @Test(arguments: [201, 202, 203] as [UInt64])
    func `damaged tunnel packets never come out as anything that may not`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<20_000 {
            let encapsulation = Self.ofIPv4.randomElement(using: &random)!
            var frame = Self.wrapped(Self.request(), encapsulation)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                frame[Int.random(in: 14..<frame.count, using: &random)] = .random(in: .min ... .max, using: &random)
            }
            if Bool.random(using: &random), frame[14] & 0xf >= 5, 14 + Int(frame[14] & 0xf) * 4 <= frame.count {
                frame = Self.healed(frame)
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                frame.removeLast(Int.random(in: 0..<frame.count, using: &random))
            }
            if frame.isEmpty { continue }
            let end = Self.end(encapsulation)
            guard case .packet(let packet) = Self.unwrap(frame, end) else { continue }
            #expect(Array(packet[16..<20]) == [10, 0, 0, 100], "seed \(seed), step \(step)")
            #expect(![4, 41, 47].contains(packet[9]), "seed \(seed), step \(step)")
            #expect(packet[..<20].withUnsafeBytes { Checksum.isValid($0) }, "seed \(seed), step \(step)")
            #expect(Array(frame[26..<30]) == [10, 0, 0, 5], "seed \(seed), step \(step)")
        }
    }
}
