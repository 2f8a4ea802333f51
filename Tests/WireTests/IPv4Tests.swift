import Testing
import Wire

@Suite struct `IPv4 packets` {
    /// 20 bytes of header and a payload of 4.
    static let bytes = hex(
        """
        45 00 00 18 12 34 40 00 40 11 df 0b
        c0 a8 00 01 c0 a8 00 c7  de ad be ef
        """
    ).withHeaderChecksum
    static let header = IPv4Header(
        source: IPv4Address(192, 168, 0, 1), destination: IPv4Address(192, 168, 0, 199), protocol: .udp,
        identification: 0x1234)

    @Test func `the header that everybody quotes has the checksum b861`() {
        let header = IPv4Header(
            source: IPv4Address(192, 168, 0, 1), destination: IPv4Address(192, 168, 0, 199), protocol: .udp)
        let bytes = dirty { header.emit(into: $0, payloadLength: 95) }
        #expect(bytes == hex("45 00 00 73 00 00 40 00 40 11 b8 61 c0 a8 00 01 c0 a8 00 c7"))
    }

    @Test func `a packet parses, padding ignored`() throws {
        try withGuarded(Self.bytes + hex("00 00 00")) { bytes in
            let view = try IPv4View(bytes)
            let (header, payload, length) = (IPv4Header(view), Array(view.payload), view.length)
            #expect(header == Self.header && payload == hex("de ad be ef") && length == 24)
        }
    }

    @Test func `every field survives a round trip`() throws {
        let header = IPv4Header(
            source: Example.client, destination: Example.service, protocol: .gre, timeToLive: 3, trafficClass: 0xb8,
            identification: 0xfffe, dontFragment: false, moreFragments: true, fragmentOffset: 65528)
        let bytes = try #require(dirty { header.emit(into: $0, payloadLength: 0) })
        try withGuarded(bytes) {
            let parsed = IPv4Header(try IPv4View($0))
            #expect(parsed == header)
        }
    }

    @Test func `options are skipped`() throws {
        let bytes = hex(
            """
            46 00 00 1c 00 00 00 00 01 02 00 00 c0 00 02 0a c6 33 64 64  94 04 00 00
            16 00 fa 04
            """
        ).withHeaderChecksum
        try withGuarded(bytes) { bytes in
            let view = try IPv4View(bytes)
            let (headerLength, payload) = (view.headerLength, Array(view.payload))
            #expect(headerLength == 24 && payload == hex("16 00 fa 04"))
        }
    }

    @Test func `a truncated packet is refused at every length`() {
        for length in 0..<Self.bytes.count {
            let error = #expect(throws: WireError.self) {
                try withGuarded(Self.bytes.prefix(length)) { _ = try IPv4View($0) }
            }
            #expect(error?.reason == (length < 20 ? .truncated : .wrongLength))
        }
    }

    static let wrong: [(Int, [UInt8], WireError.Reason)] = [
        (0, [0x65], .wrongVersion), (0, [0x44], .wrongHeaderLength), (0, [0x4f], .wrongHeaderLength),
        (2, [0, 19], .wrongLength), (2, [0, 25], .wrongLength), (10, [0, 0], .wrongChecksum), (8, [1], .wrongChecksum),
    ]

    @Test(arguments: wrong)
    func `a wrong field is refused with its reason`(_ offset: Int, _ value: [UInt8], _ reason: WireError.Reason) {
        var bytes = Self.bytes
        bytes.replaceSubrange(offset..<(offset + value.count), with: value)
        let error = #expect(throws: WireError.self) { try withGuarded(bytes) { _ = try IPv4View($0) } }
        #expect(error?.reason == reason)
    }

    @Test func `what does not fit is not written`() {
        #expect(dirty(23) { Self.header.emit(into: $0, payloadLength: 4) } == nil)
        #expect(dirty(70000) { Self.header.emit(into: $0, payloadLength: 65516) } == nil)
        #expect(dirty { Self.header.emit(into: $0, payloadLength: -1) } == nil)
        var fragment = Self.header
        fragment.fragmentOffset = 4
        #expect(dirty { fragment.emit(into: $0, payloadLength: 0) } == nil)
    }
}

extension Array where Element == UInt8 {
    /// The same IPv4 packet with a right header checksum.
    var withHeaderChecksum: [UInt8] {
        let zeroed = replacing(10, with: 0, 0)
        let value = Checksums.reference(Array(zeroed.prefix(Int(self[0] & 0x0f) * 4)))
        return zeroed.replacing(10, with: UInt8(value >> 8), UInt8(value & 0xff))
    }
}
