import Testing
import Wire

@Suite struct `UDP datagrams` {
    static let bytes = hex("9c 40 00 35 00 0d 32 ea 68 65 6c 6c 6f")
    static let header = UDPHeader(sourcePort: 40000, destinationPort: 53)

    static func emit(_ payload: [UInt8], into size: Int = 200) -> [UInt8]? {
        dirty(size, holding: payload, at: 8) {
            header.emit(
                into: $0, payloadLength: payload.count, source: Example.client, destination: Example.service
            ).map { $0 + payload.count }
        }
    }

    static func isValid(_ bytes: [UInt8]) throws -> Bool {
        try withGuarded(bytes) {
            try UDPView($0).isChecksumValid(source: Example.client, destination: Example.service)
        }
    }

    @Test func `a datagram parses`() throws {
        try withGuarded(Self.bytes) { bytes in
            let view = try UDPView(bytes)
            let (header, payload, checksum) = (UDPHeader(view), Array(view.payload), view.checksum)
            #expect(header == Self.header && payload == Array("hello".utf8) && checksum == 0x32ea)
        }
        #expect(try Self.isValid(Self.bytes))
    }

    @Test func `a datagram fills a dirty buffer`() {
        #expect(Self.emit(Array("hello".utf8)) == Self.bytes)
        #expect(Self.emit(Array("hello".utf8), into: 13) == Self.bytes)
        #expect(
            dirty(7) {
                Self.header.emit(into: $0, payloadLength: 0, source: Example.client, destination: Example.service)
            } == nil)
        #expect(
            dirty(12) {
                Self.header.emit(into: $0, payloadLength: 5, source: Example.client, destination: Example.service)
            } == nil)
    }

    @Test func `a truncated datagram is refused at every length`() {
        for length in 0..<Self.bytes.count {
            let error = #expect(throws: WireError.self) {
                try withGuarded(Self.bytes.prefix(length)) { _ = try UDPView($0) }
            }
            #expect(error?.reason == (length < 8 ? .truncated : .wrongLength))
        }
    }

    @Test(arguments: [UInt8(0), 7, 14]) func `a wrong length is refused`(_ length: UInt8) {
        #expect(throws: WireError(.udp, .wrongLength, found: Int(length), expected: 13)) {
            try withGuarded(Self.bytes.replacing(5, with: length)) { _ = try UDPView($0) }
        }
    }

    @Test func `checksums that are right, absent and wrong are told apart`() throws {
        #expect(try Self.isValid(Self.bytes.replacing(6, with: 0, 0)))
        #expect(try !Self.isValid(Self.bytes.replacing(6, with: 0x32, 0xeb)))
        #expect(try !Self.isValid(Self.bytes.replacing(12, with: 0x6e)))
    }

    @Test func `a sum of zero is sent as all ones`() throws {
        // Without payload, then with the word that makes up the difference to all ones.
        let empty = try #require(Self.emit([0, 0]))
        let bytes = try #require(Self.emit([empty[6], empty[7]]))
        #expect(Array(bytes[6..<8]) == [0xff, 0xff])
        #expect(try Self.isValid(bytes))
    }

    @Test func `over IPv6 an absent checksum is wrong`() throws {
        let (source, destination) = (IPv6Address.loopback, IPv6Address.allNodes)
        let bytes = try #require(
            dirty { Self.header.emit(into: $0, payloadLength: 0, source: source, destination: destination) })
        try withGuarded(bytes) {
            let isValid = try UDPView($0).isChecksumValid(source: source, destination: destination)
            #expect(isValid)
        }
        try withGuarded(bytes.replacing(6, with: 0, 0)) {
            let isValid = try UDPView($0).isChecksumValid(source: source, destination: destination)
            #expect(!isValid)
        }
    }
}
