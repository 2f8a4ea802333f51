@testable import Expectation
import Testing
import Wire

struct FrameReadingTests {
    private static let a = MACAddress(2, 0, 0, 0, 0, 1)
    private static let b = MACAddress(2, 0, 0, 0, 0, 2)

    private static func read(_ payload: [UInt8], type: UInt16 = 0x0800) -> FrameReading {
        FrameReading(FrameBytes.ethernet(to: b, from: a, type: type, payload))
    }

    /// The values as a lab would write them, `-` where the frame lacks the field.
    private static func texts(_ reading: FrameReading, _ names: String...) -> [String] {
        names.map { name in
            let field = FrameField(name)!
            return reading.value(of: field)?.text(for: field.name) ?? "-"
        }
    }

    @Test func `a TCP segment gives Ethernet, IP and TCP fields`() {
        let reading = Self.read(
            FrameBytes.ipv4(
                from: "192.0.2.10", to: "198.51.100.100", proto: 6, ttl: 63, id: 0x1234,
                FrameBytes.tcp(40000, 80, sequence: 7, acknowledgment: 9, flags: 0x12, payload: 5)))
        #expect(
            Self.texts(reading, "eth.dst", "eth.src", "eth.type")
                == ["02:00:00:00:00:02", "02:00:00:00:00:01", "ipv4"])
        #expect(
            Self.texts(reading, "ip.src", "ip.dst", "ip.ttl", "ip.proto", "ip.id", "ip.len", "ip.df")
                == ["192.0.2.10", "198.51.100.100", "63", "tcp", "4660", "45", "true"])
        #expect(
            Self.texts(reading, "tcp.srcport", "tcp.dstport", "tcp.flags", "tcp.seq", "tcp.ack", "tcp.len")
                == ["40000", "80", "SYN-ACK", "7", "9", "5"])
        #expect(
            Self.texts(reading, "udp.srcport", "icmp.type", "arp.op", "vrrp.id", "inner.ip.src")
                == ["-", "-", "-", "-", "-"])
    }

    @Test func `padding behind a short packet is no payload`() {
        let packet = FrameBytes.ipv4(from: "192.0.2.1", to: "192.0.2.2", proto: 6, FrameBytes.tcp(1, 2))
        #expect(Self.texts(Self.read(packet + [0, 0, 0, 0, 0, 0]), "tcp.len") == ["0"])
    }

    @Test func `a UDP datagram gives its ports and payload length`() {
        let reading = Self.read(
            FrameBytes.ipv4(
                from: "192.0.2.1", to: "192.0.2.2", proto: 17, dontFragment: false,
                FrameBytes.udp(5000, 53, payload: 12)))
        #expect(
            Self.texts(reading, "udp.srcport", "udp.dstport", "udp.len", "ip.df", "tcp.srcport")
                == ["5000", "53", "12", "false", "-"])
    }

    @Test func `an ICMP error gives the packet that it quotes, as far as eight bytes reach`() {
        let quoted = FrameBytes.ipv4(
            from: "10.0.0.3", to: "10.0.0.1", proto: 6, FrameBytes.tcp(443, 4000, sequence: 77))
        let reading = Self.read(
            FrameBytes.ipv4(
                from: "10.0.0.2", to: "10.0.0.3", proto: 1,
                FrameBytes.icmp(type: 3, code: 3, Array(quoted.prefix(28)))))
        #expect(Self.texts(reading, "icmp.type", "icmp.code", "ip.src") == ["3", "3", "10.0.0.2"])
        #expect(
            Self.texts(
                reading, "inner.ip.src", "inner.ip.dst", "inner.tcp.srcport", "inner.tcp.dstport", "inner.tcp.seq",
                "inner.tcp.flags") == ["10.0.0.3", "10.0.0.1", "443", "4000", "77", "-"])
    }

    @Test func `an echo request quotes nothing`() {
        let payload = FrameBytes.ipv4(from: "10.0.0.3", to: "10.0.0.1", proto: 6, FrameBytes.tcp(1, 2))
        let reading = Self.read(
            FrameBytes.ipv4(from: "10.0.0.2", to: "10.0.0.3", proto: 1, FrameBytes.icmp(type: 8, code: 0, payload)))
        #expect(Self.texts(reading, "icmp.type", "inner.ip.src") == ["8", "-"])
    }

    @Test func `IP-in-IP and GRE, with and without a key, give the packet that they carry`() {
        let inner = FrameBytes.ipv4(from: "192.0.2.9", to: "198.51.100.9", proto: 17, FrameBytes.udp(7, 8, payload: 1))
        let carriers: [(UInt8, [UInt8])] = [
            (4, []), (47, [0, 0, 0x08, 0]), (47, [0x20, 0, 0x08, 0, 1, 2, 3, 4]),
            (47, [0xb0, 0, 0x08, 0] + [UInt8](repeating: 0, count: 12)),
        ]
        for (proto, header) in carriers {
            let reading = Self.read(
                FrameBytes.ipv4(from: "203.0.113.1", to: "203.0.113.2", proto: proto, header + inner))
            #expect(
                Self.texts(reading, "ip.src", "inner.ip.src", "inner.udp.dstport", "udp.dstport")
                    == ["203.0.113.1", "192.0.2.9", "8", "-"])
        }
    }

    @Test func `the MTU that a router reports is read in either family, each by its own field`() {
        let four = Self.read(
            FrameBytes.ipv4(
                from: "10.0.0.2", to: "10.0.0.3", proto: 1,
                FrameBytes.icmp(type: 3, code: 4, []).replacing(6, 0x05, 0x78)))
        #expect(Self.texts(four, "icmp.mtu", "icmp6.mtu") == ["1400", "-"])
        let message: [UInt8] = [2, 0, 0, 0, 0, 1, 0x05, 0x78]
        let header: [UInt8] = [0x60, 0, 0, 0, 0, 8, 58, 64] + [UInt8](repeating: 0x20, count: 32)
        let six = Self.read(header + message, type: 0x86dd)
        #expect(Self.texts(six, "icmp6.type", "icmp6.mtu", "icmp.mtu") == ["2", "66936", "-"])
    }

    @Test func `an ARP reply gives both ends`() {
        let reading = Self.read(
            FrameBytes.arp(2, sender: Self.a, "192.0.2.1", target: Self.b, "192.0.2.10"), type: 0x0806)
        #expect(
            Self.texts(
                reading, "eth.type", "arp.op", "arp.sender.mac", "arp.sender.ip", "arp.target.mac", "arp.target.ip")
                == ["arp", "reply", "02:00:00:00:00:01", "192.0.2.1", "02:00:00:00:00:02", "192.0.2.10"])
    }

    @Test func `an advertisement's interval is in milliseconds in both versions`() {
        let version3: [UInt8] = [0x31, 10, 200, 1, 0, 10, 0, 0, 192, 0, 2, 1]
        let version2: [UInt8] = [0x21, 10, 200, 1, 0, 1, 0, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]
        for (bytes, interval) in [(version3, "100ms"), (version2, "1000ms")] {
            let reading = Self.read(
                FrameBytes.ipv4(from: "192.0.2.2", to: "224.0.0.18", proto: 112, ttl: 255, bytes))
            #expect(
                Self.texts(reading, "vrrp.id", "vrrp.priority", "vrrp.interval", "ip.proto")
                    == ["10", "200", interval, "vrrp"])
        }
    }

    @Test func `VLAN tags are passed over`() {
        let packet = FrameBytes.ipv4(from: "192.0.2.1", to: "192.0.2.2", proto: 6, FrameBytes.tcp(1, 2))
        #expect(
            Self.texts(Self.read([0, 5, 0x08, 0] + packet, type: 0x8100), "eth.type", "ip.src") == [
                "ipv4", "192.0.2.1",
            ])
    }

    @Test func `a later fragment has no ports`() {
        let reading = Self.read(
            FrameBytes.ipv4(
                from: "192.0.2.1", to: "192.0.2.2", proto: 17, fragmentOffset: 185, FrameBytes.udp(1, 2, payload: 9)))
        #expect(Self.texts(reading, "ip.src", "udp.srcport", "udp.len") == ["192.0.2.1", "-", "-"])
    }

    @Test func `a frame cut at any length gives the fields that it still holds, and no others`() {
        let quoted = FrameBytes.ipv4(from: "10.0.0.3", to: "10.0.0.1", proto: 6, FrameBytes.tcp(443, 4000))
        let frames = [
            FrameBytes.ethernet(
                to: Self.b, from: Self.a,
                FrameBytes.ipv4(
                    from: "10.0.0.2", to: "10.0.0.3", proto: 1, FrameBytes.icmp(type: 3, code: 3, quoted))),
            FrameBytes.ethernet(
                to: Self.b, from: Self.a, type: 0x0806,
                FrameBytes.arp(1, sender: Self.a, "192.0.2.1", target: Self.b, "192.0.2.2")),
        ]
        for whole in frames {
            let complete = FrameReading(whole)
            for length in 0...whole.count {
                let cut = FrameReading(Array(whole.prefix(length)))
                for name in FrameField.allNames {
                    let field = FrameField(name)!
                    if let value = cut.value(of: field) {
                        #expect(value == complete.value(of: field), "\(name) at \(length)")
                    }
                }
            }
        }
    }

    @Test(arguments: [
        ("SYN", 0x02, true), ("SYN", 0xc2, true), ("SYN", 0x12, false), ("SYN-ACK", 0x12, true), ("S", 0x02, true),
        ("SA", 0x12, true), ("ACK", 0x10, true), ("ACK", 0x18, true), ("ACK", 0x11, false), ("FIN-ACK", 0x11, true),
        ("FIN-ACK", 0x19, true), ("FIN", 0x11, false), ("+FIN", 0x11, true), ("+FIN", 0x10, false),
        ("RST", 0x04, true), ("PSH-ACK", 0x10, false), ("PSH-ACK", 0x18, true), ("none", 0x00, true),
        ("none", 0x10, false), ("ack+syn", 0x12, true),
    ])
    func `TCP flags compare the flags that open and close, and the others only where they are named`(
        value: String, flags: Int, isMatch: Bool
    ) throws {
        let pattern = try #require(FieldPattern(value, for: .tcpFlags))
        #expect(pattern.matches(.flags(UInt8(flags))) == isMatch)
    }
}

extension [UInt8] {
    fileprivate func replacing(_ offset: Int, _ bytes: UInt8...) -> [UInt8] {
        var copy = self
        copy.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        return copy
    }
}
