import Testing
import Wire

@Suite struct `IPv6 packets` {
    static let bytes = hex(
        """
        6b 81 23 45 00 04 3b 40
        20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
        20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02
        de ad be ef
        """)
    static let header = IPv6Header(
        source: IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), destination: IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2),
        nextHeader: .none, hopLimit: 64, trafficClass: 0xb8, flowLabel: 0x12345)

    struct Seen: Equatable {
        var `protocol`: IPProtocol
        var offset: Int
        var fragment: IPFragment
    }

    static func parse(_ bytes: some Collection<UInt8>) throws -> Seen {
        try withGuarded(bytes) {
            let view = try IPv6View($0)
            return Seen(protocol: view.protocol, offset: view.transportOffset, fragment: view.fragment)
        }
    }

    /// The header above with other contents behind it.
    static func packet(next: IPProtocol, _ payload: [UInt8]) -> [UInt8] {
        Array(bytes.prefix(40)).replacing(
            4, with: UInt8(payload.count >> 8), UInt8(payload.count & 0xff), next.rawValue)
            + payload
    }

    @Test func `a packet parses, padding ignored`() throws {
        try withGuarded(Self.bytes + hex("00 00")) { bytes in
            let view = try IPv6View(bytes)
            let (header, payload, length) = (IPv6Header(view), Array(view.payload), view.length)
            #expect(header == Self.header && payload == hex("de ad be ef") && length == 44)
        }
    }

    @Test func `a header fills a dirty buffer`() {
        #expect(dirty { Self.header.emit(into: $0, payloadLength: 4) } == Array(Self.bytes.prefix(40)))
        #expect(dirty(43) { Self.header.emit(into: $0, payloadLength: 4) } == nil)
    }

    @Test func `a truncated packet is refused at every length`() {
        for length in 0..<Self.bytes.count {
            let error = #expect(throws: WireError.self) { try Self.parse(Self.bytes.prefix(length)) }
            #expect(error?.reason == (length < 40 ? .truncated : .wrongLength))
        }
    }

    @Test func `another version is refused`() {
        #expect(throws: WireError(.ipv6, .wrongVersion, found: 4, expected: 6)) {
            try Self.parse(Self.bytes.replacing(0, with: 0x45))
        }
    }

    @Test func `extension headers are passed`() throws {
        let chain = hex("2c 00 05 02 00 00 01 00  3c 00 00 01 00 00 00 07  06 01") + [UInt8](repeating: 0, count: 14)
        let packet = Self.packet(next: .hopByHop, chain + hex("aa"))
        #expect(try Self.parse(packet) == Seen(protocol: .tcp, offset: 72, fragment: .first))
    }

    @Test func `a later fragment is not looked into`() throws {
        let packet = Self.packet(next: .fragment, hex("3c 00 00 08 00 00 00 07  ff ff ff ff ff ff ff ff"))
        #expect(try Self.parse(packet) == Seen(protocol: .destinationOptions, offset: 48, fragment: .later))
    }

    @Test func `an extension header beyond the packet is refused`() {
        for chain in ["06 01 00 00 00 00 00 00", "06 ff 00 00 00 00 00 00", "06 00 00"] {
            let error = #expect(throws: WireError.self) { try Self.parse(Self.packet(next: .routing, hex(chain))) }
            #expect(error?.reason == .wrongHeaderLength)
        }
    }

    @Test func `an endless chain is refused`() {
        let chain = (0..<9).flatMap { _ in hex("3c 00 00 00 00 00 00 00") }
        #expect(throws: WireError(.ipv6, .tooManyHeaders, found: 9, expected: 8)) {
            try Self.parse(Self.packet(next: .destinationOptions, chain))
        }
    }
}
