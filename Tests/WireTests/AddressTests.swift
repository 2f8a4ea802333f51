import Testing
import TestSupport
import Wire

@Suite struct `MAC addresses` {
    @Test(arguments: ["02:00:5e:10:00:ff", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"])
    func `text that was read is written the same`(_ text: String) throws {
        #expect(try #require(MACAddress(text)).description == text)
    }

    @Test func `hyphens and capitals are read`() {
        #expect(MACAddress("00-00-5E-00-01-07") == .virtualRouter(ipv4: 7))
    }

    @Test(arguments: [
        "", "02:00:5e:10:00", "02:00:5e:10:00:ff:00", "02:00-5e:10:00:ff", "02:00:5e:10:00:fg", "2:00:5e:10:00:ff",
        "02005e1000ff", "02:00:5e:10:00:f ", "02.00.5e.10.00.ff",
    ])
    func `other text is refused`(_ text: String) { #expect(MACAddress(text) == nil) }

    @Test func `groups and virtual routers are known by their bits`() {
        #expect(MACAddress.broadcast.isMulticast && MACAddress.broadcast.isBroadcast)
        #expect(!MACAddress.zero.isMulticast && MACAddress.zero.isZero)
        #expect(MACAddress.virtualRouter(ipv4: 255).description == "00:00:5e:00:01:ff")
        #expect(MACAddress.virtualRouter(ipv6: 1).description == "00:00:5e:00:02:01")
        #expect(MACAddress.virtualRouter(ipv6: 1).isVirtualRouter && MACAddress.virtualRouter(ipv4: 1).isVirtualRouter)
        #expect(!Example.clientMAC.isVirtualRouter)
        #expect(MACAddress.multicast(for: IPv4Address.vrrpRouters).description == "01:00:5e:00:00:12")
        #expect(MACAddress.multicast(for: IPv4Address(239, 255, 1, 2)).description == "01:00:5e:7f:01:02")
        #expect(MACAddress.multicast(for: IPv6Address.vrrpRouters).description == "33:33:00:00:00:12")
    }

    @Test func `only 48 bits of a number count`() { #expect(MACAddress(packed: .max) == .broadcast) }
}

@Suite struct `IPv4 addresses and networks` {
    @Test func `text and number agree`() {
        #expect(IPv4Address("192.0.2.1")?.rawValue == 0xc000_0201)
        #expect(IPv4Address(192, 0, 2, 1).description == "192.0.2.1")
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.04", "1.2.3.-4", "1.2.3.+4", " 1.2.3.4", "1.2.3.4 ", "1..2.3",
        "a.b.c.d", "1.2.3.99999999999999999999",
    ])
    func `other text is refused`(_ text: String) { #expect(IPv4Address(text) == nil) }

    @Test func `kinds of addresses are known by their bits`() throws {
        let kinds: [(String, (IPv4Address) -> Bool)] = [
            ("224.0.0.18", \.isMulticast), ("224.0.0.255", \.isLinkLocalMulticast), ("169.254.1.1", \.isLinkLocal),
            ("127.1.2.3", \.isLoopback), ("10.255.0.1", \.isPrivate), ("172.31.0.1", \.isPrivate),
            ("192.168.0.1", \.isPrivate), ("255.255.255.255", \.isBroadcast), ("0.0.0.0", \.isUnspecified),
        ]
        for (text, isKind) in kinds {
            #expect(isKind(try #require(IPv4Address(text))), "\(text)")
            #expect(!isKind(IPv4Address(192, 0, 2, 1)), "\(text)")
        }
    }

    @Test func `a network knows its addresses`() throws {
        let network = try #require(IPv4Network("192.0.2.0/29"))
        #expect(network.hosts.map(\.description) == (1...6).map { "192.0.2.\($0)" })
        #expect(network.broadcast == IPv4Address(192, 0, 2, 7))
        #expect(network.mask.description == "255.255.255.248")
        #expect(network.contains(IPv4Address(192, 0, 2, 7)) && !network.contains(IPv4Address(192, 0, 2, 8)))
        #expect(IPv4Network(IPv4Address(192, 0, 2, 5), prefixLength: 29) == network)
    }

    @Test func `the shortest and the longest prefixes work`() throws {
        #expect(IPv4Network.any.contains(.broadcast) && IPv4Network.any.contains(IPv4Address.any))
        #expect(IPv4Network.any.hosts.count == 1 << 32 - 2)
        let pair = try #require(IPv4Network("192.0.2.0/31"))
        #expect(pair.hosts.count == 2 && pair.broadcast == nil)
        let one = try #require(IPv4Network("192.0.2.1/32"))
        #expect(one.hosts.count == 1 && one.contains(IPv4Address(192, 0, 2, 1)))
    }

    @Test func `networks contain and overlap`() throws {
        let wide = try #require(IPv4Network("10.0.0.0/8"))
        let narrow = try #require(IPv4Network("10.1.0.0/16"))
        let other = try #require(IPv4Network("11.0.0.0/16"))
        #expect(wide.contains(narrow) && !narrow.contains(wide))
        #expect(narrow.overlaps(wide) && wide.overlaps(narrow) && !other.overlaps(wide))
    }

    @Test(arguments: [
        "192.0.2.1/24", "192.0.2.0", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/024", "/24", "192.0.2.0/24/1", "::/0",
    ])
    func `text that is no network is refused`(_ text: String) { #expect(IPv4Network(text) == nil) }

    @Test func `an interface's address knows its network`() throws {
        let address = try #require(IPv4InterfaceAddress("192.0.2.2/24"))
        #expect(address.description == "192.0.2.2/24" && address.network.description == "192.0.2.0/24")
        #expect(IPv4InterfaceAddress("192.0.2.2") == nil)
    }
}

@Suite struct `IPv6 addresses and networks` {
    /// Written form, canonical form. Source: RFC 5952, 4 and 5; RFC 4291, 2.2
    static let forms: [(String, String)] = [
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:0DB8::0001", "2001:db8::1"), ("::", "::"), ("::1", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("1::", "1::"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("fe80::ff:fe00:1", "fe80::ff:fe00:1"),
    ]

    @Test(arguments: forms)
    func `text becomes canonical`(_ written: String, _ canonical: String) throws {
        let address = try #require(IPv6Address(written))
        #expect(address.description == canonical)
        #expect(IPv6Address(canonical) == address)
    }

    @Test(arguments: [
        "", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7:8::", ":1::",
        "1::2:", "::1.2.3", "1.2.3.4::", "fe80::1%eth0", "[::1]", "::1/64",
    ])
    func `other text is refused`(_ text: String) { #expect(IPv6Address(text) == nil) }

    @Test func `random addresses survive their text`() {
        let seed: UInt64 = 0x5952
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            // Half of the groups zero, so that runs of every length and place occur.
            let zeros = random.next()
            let groups = (0..<8).map {
                zeros >> UInt64($0) & 1 == 0 ? 0 : UInt16.random(in: 0...0xffff, using: &random)
            }
            let address = IPv6Address(
                groups[0], groups[1], groups[2], groups[3], groups[4], groups[5], groups[6], groups[7])
            #expect(IPv6Address(address.description) == address, "\(address), seed \(seed)")
        }
    }

    @Test func `addresses derived from others are right`() {
        let mac = MACAddress(0x00, 0x25, 0x96, 0x12, 0x34, 0x56)
        #expect(IPv6Address.linkLocal(for: mac).description == "fe80::225:96ff:fe12:3456")
        #expect(IPv6Address("2001:db8::12:3456")?.solicitedNodeMulticast.description == "ff02::1:ff12:3456")
        #expect(IPv6Address.vrrpRouters.description == "ff02::12")
    }

    @Test func `networks of every length contain what they should`() throws {
        let address = try #require(IPv6Address("2001:db8:1234:5678:9abc:def0:1234:5678"))
        for length in 0...128 {
            let network = IPv6Network(address, prefixLength: length)
            #expect(network.contains(address))
            #expect(IPv6Network(network.description) == network)
            guard length > 0 else { continue }
            let bit = UInt64(1) << UInt64((128 - length) % 64)
            let outside =
                length <= 64
                ? IPv6Address(high: address.high ^ bit, low: address.low)
                : IPv6Address(high: address.high, low: address.low ^ bit)
            #expect(!network.contains(outside), "/\(length)")
        }
        #expect(IPv6Network("2001:db8::1/64") == nil)
        #expect(IPv6InterfaceAddress("2001:db8::1/64")?.network.description == "2001:db8::/64")
    }
}
