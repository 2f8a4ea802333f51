import Testing
import Wire

@Suite struct `ARP packets` {
    static let bytes = hex(
        """
        00 01 08 00 06 04 00 02
        02 00 00 00 00 64 c6 33 64 64
        02 00 00 00 00 0a c0 00 02 0a
        """)
    static let reply = ARPHeader(
        operation: .reply, senderMAC: Example.serviceMAC, senderAddress: Example.service,
        targetMAC: Example.clientMAC, targetAddress: Example.client)

    static func parse(_ bytes: some Collection<UInt8>) throws -> ARPHeader {
        try withGuarded(bytes) { try ARPHeader($0) }
    }

    @Test func `a reply parses, padding ignored`() throws {
        #expect(try Self.parse(Self.bytes) == Self.reply)
        #expect(try Self.parse(Self.bytes + [UInt8](repeating: 0, count: 18)) == Self.reply)
    }

    @Test func `a reply fills a dirty buffer`() {
        #expect(dirty { Self.reply.emit(into: $0) } == Self.bytes)
        #expect(dirty(27) { Self.reply.emit(into: $0) } == nil)
    }

    @Test func `a truncated packet is refused at every length`() {
        for length in 0..<28 {
            #expect(throws: WireError(.arp, .truncated, found: length, expected: 28)) {
                try Self.parse(Self.bytes.prefix(length))
            }
        }
    }

    @Test(arguments: [(1, UInt8(6)), (2, 0x86), (4, 8), (5, 16)])
    func `other hardware and other protocols are refused`(_ offset: Int, _ value: UInt8) {
        let error = #expect(throws: WireError.self) { try Self.parse(Self.bytes.replacing(offset, with: value)) }
        #expect(error?.reason == .foreign)
    }

    @Test(arguments: [UInt8(0), 3, 8]) func `other operations are refused`(_ operation: UInt8) {
        #expect(throws: WireError(.arp, .unknownKind, found: Int(operation))) {
            try Self.parse(Self.bytes.replacing(7, with: operation))
        }
    }

    @Test func `announcements and probes are told apart`() {
        var packet = Self.reply
        #expect(!packet.isGratuitous && !packet.isProbe)
        packet.targetAddress = packet.senderAddress
        #expect(packet.isGratuitous)
        packet.operation = .request
        packet.senderAddress = .any
        #expect(packet.isProbe && !packet.isGratuitous)
    }
}
