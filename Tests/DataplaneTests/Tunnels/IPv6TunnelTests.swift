import Dataplane
import TestSupport
import Testing
import Wire

/// IPv6 in IPv6.
@Suite struct IPv6TunnelTests {
    static let balancer = IPv6Address("2001:db8:2::5")!
    static let member = IPv6Address("2001:db8:3::11")!
    static let client = IPv6Address("2001:db8:1::10")!
    static let vip = IPv6Address("2001:db8:2::100")!
    static let end = IPv6TunnelEnd(.ip6ip6, local: member, remotes: [balancer], destinations: [vip])

    /// A frame with a client's packet to the service.
    static func request(
        from source: IPv6Address = client, to destination: IPv6Address = vip, trafficClass: UInt8 = 0, payload: Int = 40
    ) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xa5, count: 2048)
        let bytes = (0..<payload).map { UInt8(truncatingIfNeeded: $0) }
        let length = buffer.withUnsafeMutableBytes { buffer in
            bytes.withUnsafeBytes {
                FrameBuilder.udp(
                    UDPHeader(sourcePort: 40_000, destinationPort: 7),
                    in: IPv6Header(
                        source: source, destination: destination, nextHeader: .udp, hopLimit: 63,
                        trafficClass: trafficClass, flowLabel: 0x12345),
                    from: MACAddress(2, 0, 0, 0, 0, 1), to: MACAddress(2, 0, 0, 0, 0, 2), payload: $0, into: buffer)
            }
        }
        return Array(buffer.prefix(length!))
    }

    /// The packet of a frame in a tunnel, in a buffer that was full of something else.
    static func wrapped(
        _ frame: [UInt8], from: IPv6Address = balancer, to: IPv6Address = member, flowLabel: UInt32 = 0
    ) -> [UInt8] {
        let tunnel = IPv6Tunnel(.ip6ip6, from: from, to: to)
        var buffer = [UInt8](repeating: 0xa5, count: tunnel.frameLength(packetLength: frame.count - 14))
        for index in 0..<12 { buffer[index] = frame[index] }
        let packet = Array(frame[14...])
        let fits = buffer.withUnsafeMutableBytes { buffer in
            packet.withUnsafeBytes { tunnel.wrap($0, flowLabel: flowLabel, into: buffer) }
        }
        #expect(fits)
        return buffer
    }

    static func unwrap(_ frame: [UInt8]) -> TunnelTests.Outcome {
        var frame = frame
        return frame.withUnsafeMutableBytes { bytes in
            guard let outer = IPv6PacketView(bytes) else { return .notTunnelled }
            switch end.unwrap(outer, in: bytes) {
            case .notTunnelled: return .notTunnelled
            case .refused(let reason): return .refused(reason)
            case .packet(let packet, let frame):
                #expect(frame.count == 14 + packet.layout.packetLength)
                return .packet(Array(packet.packet))
            }
        }
    }

    @Test func `a packet goes behind an IPv6 header of its traffic class, with the flow's label and a hop limit of 64`()
    {
        let frame = Self.request(trafficClass: 0xb8)
        let wrapped = Self.wrapped(frame, flowLabel: 0xfff0_1234)
        #expect(
            Array(wrapped[12..<22]) == [
                0x86, 0xdd,  // IPv6
                0x6b, 0x80, 0x12, 0x34,  // the inner traffic class; 20 bits of label
                0x00, UInt8(frame.count - 14),  // payload length: the whole packet within
                41, 64,  // IPv6 in IPv6; hop limit
            ])
        #expect(wrapped[22..<38].elementsEqual([0x20, 1, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]))
        #expect(wrapped[38..<54].elementsEqual([0x20, 1, 0x0d, 0xb8, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11]))
        #expect(Array(wrapped[54...]) == Array(frame[14...]))
    }

    @Test func `what was wrapped comes out as it was`() {
        for payload in [0, 1, 1400] {
            let frame = Self.request(payload: payload)
            #expect(Self.unwrap(Self.wrapped(frame)) == .packet(Array(frame[14...])))
        }
    }

    @Test func `it takes 40 bytes, and no way is believed to be too narrow for the least packet of IPv6`() {
        #expect(Encapsulation.ip6ip6.overhead == 40)
        #expect(Encapsulation.ip6ip6.maximumSegmentSize(mtu: 1500) == 1400)
        #expect(Encapsulation.ip6ip6.leastPathMTU == 1320)
    }

    @Test func `what does not fit the buffer is not written`() {
        let packet = Array(Self.request()[14...])
        var buffer = [UInt8](repeating: 0, count: 54 + packet.count - 1)
        let fits = buffer.withUnsafeMutableBytes { buffer in
            packet.withUnsafeBytes {
                IPv6Tunnel(.ip6ip6, from: Self.balancer, to: Self.member).wrap($0, into: buffer)
            }
        }
        #expect(!fits)
    }

    // MARK: Refusals

    /// The frame with a header of 8 bytes behind the IPv6 header at an offset.
    static func extended(_ frame: [UInt8], with header: IPProtocol, at offset: Int, _ bytes: [UInt8]) -> [UInt8] {
        var frame = frame
        frame.insert(contentsOf: [frame[offset + 6]] + bytes, at: offset + 40)
        frame[offset + 6] = header.rawValue
        for start in Set([14, offset]) {
            let length = UInt16(frame[start + 4]) << 8 + UInt16(frame[start + 5]) + 8
            frame[start + 4] = UInt8(length >> 8)
            frame[start + 5] = UInt8(length & 0xff)
        }
        return frame
    }

    @Test func `each thing that may not come out of a tunnel has its reason`() {
        let good = Self.wrapped(Self.request())
        #expect(
            Self.unwrap(Self.wrapped(Self.request(), from: IPv6Address("2001:db8:2::6")!)) == .refused(.tunnelStranger))
        #expect(Self.unwrap(Self.wrapped(Self.request(), to: IPv6Address("2001:db8:3::12")!)) == .notTunnelled)
        #expect(Self.unwrap(Self.wrapped(Self.request(to: Self.member))) == .refused(.tunnelDestination))
        #expect(Self.unwrap(Self.wrapped(Self.request(from: Self.vip))) == .refused(.sourceAddressInvalid))
        for source in ["::1", "fe80::1", "ff02::1", "::ffff:192.0.2.1", "2001:db8:3::11"] {
            #expect(
                Self.unwrap(Self.wrapped(Self.request(from: IPv6Address(source)!))) == .refused(.sourceAddressInvalid),
                "\(source)")
        }
        #expect(Self.unwrap(Self.wrapped(Self.wrapped(Self.request(), to: Self.vip))) == .refused(.tunnelNested))
        // Another version, and IPv4 within.
        var version = good
        version[54] = 0x45
        #expect(Self.unwrap(version) == .refused(.tunnelMalformed))
        // A fragment around it, and one within.
        let fragment: [UInt8] = [0, 0, 1, 0, 0, 0, 9]
        #expect(Self.unwrap(Self.extended(good, with: .fragment, at: 14, fragment)) == .refused(.fragment))
        #expect(Self.unwrap(Self.extended(good, with: .fragment, at: 54, fragment)) == .refused(.fragment))
        // Destination options: the header that limits encapsulation (RFC 2473, 4.1.1), and one within.
        let options: [UInt8] = [0, 4, 1, 4, 1, 1, 0]
        #expect(Self.unwrap(Self.extended(good, with: .destinationOptions, at: 14, options)) == .refused(.ipOptions))
        #expect(Self.unwrap(Self.extended(good, with: .destinationOptions, at: 54, options)) == .refused(.ipOptions))
    }

    @Test func `an inner packet cut off anywhere is refused and never read beyond its end`() {
        let good = Self.wrapped(Self.request())
        for length in 54..<good.count {
            var frame = Array(good.prefix(length))
            frame[18] = UInt8((length - 54) >> 8)
            frame[19] = UInt8((length - 54) & 0xff)
            #expect(Self.unwrap(frame) == .refused(.tunnelMalformed), "\(length)")
        }
    }

    @Test func `a mark of congestion is borne on, or its packet dropped where it cannot bear one`() {
        func marked(_ trafficClass: UInt8) -> TunnelTests.Outcome {
            var frame = Self.wrapped(Self.request(trafficClass: trafficClass))
            frame[15] |= 0x30
            return Self.unwrap(frame)
        }
        #expect(marked(0) == .refused(.tunnelCongested))
        guard case .packet(let packet) = marked(2) else {
            Issue.record("a capable packet was refused")
            return
        }
        #expect(Array(packet[..<4]) == [0x60, 0x31, 0x23, 0x45])
    }

    @Test(arguments: [211, 212, 213] as [UInt64])
    func `damaged tunnel packets never come out as anything that may not`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<20_000 {
            var frame = Self.wrapped(Self.request())
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                frame[Int.random(in: 14..<frame.count, using: &random)] = .random(in: .min ... .max, using: &random)
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                frame.removeLast(Int.random(in: 0..<frame.count, using: &random))
            }
            if frame.isEmpty { continue }
            guard case .packet(let packet) = Self.unwrap(frame) else { continue }
            #expect(Array(packet[24..<40]) == Array(Self.request()[38..<54]), "seed \(seed), step \(step)")
            #expect(![4, 41, 47, 44, 0, 43, 60].contains(packet[6]), "seed \(seed), step \(step)")
            #expect(Array(frame[22..<38]) == Array(Self.wrapped(Self.request())[22..<38]), "seed \(seed), step \(step)")
        }
    }
}
