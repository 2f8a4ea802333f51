import Testing
import Wire

@Suite struct `Records of IPv6` {
    static let flow = IPv6FiveTuple(
        source: IPv6Address(high: 0x2001_0db8_0000_0000, low: 0x0a),
        destination: IPv6Address(high: 0x2001_0db8_0001_0000, low: 0x64), sourcePort: 40000, destinationPort: 80,
        protocol: .tcp)
    static let session: SessionRecord<IPv6> = {
        var record = SessionRecord<IPv6>(
            flow: flow, originatorState: 2, responderState: 2, flags: [.sourceTranslated, .answered, .inspected],
            translatedSource: IPv6Address(high: 0x2001_0db8_0002_0000, low: 1), translatedSourcePort: 1024, rule: 12,
            remainingMilliseconds: 86_400_000)
        record.application = 3
        record.category = 7
        return record
    }()
    static let records: [SyncRecord<IPv6>] = {
        var (expected, control) = (flow, flow)
        (expected.sourcePort, expected.destinationPort) = (0, 2048)
        control.destinationPort = 21
        return [
            .session(session), .session(SessionRecord(flow: flow, originatorState: 1, responderState: 0)),
            .removal(flow), .metadata(MetadataRecord(flow: flow, application: 2, category: 3, rule: 12)),
            .pinhole(PinholeRecord(expected: expected, control: control, remainingMilliseconds: 60_000)),
        ]
    }()
    static let bytes: [UInt8] = emit(records) ?? []

    static func emit<Family>(_ records: [SyncRecord<Family>]) -> [UInt8]? {
        dirty(SyncHeader.maximumMessage) {
            var writer = SyncRecordWriter<Family>($0)
            for record in records { writer.append(record) }
            return writer.finish(`Messages of the cross-connect`.header)
        }
    }

    static func read<Family: AddressFamily>(
        _ bytes: some Collection<UInt8>, as family: Family.Type
    ) throws -> (SyncHeader, [SyncRecord<Family>]) {
        try withGuarded(bytes) {
            let view = try SyncMessageView($0)
            var (records, cursor) = ([SyncRecord<Family>](), SyncMessageView.Cursor())
            while let record = view.nextRecord(&cursor, of: family) { records.append(record) }
            return (view.header, records)
        }
    }

    @Test func `records of every kind survive a round trip, and the header names their family`() throws {
        let (header, records) = try Self.read(Self.bytes, as: IPv6.self)
        #expect(header.family == .ipv6 && records == Self.records)
        #expect(Self.bytes[13] == 6)
        // Header, head of the records, and of each record two bytes and its body.
        #expect(Self.bytes.count == 52 + (2 + 84) + (2 + 45) + (2 + 37) + (2 + 42) + (2 + 78))
    }

    @Test func `a flow is addresses, ports and protocol, in the order of an IP header`() throws {
        let bytes = try #require(Self.emit([SyncRecord<IPv6>.removal(Self.flow)]))
        #expect(
            Array(bytes[52...])
                == hex(
                    """
                    02 25  20 01 0d b8 00 00 00 00  00 00 00 00 00 00 00 0a
                           20 01 0d b8 00 01 00 00  00 00 00 00 00 00 00 64  9c 40 00 50 06
                    """))
    }

    @Test func `a message has no records of another family`() throws {
        #expect(try Self.read(Self.bytes, as: IPv4.self).1.isEmpty)
        let ipv4 = try #require(Self.emit(`Messages of the cross-connect`.records))
        #expect(try Self.read(ipv4, as: IPv6.self).1.isEmpty)
        // Read as the other family, records have other lengths.
        #expect(`Messages of the cross-connect`.reason(Self.signed(Self.bytes, family: 4)) == .wrongLength)
        #expect(`Messages of the cross-connect`.reason(Self.signed(ipv4, family: 6)) == .wrongLength)
        for family in [UInt8(0), 5, 10] {
            #expect(`Messages of the cross-connect`.reason(Self.signed(ipv4, family: family)) == .forbiddenValue)
        }
    }

    private static func signed(_ bytes: [UInt8], family: UInt8) -> [UInt8] {
        `Messages of the cross-connect`.signed(bytes.replacing(13, with: family))
    }

    @Test func `a truncated message is refused at every length`() {
        for length in 0..<Self.bytes.count {
            #expect(throws: WireError.self) { try Self.read(Self.bytes.prefix(length), as: IPv6.self) }
            guard length >= 52 else { continue }
            let claimed = Array(Self.bytes.prefix(length)).replacing(6, with: UInt8(length >> 8), UInt8(length & 0xff))
            #expect(
                `Messages of the cross-connect`.reason(`Messages of the cross-connect`.signed(claimed)) == .wrongLength)
        }
    }

    @Test func `a key of IPv4 has two words and one of IPv6 five`() {
        #expect(MemoryLayout<FlowKey<IPv4>>.size == 16 && MemoryLayout<FlowKey<IPv6>>.size == 40)
    }
}
