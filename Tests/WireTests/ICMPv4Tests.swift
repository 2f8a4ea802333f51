import Testing
import Wire

@Suite struct `ICMP messages` {
    static let echo = hex("08 00 06 f4 12 34 00 07 70 69 6e 67")
    /// Fragmentation needed, next hop 1400, quoting 192.168.0.1:40000 > 192.168.0.199:53.
    static let tooLarge = hex(
        """
        03 04 5b 06 00 00 05 78
        45 00 00 73 00 00 40 00 40 11 b8 61 c0 a8 00 01 c0 a8 00 c7
        9c 40 00 35 00 08 00 00
        """)

    static func parse(_ bytes: some Collection<UInt8>) throws -> (header: ICMPv4Header, payload: [UInt8]) {
        try withGuarded(bytes) {
            let view = try ICMPv4View($0)
            return (view.header, Array(view.payload))
        }
    }

    @Test func `an echo request parses`() throws {
        let (header, payload) = try Self.parse(Self.echo)
        #expect(header == .echoRequest(identifier: 0x1234, sequence: 7) && payload == Array("ping".utf8))
        #expect(header.identifier == 0x1234 && header.sequence == 7 && header.type.isQuery && !header.type.isError)
    }

    @Test func `messages fill a dirty buffer`() {
        let ping = Array("ping".utf8)
        #expect(
            dirty(holding: ping, at: 8) {
                ICMPv4Header.echoRequest(identifier: 0x1234, sequence: 7).emit(into: $0, payloadLength: 4)
                    .map { $0 + 4 }
            } == Self.echo)
        let quote = Array(Self.tooLarge[8...])
        #expect(
            dirty(holding: quote, at: 8) {
                ICMPv4Header.fragmentationNeeded(mtu: 1400).emit(into: $0, payloadLength: 28).map { $0 + 28 }
            } == Self.tooLarge)
        #expect(dirty(7) { ICMPv4Header.timeExceeded.emit(into: $0, payloadLength: 0) } == nil)
    }

    @Test func `an error tells what it is about`() throws {
        let (header, payload) = try Self.parse(Self.tooLarge)
        #expect(header.nextHopMTU == 1400 && header.type.isError && header.code == 4)
        let quoted = try withGuarded(payload) { try QuotedPacket($0) }
        #expect(quoted.hasPorts && quoted.transportOffset == 20)
        #expect(quoted.fiveTuple.description == "udp 192.168.0.1:40000 > 192.168.0.199:53")
    }

    @Test func `a message is refused at every truncated length`() {
        for length in 0..<Self.echo.count {
            let error = #expect(throws: WireError.self) { try Self.parse(Self.echo.prefix(length)) }
            #expect(error?.reason == (length < 8 ? .truncated : .wrongChecksum), "\(length)")
        }
    }

    @Test func `a wrong checksum is refused`() {
        for checksum: [UInt8] in [[0, 0], [0x06, 0xf5]] {
            let bytes = Self.echo.replacing(2, with: checksum[0], checksum[1])
            #expect(throws: WireError(.icmpv4, .wrongChecksum, found: Int(checksum[0]) << 8 | Int(checksum[1]))) {
                try Self.parse(bytes)
            }
        }
    }

    @Test func `a quote is read as far as it goes, at every length`() throws {
        let quote = Array(Self.tooLarge[8...])
        for length in 0..<20 {
            #expect(throws: WireError(.ipv4, .truncated, found: length, expected: 20)) {
                try withGuarded(quote.prefix(length)) { _ = try QuotedPacket($0) }
            }
        }
        for length in 20...28 {
            let quoted = try withGuarded(quote.prefix(length)) { try QuotedPacket($0) }
            #expect(quoted.hasPorts == (length == 28) && quoted.fiveTuple.source == IPv4Address(192, 168, 0, 1))
        }
    }

    @Test func `a quoted later fragment has no ports`() throws {
        let quote = Array(Self.tooLarge[8...]).replacing(6, with: 0, 1)
        let quoted = try withGuarded(quote) { try QuotedPacket($0) }
        #expect(!quoted.hasPorts && quoted.fiveTuple.sourcePort == 0)
    }
}
