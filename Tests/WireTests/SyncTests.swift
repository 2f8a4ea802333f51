import Testing
import Wire

@Suite struct `Messages of the cross-connect` {
    static let heartbeatBytes = hex(
        """
        46 4c 58 43 04 01 00 44  00 00 00 02 00 00 23 83
        11 22 33 44 55 66 77 88  00 00 00 00 00 00 00 99
        00 00 00 00 00 00 00 05  00 00 00 00 00 00 00 03
        02 c8 02 05 00 00 4e 20  00 00 03 e8 00 00 ca fe
        00 00 05 dc
        """)
    /// The same with an authenticator, which `openssl mac siphash` made with the key 00 01 … 0f.
    static let authenticBytes = hex(
        """
        46 4c 58 43 04 01 00 54  00 00 00 02 10 00 00 00
        11 22 33 44 55 66 77 88  00 00 00 00 00 00 00 99
        00 00 00 00 00 00 00 05  00 00 00 00 00 00 00 03
        02 c8 02 05 00 00 4e 20  00 00 03 e8 00 00 ca fe
        00 00 05 dc
        40 6f a8 2f 2d 5f 73 74  be c0 96 07 97 84 d2 b1
        """)
    static let key = SyncKey(first: 0x0706_0504_0302_0100, second: 0x0f0e_0d0c_0b0a_0908)
    static let recordBytes = hex(
        """
        46 4c 58 43 04 02 00 9a  00 00 00 01 00 04 d9 09
        00 00 00 00 00 00 00 07  00 00 00 00 00 00 00 09
        00 00 00 00 00 00 00 01  00 00 00 00 00 00 00 00
        00 04 00 00
        01 21  c0 00 02 0a c6 33 64 64 9c 40 00 50 06  22 09 00 0c 05 26 5c 00
               cb 00 71 01 00 00 00 00 04 00 00 00
        02 0d  c0 00 02 0a c6 33 64 64 9c 41 00 50 06
        03 12  c0 00 02 0a c6 33 64 64 9c 40 00 50 06  02 00 03 00 0c
        04 1e  c0 00 02 0a c6 33 64 64 00 00 08 00 06  c0 00 02 0a c6 33 64 64 9c 40 00 15 06  00 00 ea 60
        """)
    static let header = SyncHeader(
        sender: 2, epoch: 0x1122_3344_5566_7788, peerEpoch: 0x99, sequence: 5, acknowledgement: 3)
    static let heartbeat = Heartbeat(
        role: .active, priority: 200, readiness: .ready, flags: [.wantsActive, .preempts],
        intervalMicroseconds: 20000, sessions: 1000, configurationDigest: 0xcafe,
        roleMilliseconds: 1500)
    static let flow = FiveTuple(
        source: Example.client, destination: Example.service, sourcePort: 40000, destinationPort: 80, protocol: .tcp)
    static let session = SessionRecord(
        flow: flow, originatorState: 2, responderState: 2, flags: [.sourceTranslated, .answered],
        translatedSource: IPv4Address(203, 0, 113, 1), translatedSourcePort: 1024, rule: 12,
        remainingMilliseconds: 86_400_000)
    /// Not translated, and its first payload was seen.
    static let inspected: SessionRecord<IPv4> = {
        var record = SessionRecord(flow: flow, originatorState: 1, responderState: 2, flags: .inspected)
        record.application = 3
        record.category = 7
        return record
    }()
    static let pinhole: PinholeRecord<IPv4> = {
        var (expected, control) = (flow, flow)
        (expected.sourcePort, expected.destinationPort) = (0, 2048)
        control.destinationPort = 21
        return PinholeRecord(expected: expected, control: control, remainingMilliseconds: 60_000)
    }()
    static let records: [SyncRecord<IPv4>] = {
        var ended = flow
        ended.sourcePort = 40001
        return [
            .session(session), .removal(ended),
            .metadata(MetadataRecord(flow: flow, application: 2, category: 3, rule: 12)),
            .pinhole(pinhole),
        ]
    }()
    static let fixed: [SyncMessage] = [
        .heartbeat(heartbeat), .acknowledgement(arrived: 0x8000_0000_0000_0001, window: 64),
        .bulkRequest(identifier: 7), .bulkBegin(identifier: 7, sessions: 100_000),
        .bulkEnd(identifier: 7, sessions: 99),
        .handover(.takeOver, reason: .requested), .handover(.refused, reason: .notSynchronized),
    ]

    static func parse(
        _ bytes: some Collection<UInt8>, key: SyncKey? = nil
    ) throws -> (SyncHeader, SyncMessage, [SyncRecord<IPv4>]) {
        try withGuarded(bytes) {
            let view = try SyncMessageView($0, key: key)
            // What was verified once reads the same without being verified again.
            let again = SyncMessageView(verified: $0)
            #expect(again.header == view.header && again.message == view.message)
            var records: [SyncRecord<IPv4>] = []
            var (cursor, second) = (SyncMessageView.Cursor(), SyncMessageView.Cursor())
            while let record = view.nextRecord(&cursor, of: IPv4.self) {
                records.append(record)
                #expect(again.nextRecord(&second, of: IPv4.self) == record)
            }
            return (view.header, view.message, records)
        }
    }

