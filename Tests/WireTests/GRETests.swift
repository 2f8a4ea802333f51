import Testing
import Wire

@Suite struct `GRE packets` {
    static let bytes = hex("b0 00 08 00 e5 fd 00 00 de ad be ef 00 00 00 01 61 62 63")
    static let header = GREHeader(protocolType: .ipv4, hasChecksum: true, key: 0xdead_beef, sequence: 1)

    static func parse(_ bytes: some Collection<UInt8>) throws -> (header: GREHeader, payload: [UInt8]) {
        try withGuarded(bytes) {
            let view = try GREView($0)
            return (GREHeader(view), Array(view.payload))
        }
    }

    static func emit(_ header: GREHeader, size: Int = 200) -> [UInt8]? {
        let payload = Array("abc".utf8)
        return dirty(size, holding: size < 200 ? [] : payload, at: header.length) {
            header.emit(into: $0, payloadLength: 3).map { $0 + 3 }
        }
    }

    @Test func `a packet with every option parses`() throws {
        let (header, payload) = try Self.parse(Self.bytes)
        #expect(header == Self.header && payload == Array("abc".utf8))
    }

    @Test func `a packet fills a dirty buffer`() {
        #expect(Self.emit(Self.header) == Self.bytes)
        #expect(Self.emit(GREHeader(protocolType: .ipv6)) == hex("00 00 86 dd 61 62 63"))
        #expect(Self.emit(Self.header, size: 18) == nil)
    }

    @Test func `every choice of options survives a round trip`() throws {
        for choice in 0..<8 {
            let header = GREHeader(
                protocolType: .ipv4, hasChecksum: choice & 1 != 0, key: choice & 2 != 0 ? 7 : nil,
                sequence: choice & 4 != 0 ? 9 : nil)
            #expect(try Self.parse(try #require(Self.emit(header))).header == header)
        }
    }

    @Test func `a truncated header is refused at every length`() {
        for length in 0..<16 {
            let error = #expect(throws: WireError.self) { try Self.parse(Self.bytes.prefix(length)) }
            #expect(error?.reason == (length < 4 ? .truncated : .wrongHeaderLength))
        }
    }

    @Test(arguments: [
        (0, UInt8(0xf0), WireError.Reason.forbiddenValue), (0, 0xb8, .forbiddenValue), (1, 1, .wrongVersion),
        (4, 0, .wrongChecksum), (18, 0, .wrongChecksum),
    ])
    func `a wrong field is refused with its reason`(_ offset: Int, _ value: UInt8, _ reason: WireError.Reason) {
        let error = #expect(throws: WireError.self) { try Self.parse(Self.bytes.replacing(offset, with: value)) }
        #expect(error?.reason == reason)
    }
}
