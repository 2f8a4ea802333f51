import Testing
import TestSupport
import Wire

/// Every parser on damaged messages in guarded memory: whatever it answers, it reads and writes nothing outside.
@Suite struct `Damaged input` {
    static let rounds = 20_000

    /// Runs `body` on variants of `samples`: truncated, extended, with some bytes changed, or nothing but noise.
    static func fuzz(seed: UInt64, _ samples: [[UInt8]], _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        print("fuzzing with seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let memory = GuardedMemory()
        for _ in 0..<rounds {
            var bytes = samples.randomElement(using: &random)!
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                bytes = (0..<Int.random(in: 0...120, using: &random)).map { _ in .random(in: 0...255, using: &random) }
            case 1, 2: bytes = Array(bytes.prefix(.random(in: 0...bytes.count, using: &random)))
            case 3:
                bytes += (0..<Int.random(in: 0...40, using: &random)).map { _ in .random(in: 0...255, using: &random) }
            default: break
            }
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            body(memory.place(bytes))
        }
        withExtendedLifetime(memory) {}
    }

    static let frames = [
        Example.tcp, Example.udp, Example.ping, Example.arp, Example.vrrp, Example.unreachable,
        `Parsing a frame`.frame(Example.udp, 6, 0x20, 0), `Parsing a frame`.frame(Example.udp, 6, 0, 1),
    ]

    /// Sums the bytes, so that every one of them is really read.
    static func touch(_ bytes: UnsafeRawBufferPointer) -> Int { bytes.reduce(0) { $0 &+ Int($1) } }

    @Test func `never takes a frame's reader or writer out of bounds`() {
        let answer = GuardedMemory()
        Self.fuzz(seed: 2026, Self.frames) { frame in
            // A damaged header rarely has a right checksum: correct it, so that most rounds get past it.
            if frame.count >= 34, frame[12] == 8, frame[13] == 0, frame[14] >> 4 == 4 {
                let length = Int(frame[14] & 15) * 4
                if length >= 20, frame.count >= 14 + length {
                    let value = Checksums.reference(Array(frame[14..<(14 + length)]).replacing(10, with: 0, 0))
                    (frame[24], frame[25]) = (UInt8(value >> 8), UInt8(value & 0xff))
                }
            }
            guard case .ipv4(var packet) = ParsedFrame(frame) else { return }
            _ = (packet.isTransportChecksumValid, packet.tcp, packet.icmp, packet.mayBeAnsweredWithError)
            _ = Self.touch(packet.packet) &+ Self.touch(packet.segment) &+ Self.touch(packet.payload)
            packet.rewriteQuote(to: packet.fiveTuple.reversed)
            _ = packet.clampMaximumSegmentSize(to: 500)
            packet.rewriteSource(.broadcast, port: 1)
            packet.rewriteDestination(.any, port: 65535)
            _ = packet.decrementTimeToLive()
            packet.setMACs(destination: .zero, source: .broadcast)
            let buffer = answer.place([UInt8](repeating: 0, count: 640))
            _ = FrameBuilder.icmpError(.timeExceeded, about: packet, from: .any, mac: .zero, into: buffer)
            _ = FrameBuilder.tcpReset(refusing: packet, mac: .zero, into: buffer)
        }
        withExtendedLifetime(answer) {}
    }

    @Test func `never takes a protocol's view out of bounds`() {
        let samples = [
            `TCP segments`.bytes, `UDP datagrams`.bytes, `ICMP messages`.echo, `ICMP messages`.tooLarge,
            `GRE packets`.bytes,
            `IPv4 packets`.bytes, `IPv6 packets`.bytes, `ARP packets`.bytes,
        ]
        Self.fuzz(seed: 9293, samples) { buffer in
            let bytes = UnsafeRawBufferPointer(buffer)
            if let view = try? EthernetView(bytes) { _ = Self.touch(view.payload) }
            if let view = try? IPv4View(bytes) { _ = Self.touch(view.payload) }
            if let view = try? IPv6View(bytes) { _ = Self.touch(view.payload) &+ Self.touch(view.transport) }
            if let view = try? UDPView(bytes) { _ = Self.touch(view.payload) }
            if let view = try? TCPView(bytes) { _ = (Self.touch(view.payload), view.header) }
            if let view = try? ICMPv4View(bytes) { _ = (Self.touch(view.payload), view.header) }
            if let view = try? GREView(bytes) { _ = (Self.touch(view.payload), view.key, view.sequence) }
            _ = try? QuotedPacket(bytes)
            _ = try? ARPHeader(bytes)
        }
    }

    @Test func `never takes an advertisement or a neighbour's message out of bounds`() {
        let source = `ICMPv6 and Neighbour Discovery`.source
        let samples = [
            `VRRP advertisements`.messageOnly, `VRRP advertisements`.version2, `VRRP advertisements`.forIPv6,
            `ICMPv6 and Neighbour Discovery`.advertisement,
        ]
        Self.fuzz(seed: 9568, samples) { buffer in
            if buffer.count >= 8 {
                // A right checksum for what the damage left.
                (buffer[6], buffer[7]) = (0, 0)
                let value = Checksums.reference(Array(buffer))
                (buffer[6], buffer[7]) = (UInt8(value >> 8), UInt8(value & 0xff))
            }
            let bytes = UnsafeRawBufferPointer(buffer)
            if let view = try? VRRPView(bytes, source: IPv4Address.any, destination: IPv4Address.vrrpRouters) {
                for index in 0..<view.addressCount { _ = view.ipv4Address(at: index) }
            }
            if let view = try? VRRPView(bytes, source: source, destination: IPv6Address.vrrpRouters) {
                for index in 0..<view.addressCount { _ = view.ipv6Address(at: index) }
            }
            guard buffer.count >= 8 else { return }
            buffer.copyBytes(from: `ICMPv6 and Neighbour Discovery`.signed(Array(buffer)))
            if let view = try? ICMPv6View(
                bytes, source: source, destination: `ICMPv6 and Neighbour Discovery`.destination)
            {
                _ = try? NeighborDiscovery(view)
            }
        }
    }

    @Test func `never takes the cross-connect out of bounds, and a signed message is mostly refused`() {
        var accepted = 0
        let samples =
            [`Messages of the cross-connect`.recordBytes, `Records of IPv6`.bytes]
            + `Messages of the cross-connect`.fixed.compactMap { `Messages of the cross-connect`.emit($0) }
        Self.fuzz(seed: 49784, samples) { buffer in
            if buffer.count >= 48 { buffer.copyBytes(from: `Messages of the cross-connect`.signed(Array(buffer))) }
            guard let view = try? SyncMessageView(UnsafeRawBufferPointer(buffer)) else { return }
            accepted += 1
            var cursor = SyncMessageView.Cursor()
            while view.nextRecord(&cursor, of: IPv4.self) != nil {}
            while view.nextRecord(&cursor, of: IPv6.self) != nil {}
        }
        #expect(accepted > 0 && accepted < Self.rounds)
    }
}
