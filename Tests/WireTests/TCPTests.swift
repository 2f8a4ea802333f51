import Testing
import Wire

@Suite struct `TCP segments` {
    static let bytes = hex(
        """
        9c 40 00 50 01 02 03 04 00 00 00 00 70 02 fa f0 fb ee 00 00
        02 04 05 b4 01 03 03 07
        """)
    static let header = TCPHeader(
        sourcePort: 40000, destinationPort: 80, sequence: 0x0102_0304, flags: .syn, window: 64240,
        maximumSegmentSize: 1460, windowScale: 7)

    static func parse(_ bytes: some Collection<UInt8>) throws -> TCPHeader {
        try withGuarded(bytes) { try TCPView($0).header }
    }

    @Test func `a SYN parses with its options`() throws {
        let parsed = try Self.parse(Self.bytes)
        #expect(parsed.sourcePort == 40000 && parsed.destinationPort == 80 && parsed.sequence == 0x0102_0304)
        #expect(parsed.flags == .syn && parsed.window == 64240 && parsed.acknowledgement == 0)
        #expect(parsed.maximumSegmentSize == 1460 && parsed.windowScale == 7 && parsed.maximumSegmentSizeOffset == 22)
        try withGuarded(Self.bytes) {
            let isValid = try TCPView($0).isChecksumValid(source: Example.client, destination: Example.service)
            #expect(isValid)
        }
        try withGuarded(Self.bytes.replacing(4, with: 2)) {
            let isValid = try TCPView($0).isChecksumValid(source: Example.client, destination: Example.service)
            #expect(!isValid)
        }
    }

    @Test func `a SYN fills a dirty buffer`() {
        let emit = { (buffer: UnsafeMutableRawBufferPointer) in
            Self.header.emit(into: buffer, payloadLength: 0, source: Example.client, destination: Example.service)
        }
        #expect(dirty { emit($0) } == Self.bytes)
        #expect(dirty(28) { emit($0) } == Self.bytes)
        #expect(dirty(27) { emit($0) } == nil)
    }

    @Test func `data survives a round trip, also over IPv6`() throws {
        let header = TCPHeader(
            sourcePort: 1, destinationPort: 2, sequence: .max, acknowledgement: 7, flags: [.psh, .ack], window: 1)
        let (source, destination) = (IPv6Address.loopback, IPv6Address.allNodes)
        let bytes = try #require(
            dirty(holding: hex("01 02 03"), at: 20) {
                header.emit(into: $0, payloadLength: 3, source: source, destination: destination).map { $0 + 3 }
            })
        try withGuarded(bytes) { bytes in
            let view = try TCPView(bytes)
            let (parsed, payload) = (view.header, Array(view.payload))
            let isValid = view.isChecksumValid(source: source, destination: destination)
            #expect(parsed == header && payload == hex("01 02 03") && isValid)
        }
    }

    @Test func `a truncated segment is refused at every length`() {
        for length in 0..<Self.bytes.count {
            let error = #expect(throws: WireError.self) { try Self.parse(Self.bytes.prefix(length)) }
            #expect(error?.reason == (length < 20 ? .truncated : .wrongHeaderLength))
        }
    }

    @Test(arguments: [UInt8(0x00), 0x40, 0x80, 0xf0]) func `a wrong header length is refused`(_ value: UInt8) {
        let error = #expect(throws: WireError.self) { try Self.parse(Self.bytes.replacing(12, with: value)) }
        #expect(error?.reason == .wrongHeaderLength)
    }

    /// Options that lie: the header itself stays usable, they count as absent.
    @Test(arguments: [
        "01 02 04 05", "02 00 05 b4 00 00 00 00", "02 01 05 b4 00 00 00 00", "02 09 05 b4 00 00 00 00",
        "01 01 01 02", "fe 08 00 00 00 00 00 02", "00 02 04 05 b4 00 00 00", "02 03 05 01 03 04 07 00",
    ])
    func `a lying option neither crashes nor counts`(_ options: String) throws {
        var bytes = Array(Self.bytes.prefix(20)) + hex(options)
        while bytes.count % 4 != 0 { bytes.append(0) }
        bytes[12] = UInt8(bytes.count / 4) << 4
        let header = try Self.parse(bytes)
        #expect(header.maximumSegmentSize == nil && header.windowScale == nil)
        #expect(header.sequence == 0x0102_0304)
    }

    @Test func `flags have names and kinds`() {
        #expect(TCPFlags([.syn, .ack]).description == "SYN,ACK" && TCPFlags([]).description == "-")
        #expect(TCPFlags.syn.isInitialSYN && TCPFlags([.syn, .ece, .cwr]).isInitialSYN)
        #expect(!TCPFlags([.syn, .ack]).isInitialSYN && TCPFlags([.syn, .ack]).isSYNACK)
        #expect(!TCPFlags([.syn, .rst]).isInitialSYN && !TCPFlags([.syn, .fin]).isInitialSYN)
    }
}
