import Testing
import Wire

@Suite struct `ICMPv6 and Neighbour Discovery` {
    static let source = IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)
    static let destination = IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2)
    static let advertisement = hex(
        """
        88 00 0a 6a e0 00 00 00
        20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
        02 01 02 00 00 00 00 0a
        """)
    static let all: [NeighborDiscovery] = [
        .neighborSolicitation(target: source, linkLayerAddress: Example.clientMAC),
        .neighborSolicitation(target: source, linkLayerAddress: nil),
        .neighborAdvertisement(
            target: source, flags: [.router, .solicited, .override], linkLayerAddress: Example.clientMAC),
        .routerSolicitation(linkLayerAddress: nil), .routerSolicitation(linkLayerAddress: Example.clientMAC),
        .routerAdvertisement(hopLimit: 64, lifetime: 1800, linkLayerAddress: Example.clientMAC),
    ]

    static func emit(_ message: NeighborDiscovery, size: Int = 200) -> [UInt8]? {
        dirty(size) { message.emit(into: $0, source: source, destination: destination) }
    }

    static func parse(_ bytes: some Collection<UInt8>) throws -> NeighborDiscovery {
        try withGuarded(bytes) {
            try NeighborDiscovery(try ICMPv6View($0, source: source, destination: destination))
        }
    }

    /// The message with a right checksum, so that what lies behind it is looked at.
    static func signed(_ bytes: [UInt8]) -> [UInt8] {
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .icmpv6, length: bytes.count)
        let zeroed = bytes.replacing(2, with: 0, 0)
        withGuarded(zeroed) { sum.add($0) }
        return zeroed.replacing(2, with: UInt8(sum.value >> 8), UInt8(sum.value & 0xff))
    }

    @Test func `an advertisement is these bytes, both ways`() throws {
        #expect(Self.emit(Self.all[2]) == Self.advertisement)
        #expect(try Self.parse(Self.advertisement) == Self.all[2])
    }

    @Test(arguments: all) func `every message survives a round trip`(_ message: NeighborDiscovery) throws {
        #expect(try Self.parse(try #require(Self.emit(message))) == message)
        #expect(Self.emit(message, size: 31) == nil)
    }

    @Test func `a truncated message is refused at every length`() {
        for length in 0..<Self.advertisement.count {
            #expect(throws: WireError.self) { try Self.parse(Self.advertisement.prefix(length)) }
            guard length >= 8, length != 24 else { continue }  // 24: a right message without option
            let error = #expect(throws: WireError.self) {
                try Self.parse(Self.signed(Array(Self.advertisement.prefix(length))))
            }
            #expect(error?.reason == (length < 24 ? .truncated : .wrongOption))
        }
    }

    @Test func `wrong checksums, options, targets and kinds are refused`() {
        let cases: [([UInt8], WireError.Reason)] = [
            (Self.advertisement.replacing(2, with: 0, 0), .wrongChecksum),
            (Self.signed(Self.advertisement.replacing(25, with: 0)), .wrongOption),
            (Self.signed(Self.advertisement.replacing(25, with: 2)), .wrongOption),
            (Self.signed(Self.advertisement.replacing(8, with: 0xff)), .forbiddenValue),
            (Self.signed(Self.advertisement.replacing(0, with: 200)), .unknownKind),
            (Self.signed(Self.advertisement.replacing(1, with: 1)), .unknownKind),
        ]
        for (bytes, reason) in cases {
            let error = #expect(throws: WireError.self) { try Self.parse(bytes) }
            #expect(error?.reason == reason)
        }
    }

    @Test func `options that are not known are passed over`() throws {
        let unknown = hex("0e 01 00 00 00 00 00 00")
        let bytes = Array(Self.advertisement.prefix(24)) + unknown + Array(Self.advertisement[24...])
        #expect(try Self.parse(Self.signed(bytes)) == Self.all[2])
    }
}
