import Testing
import Wire

@Suite struct `Ethernet frames` {
    static let bytes = hex("02 00 00 00 00 64  02 00 00 00 00 0a  08 00  de ad")
    let header = EthernetHeader(destination: Example.serviceMAC, source: Example.clientMAC, etherType: .ipv4)

    @Test func `a frame parses`() throws {
        try withGuarded(Self.bytes) { bytes in
            let view = try EthernetView(bytes)
            let (parsed, payload) = (EthernetHeader(view), Array(view.payload))
            #expect(parsed == header)
            #expect(payload == hex("de ad"))
        }
    }

    @Test func `a header fills a dirty buffer`() {
        #expect(dirty { header.emit(into: $0) } == Array(Self.bytes.prefix(14)))
    }

    @Test func `a short buffer is refused`() {
        for size in 0..<14 { #expect(dirty(size) { header.emit(into: $0) } == nil) }
    }

    @Test func `a truncated frame is refused at every length`() {
        for length in 0..<14 {
            #expect(throws: WireError(.ethernet, .truncated, found: length, expected: 14)) {
                try withGuarded(Self.bytes.prefix(length)) { _ = try EthernetView($0) }
            }
        }
    }
}