    static func reason(_ bytes: some Collection<UInt8>, key: SyncKey? = nil) -> WireError.Reason? {
        do {
            _ = try parse(bytes, key: key)
            return nil
        } catch { return (error as? WireError)?.reason }
    }

    /// The message with a right checksum, so that what lies behind it is looked at.
    static func signed(_ bytes: [UInt8]) -> [UInt8] {
        let zeroed = bytes.replacing(14, with: 0, 0)
        let value = Checksums.reference(zeroed)
        return zeroed.replacing(14, with: UInt8(value >> 8), UInt8(value & 0xff))
    }

    /// Bulk messages are about the sessions of one family.
    static func header(of message: SyncMessage) -> SyncHeader {
        var header = header
        header.family = [.bulkBegin, .bulkEnd].contains(message.kind) ? .ipv4 : nil
        return header
    }

    static func emit(_ message: SyncMessage, size: Int = 200, key: SyncKey? = nil) -> [UInt8]? {
        dirty(size) { message.emit(header(of: message), key: key, into: $0) }
    }

    @Test func `a heartbeat is these bytes, both ways`() throws {
        let (header, message, _) = try Self.parse(Self.heartbeatBytes)
        #expect(header == Self.header && message == .heartbeat(Self.heartbeat))
        #expect(Self.emit(.heartbeat(Self.heartbeat)) == Self.heartbeatBytes)
        #expect(Self.heartbeat.interval == .milliseconds(20))
    }

    @Test func `an authenticated heartbeat is these bytes, both ways`() throws {
        let (header, message, _) = try Self.parse(Self.authenticBytes, key: Self.key)
        #expect(header == Self.header && message == .heartbeat(Self.heartbeat))
        #expect(Self.emit(.heartbeat(Self.heartbeat), key: Self.key) == Self.authenticBytes)
    }

    @Test func `records of every kind are these bytes, both ways`() throws {
        let (header, message, records) = try Self.parse(Self.recordBytes)
        #expect(message == .records(count: 4) && records == Self.records && message.kind == .records)
        let bytes = dirty {
            var writer = SyncRecordWriter<IPv4>($0)
            for record in Self.records { writer.append(record) }
            return writer.finish(header)
        }
        #expect(bytes == Self.recordBytes)
    }

