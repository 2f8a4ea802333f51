import PacketText
import TestSupport
import Testing
import Wire

/// Packets and their texts.
struct PacketTextTests {
    private static let text = PacketText(stations: [
        "client": MACAddress(2, 0, 0, 0, 0, 1), "server": MACAddress(2, 0, 0, 0, 0, 2), "all": .broadcast,
        "routers": .multicast(for: IPv4Address.vrrpRouters),
    ])

    /// Full texts of packets that need no `bytes`.
    static let texts = [
        "client>server tcp 10.0.0.1:1024 > 10.0.0.2:80 SYN seq 7 ack 0 win 64240 mss 1460 wscale 7",
        "client>server tcp 10.0.0.1:1024 > 10.0.0.2:80 PSH,ACK seq 4294967295 ack 9 win 1 payload \"PASV\\r\\n\"",
        "client>server tcp 10.0.0.1:1024 > 10.0.0.2:80 - seq 1 ack 1 win 1000 class 192 ttl 1 ipid 77 may-fragment",
        "client>server tcp [2001:db8::1]:1024 > [2001:db8::2]:80 SYN,ACK seq 1 ack 1 win 1000 ttl 63",
        "client>server udp 10.0.0.1:53 > 10.0.0.2:4000 payload 00ff80",
        "client>server udp [2001:db8::1]:53 > [2001:db8::2]:4000 class 8 payload \"a \\\"b\\\" \\\\ c\"",
        "client>server icmp 10.0.0.1 > 10.0.0.2 8/0 id 7 seq 3 payload \"ping\"",
        "client>server icmp 10.0.0.1 > 10.0.0.2 3/1 rest 5",
        "client>server icmpv6 2001:db8::1 > 2001:db8::2 128/0 id 9 seq 1",
        "client>server icmpv6 fe80::1 > ff02::1:ff00:2 solicit fe80::2 at client",
        "client>server icmpv6 fe80::2 > fe80::1 advertise fe80::2 at server flags 96",
        "client>server icmpv6 fe80::2 > fe80::1 advertise fe80::2 flags 0 ttl 64",
        "client>all arp who-has 10.0.0.2 tell 10.0.0.1",
        "server>client arp 10.0.0.2 is-at server for 10.0.0.1",
        "client>routers vrrp 10.0.0.1 > 224.0.0.18 vrid 10 prio 200 interval 100 version 3 addresses 10.0.0.253,10.0.0.254",
        "client>server vrrp 10.0.0.1 > 224.0.0.18 vrid 10 prio 0 interval 200 version 2 addresses 10.0.0.254 ttl 254",
        "client>server vrrp fe80::1 > ff02::12 vrid 1 prio 255 interval 4095 version 3 addresses fe80::5,2001:db8::5",
        "client>server gre 10.0.0.1 > 10.0.0.2 payload 00000800",
        "client>server ip89 10.0.0.1 > 224.0.0.5",
        "client>server ip132 2001:db8::1 > 2001:db8::2 payload 01",
        "client>server udp 10.0.0.1 > 10.0.0.2 +1480 ipid 9 more may-fragment payload 0102",
    ]

    @Test(arguments: texts)
    func `a full text gives its packet, and the packet gives the text`(line: String) throws {
        let frame = try Self.text.frame(line)
        #expect(Self.text.text(of: frame) == line)
        // What leaves is right: every parser takes it.
        var copy = frame
        copy.withUnsafeMutableBytes { buffer in
            switch ParsedFrame(buffer) {
            case .ipv4(let packet): #expect(packet.isTransportChecksumValid)
            case .ipv6(let packet): #expect(packet.isTransportChecksumValid)
            case .arp: break
            case .other, .malformed: Issue.record("not a packet")
            }
        }
    }

    @Test(arguments: [
        ("client>server tcp 10.0.0.1:1024 > 10.0.0.2:80 SYN seq 7 win 5", "tcp 10.0.0.1:1024 > 10.0.0.2:80 SYN"),
        ("client>server udp [::1]:53 > [::2]:4000 payload 00", "udp [::1]:53 > [::2]:4000"),
        ("client>server icmp 10.0.0.1 > 10.0.0.2 0/0 id 7 seq 3", "icmp 10.0.0.1 > 10.0.0.2 0/0 id 7"),
        (
            "client>server icmp 10.0.0.9 > 10.0.0.1 3/4 mtu 1400 about tcp 10.0.0.1:1024 > 10.0.0.2:80",
            "icmp 10.0.0.9 > 10.0.0.1 3/4 about tcp 10.0.0.1:1024 > 10.0.0.2:80"
        ),
        (
            "client>server icmpv6 ::9 > ::1 2/0 mtu 1280 about udp [::1]:1 > [::2]:2",
            "icmpv6 ::9 > ::1 2/0 about udp [::1]:1 > [::2]:2"
        ),
        (
            "client>server icmp 10.0.0.9 > 10.0.0.1 11/0 about icmp 10.0.0.1 > 10.0.0.2 id 5",
            "icmp 10.0.0.9 > 10.0.0.1 11/0 about icmp 10.0.0.1 > 10.0.0.2 id 5"
        ),
        ("server>client arp 10.0.0.2 is-at server for 10.0.0.1", "arp 10.0.0.2 is-at server"),
        ("vrrp 10.0.0.1 > 224.0.0.18 vrid 3 prio 9 addresses 10.0.0.7", "vrrp 10.0.0.1 > 224.0.0.18 vrid 3 prio 9"),
        ("udp 10.0.0.1 > 10.0.0.2 +8 payload 01", "udp 10.0.0.1 > 10.0.0.2 +8"),
    ])
    func `a brief text says what kind of packet it is`(line: String, brief: String) throws {
        let frame = try Self.text.frame(line)
        #expect(Self.text.text(of: frame, detail: .brief, showsLink: false) == brief)
    }

    @Test func `an error's text gives the whole error, its quote included`() throws {
        let line = "client>server icmp 10.0.0.9 > 10.0.0.1 3/4 mtu 1400 about tcp 10.0.0.1:1024 > 10.0.0.2:80"
        let frame = try Self.text.frame(line)
        #expect(frame.count == 14 + 20 + 8 + 28)
        let full = Self.text.text(of: frame)
        #expect(full.hasPrefix(line + " payload 45"))
        #expect(try Self.text.frame(full) == frame)
    }

    @Test func `defaults fill in what a text leaves out, and are not worth a word`() throws {
        var text = Self.text
        text.defaults.timeToLive = 9
        text.defaults.payload = [1, 2, 3]
        text.defaults.sequence = 50
        let frame = try text.frame("client>server tcp 10.0.0.1:1 > 10.0.0.2:2 ACK")
        #expect(frame[22] == 9 && Array(frame.suffix(3)) == [1, 2, 3] && frame[41] == 50)
        #expect(text.text(of: frame) == "client>server tcp 10.0.0.1:1 > 10.0.0.2:2 ACK seq 50 ack 1 win 1000")
        #expect(try text.frame("client>server tcp 10.0.0.1:1 > 10.0.0.2:2 ACK len 5").count == 14 + 20 + 20 + 5)
    }

    @Test(arguments: [
        ("", 1, "a protocol is missing"),
        ("client>nobody tcp", 8, "'nobody' is neither a station nor a MAC address"),
        ("client>server xyz 10.0.0.1 > 10.0.0.2", 15, "'xyz' is no protocol"),
        ("tcp 10.0.0.1:80", 16, "'>' is missing"),
        ("tcp 10.0.0.300:80 > 10.0.0.2:80 SYN", 5, "'10.0.0.300:80' is no address, with or without a port"),
        ("tcp 10.0.0.1:80 - 10.0.0.2:80 SYN", 17, "'-' instead of '>'"),
        ("tcp 10.0.0.1:80 > 10.0.0.2:80", 30, "TCP flags is missing"),
        ("tcp 10.0.0.1:80 > 10.0.0.2 SYN", 19, "a port is missing"),
        ("tcp 10.0.0.1:80 > [::2]:80 SYN", 19, "the addresses are of two families"),
        ("tcp 10.0.0.1:80 > 10.0.0.2:80 SIN", 31, "'SIN' are no TCP flags"),
        ("tcp 10.0.0.1:80 > 10.0.0.2:80 SYN vrid 1", 35, "'vrid' is no field of tcp"),
        ("tcp 10.0.0.1:80 > 10.0.0.2:80 SYN seq", 38, "the number of 'seq' is missing"),
        ("tcp 10.0.0.1:80 > 10.0.0.2:80 SYN win 65536", 39, "'65536' is no 'win'"),
        ("udp 10.0.0.1:80 > 10.0.0.2:80 payload 0g", 39, "'0g' is not hexadecimal"),
        ("udp 10.0.0.1:80 > 10.0.0.2:80 payload 012", 39, "'012' has an odd number of digits"),
        ("udp 10.0.0.1:80 > 10.0.0.2:80 payload \"x", 39, "the quotes do not end"),
        ("udp 10.0.0.1:80 > 10.0.0.2:80 payload \"\\q\"", 41, "'\\q' stands for nothing"),
        ("icmp 10.0.0.1 > 10.0.0.2 8/x", 26, "'8/x' is no type/code"),
        ("icmp ::1 > ::2 8/0", 6, "icmp is not of this family"),
        ("arp who-has 10.0.0.x tell 10.0.0.1", 13, "'10.0.0.x' is no IPv4 address"),
        ("arp who-has 10.0.0.2 tell 10.0.0.1 now", 36, "'now' is too much"),
        (
            "vrrp 10.0.0.1 > 224.0.0.18 vrid 0", 6,
            "an advertisement needs an id, an interval and addresses that it can carry"
        ),
        ("icmp 10.0.0.1 > 10.0.0.2 8/0 id 7 seq 70000", 39, "'70000' is no 'seq' of icmp"),
        (
            "udp 10.0.0.1:1 > 10.0.0.2:2 payload " + String(repeating: "00", count: 66_000), 37,
            "66000 bytes are too many: at most 9000"
        ),
        ("udp 10.0.0.1 > 10.0.0.2 +3", 25, "'+3' is no offset of a fragment"),
    ])
    func `a bad text is refused with the place and the reason`(line: String, column: Int, reason: String) {
        do {
            _ = try Self.text.frame(line)
            Issue.record("'\(line)' was taken")
        } catch {
            #expect("\(error)" == "column \(column): \(reason)", "\(line)")
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `whatever a frame is, its full text gives it again`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let frames = try Self.texts.map { try Self.text.frame($0) }
        for _ in 0..<300 {
            var frame = frames.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                frame[.random(in: 0..<frame.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            switch Int.random(in: 0...4, using: &random) {
            case 0: frame.removeLast(.random(in: 0...frame.count, using: &random))
            case 1: frame += [UInt8](repeating: 0, count: .random(in: 1...20, using: &random))
            default: break
            }
            let line = Self.text.text(of: frame)
            #expect(try Self.text.frame(line) == frame, "seed \(seed): \(line)")
        }
    }
}