    @Test func `an authenticated message with any one bit changed, or cut off anywhere, is refused`() throws {
        let records = try #require(
            dirty(SyncHeader.maximumMessage) {
                var writer = SyncRecordWriter<IPv4>($0, key: Self.key)
                for record in Self.records { writer.append(record) }
                return writer.finish(Self.header)
            })
        for bytes in [Self.authenticBytes, records] {
            #expect(Self.reason(bytes, key: Self.key) == nil)
            for bit in 0..<(bytes.count * 8) {
                var changed = bytes
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(Self.reason(changed, key: Self.key) != nil, "bit \(bit)")
            }
            for length in 0..<bytes.count {
                #expect(Self.reason(bytes.prefix(length), key: Self.key) != nil, "length \(length)")
            }
        }
    }

    @Test func `a message for another key, without one, or with one where none is expected is refused by its name`() {
        let other = SyncKey(text: "another")
        #expect(Self.reason(Self.authenticBytes, key: other) == .wrongAuthenticator)
        #expect(Self.reason(Self.heartbeatBytes, key: Self.key) == .notAuthenticated)
        #expect(Self.reason(Self.authenticBytes) == .unexpectedAuthenticator)
        // Even a message of another version: nothing of it is read, not even for its authenticator.
        #expect(Self.reason(Self.authenticBytes.replacing(4, with: 2), key: Self.key) == .wrongVersion)
    }

    @Test(arguments: fixed) func `every message survives a round trip`(_ message: SyncMessage) throws {
        for key in [nil, Self.key] {
            let bytes = try #require(Self.emit(message, key: key))
            let (header, parsed, _) = try Self.parse(bytes, key: key)
            #expect(header == Self.header(of: message) && parsed == message && parsed.kind == message.kind)
            #expect(Self.emit(message, size: key == nil ? 67 : 83, key: key) == nil)
        }
    }

    @Test(arguments: fixed) func `a truncated message is refused at every length`(_ message: SyncMessage) throws {
        let bytes = try #require(Self.emit(message))
        for length in 0..<bytes.count {
            #expect(Self.reason(bytes.prefix(length)) == (length < 48 ? .truncated : .wrongLength))
            // Also where the sender itself claims the shorter length.
            guard length >= 48 else { continue }
            let claimed = Self.signed(Array(bytes.prefix(length)).replacing(6, with: 0, UInt8(length)))
            #expect(Self.reason(claimed) == .wrongLength)
        }
        #expect(Self.reason(bytes + [0]) == .wrongLength)
    }

    @Test(arguments: [nil, key]) func `a message is filled to its last record and no further`(_ key: SyncKey?) throws {
        var packed = 0
        var plain = Self.session
        plain.flags = .answered
        let bytes = try #require(
            dirty(SyncHeader.maximumMessage) {
                var writer = SyncRecordWriter<IPv4>($0, key: key)
                while writer.append(.session(plain)) { plain.flow.sourcePort += 1 }
                packed = writer.count
                #expect(!writer.hasRoom)
                return writer.finish(Self.header)
            })
        let trailer = key == nil ? 0 : 16
        #expect(packed == (1472 - 52 - trailer) / 23 && bytes.count == 52 + packed * 23 + trailer)
        let (_, _, records) = try Self.parse(bytes, key: key)
        let ports: [UInt16?] = records.map {
            if case .session(let session) = $0 { session.flow.sourcePort } else { nil }
        }
        #expect(ports == (0..<packed).map { UInt16(40000 + $0) })
        for length in 52..<bytes.count { #expect(Self.reason(bytes.prefix(length), key: key) == .wrongLength) }
    }

    @Test func `a session whose first payload was seen says so behind its addresses, translated or not`() throws {
        var translated = Self.session
        translated.flags.insert(.inspected)
        translated.application = 4
        translated.category = 0x0102
        for (record, length) in [(Self.inspected, 24), (translated, 36)] {
            let bytes = try #require(
                dirty(SyncHeader.maximumMessage) {
                    var writer = SyncRecordWriter<IPv4>($0)
                    writer.append(.session(record))
                    return writer.finish(Self.header)
                })
            #expect(
                bytes.count == 52 + 2 + length
                    && Array(bytes.suffix(3)) == [
                        record.application, UInt8(record.category >> 8), UInt8(record.category & 0xff),
                    ])
            #expect(try Self.parse(bytes).2 == [.session(record)])
        }
    }

    @Test func `a message without records is a message`() throws {
        let bytes = try #require(dirty(52) { SyncRecordWriter<IPv4>($0).finish(Self.header) })
        #expect(try Self.parse(bytes).1 == .records(count: 0))
        #expect(dirty(51) { SyncRecordWriter<IPv4>($0).finish(Self.header) } == nil)
    }

    @Test func `strangers and other versions are refused before anything else is read`() {
        #expect(Self.reason(Self.heartbeatBytes.replacing(0, with: 0x47)) == .foreign)
        #expect(Self.reason(Self.heartbeatBytes.replacing(4, with: 3)) == .wrongVersion)
        #expect("\(WireError(.sync, .wrongVersion, found: 3, expected: 4))" == "cross-connect: the version is 3, not 4")
    }

    static let wrong: [(Int, [UInt8], WireError.Reason)] = [
        (5, [0], .unknownKind), (5, [8], .unknownKind), (8, [0, 0, 0, 0], .forbiddenValue),
        (12, [20], .unexpectedAuthenticator),
        (13, [1], .forbiddenValue), (13, [4], .forbiddenValue), (16, [UInt8](repeating: 0, count: 8), .forbiddenValue),
        (48, [3], .unknownKind),
        (50, [4], .unknownKind), (52, [0, 0, 0, 0], .forbiddenValue), (5, [7], .wrongLength), (5, [2], .forbiddenValue),
    ]

    @Test(arguments: wrong)
    func `a wrong field is refused with its reason`(_ offset: Int, _ value: [UInt8], _ reason: WireError.Reason) {
        var bytes = Self.heartbeatBytes
        bytes.replaceSubrange(offset..<(offset + value.count), with: value)
        #expect(Self.reason(Self.signed(bytes)) == reason)
        #expect(Self.reason(bytes) == (offset == 12 ? .unexpectedAuthenticator : .wrongChecksum))
    }

    @Test func `wrong counts, sizes, kinds and flags of records are refused`() {
        let wrong: [(offset: Int, value: UInt8, reason: WireError.Reason)] = [
            (49, 2, .wrongLength), (49, 5, .wrongLength), (48, 0xff, .wrongLength), (51, 1, .forbiddenValue),
            (52, 0, .unknownKind), (52, 5, .unknownKind), (52, 4, .wrongLength), (53, 0x20, .wrongLength),
            (53, 0xff, .wrongLength),
            (53, 0x15, .wrongLength), (54 + 14, 0x40, .forbiddenValue), (54 + 14, 0x19, .wrongLength),
            (54 + 14, 0x00, .wrongLength),
            (54 + 33 + 1, 12, .wrongLength), (54 + 33 + 15 + 1, 19, .wrongLength),
            // The pinhole: its length, the ports and protocols of both its flows.
            (122 + 1, 29, .wrongLength), (122 + 1, 31, .wrongLength), (124 + 9, 1, .forbiddenValue),
            (124 + 10, 0, .forbiddenValue), (124 + 12, 17, .forbiddenValue), (137 + 11, 0, .forbiddenValue),
            (137 + 12, 17, .forbiddenValue),
        ]
        for (offset, value, reason) in wrong {
            let changed = Self.signed(Self.recordBytes.replacing(offset, with: value))
            #expect(Self.reason(changed) == reason, "\(value) at \(offset)")
        }
    }
}
