import Testing
import Wire

@Suite struct `Messages of the cross-connect` {
    static let heartbeatBytes = hex(
        """
        46 4c 58 43 01 01 00 40  00 00 00 02 00 00 2c 63
        11 22 33 44 55 66 77 88  00 00 00 00 00 00 00 99
        00 00 00 00 00 00 00 05  00 00 00 00 00 00 00 03
        02 c8 02 05 00 00 4e 20  00 00 03 e8 00 00 ca fe
        """)
    static let recordBytes = hex(
        """
        46 4c 58 43 01 02 00 60  00 00 00 01 00 00 20 a1
        00 00 00 00 00 00 00 07  00 00 00 00 00 00 00 09
        00 00 00 00 00 00 00 01  00 00 00 00 00 00 00 00
        00 01 00 2c
        c0 00 02 0a c6 33 64 64 9c 40 00 50 06 01 02 02
        cb 00 71 01 00 00 00 00 04 00 00 00
        00 00 00 0c 00 00 0b b8 05 26 5c 00 01 02 00 09
        """)
    static let header = SyncHeader(
        sender: 2, epoch: 0x1122_3344_5566_7788, peerEpoch: 0x99, sequence: 5, acknowledgement: 3)
    static let heartbeat = Heartbeat(
        role: .active, priority: 200, readiness: .ready, flags: [.wantsActive, .preempts],
        intervalMicroseconds: 20000, sessions: 1000, configurationDigest: 0xcafe)
    static let record = SessionRecord(
        operation: .create,
        flow: FiveTuple(
            source: Example.client, destination: Example.service, sourcePort: 40000, destinationPort: 80, protocol: .tcp
        ),
        originatorState: 2, responderState: 2, flags: [.sourceTranslated, .answered],
        translatedSource: IPv4Address(203, 0, 113, 1), translatedSourcePort: 1024, rule: 12, ageMilliseconds: 3000,
        remainingMilliseconds: 86_400_000, ingressPort: 1, egressPort: 2)
    static let fixed: [SyncMessage] = [
        .heartbeat(heartbeat), .acknowledgement(arrived: 0x8000_0000_0000_0001, window: 64),
        .bulkRequest(identifier: 7), .bulkBegin(identifier: 7, sessions: 100_000),
        .bulkEnd(identifier: 7, sessions: 99),
        .handover(.takeOver, reason: .requested), .handover(.refused, reason: .notSynchronized),
    ]

    static func parse(_ bytes: some Collection<UInt8>) throws -> (SyncHeader, SyncMessage, [SessionRecord]) {
        try withGuarded(bytes) {
            let view = try SyncMessageView($0)
            var records: [SessionRecord] = []
            if case .records(let count) = view.message {
                for index in 0..<count { records.append(view.record(at: index)) }
            }
            return (view.header, view.message, records)
        }
    }

    static func reason(_ bytes: some Collection<UInt8>) -> WireError.Reason? {
        do {
            _ = try parse(bytes)
            return nil
        } catch { return (error as? WireError)?.reason }
    }

    /// The message with a right checksum, so that what lies behind it is looked at.
    static func signed(_ bytes: [UInt8]) -> [UInt8] {
        let zeroed = bytes.replacing(14, with: 0, 0)
        let value = Checksums.reference(zeroed)
        return zeroed.replacing(14, with: UInt8(value >> 8), UInt8(value & 0xff))
    }

    static func emit(_ message: SyncMessage, size: Int = 200) -> [UInt8]? {
        dirty(size) { message.emit(header, into: $0) }
    }

    @Test func `a heartbeat is these bytes, both ways`() throws {
        let (header, message, _) = try Self.parse(Self.heartbeatBytes)
        #expect(header == Self.header && message == .heartbeat(Self.heartbeat))
        #expect(Self.emit(.heartbeat(Self.heartbeat)) == Self.heartbeatBytes)
        #expect(Self.heartbeat.interval == .milliseconds(20))
    }

    @Test func `a session is these bytes, both ways`() throws {
        let (header, message, records) = try Self.parse(Self.recordBytes)
        #expect(message == .records(count: 1) && records == [Self.record] && message.kind == .records)
        let bytes = dirty {
            var writer = SyncRecordWriter($0)
            return writer.append(Self.record) ? writer.finish(header) : nil
        }
        #expect(bytes == Self.recordBytes)
    }

    @Test(arguments: fixed) func `every message survives a round trip`(_ message: SyncMessage) throws {
        let bytes = try #require(Self.emit(message))
        let (header, parsed, _) = try Self.parse(bytes)
        #expect(header == Self.header && parsed == message && parsed.kind == message.kind)
        #expect(Self.emit(message, size: 63) == nil)
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

    @Test func `a message is filled to its last record and no further`() throws {
        var packed = 0
        let bytes = try #require(
            dirty(SyncHeader.maximumMessage) {
                var writer = SyncRecordWriter($0)
                var record = Self.record
                while writer.append(record) { record.flow.sourcePort += 1 }
                packed = writer.count
                #expect(writer.isFull && writer.count == writer.capacity)
                return writer.finish(Self.header)
            })
        #expect(packed == 32 && bytes.count == 48 + 4 + 32 * 44)
        let (_, _, records) = try Self.parse(bytes)
        #expect(records.map(\.flow.sourcePort) == (0..<32).map { 40000 + $0 })
        for length in 52..<bytes.count { #expect(Self.reason(bytes.prefix(length)) == .wrongLength) }
        #expect(SyncRecordWriter.capacity(bytes: 10) == 0 && SyncRecordWriter.capacity(bytes: 1 << 20) == 1488)
    }

    @Test func `a message without records is a message`() throws {
        let bytes = try #require(dirty(52) { SyncRecordWriter($0).finish(Self.header) })
        #expect(try Self.parse(bytes).1 == .records(count: 0))
        #expect(dirty(51) { SyncRecordWriter($0).finish(Self.header) } == nil)
    }

    @Test func `strangers and other versions are refused before anything else is read`() {
        #expect(Self.reason(Self.heartbeatBytes.replacing(0, with: 0x47)) == .foreign)
        #expect(Self.reason(Self.heartbeatBytes.replacing(4, with: 2)) == .wrongVersion)
        #expect("\(WireError(.sync, .wrongVersion, found: 2, expected: 1))" == "cross-connect: the version is 2, not 1")
    }

    static let wrong: [(Int, [UInt8], WireError.Reason)] = [
        (5, [0], .unknownKind), (5, [8], .unknownKind), (8, [0, 0, 0, 0], .forbiddenValue), (12, [20], .forbiddenValue),
        (13, [1], .forbiddenValue), (16, [UInt8](repeating: 0, count: 8), .forbiddenValue), (48, [3], .unknownKind),
        (50, [4], .unknownKind), (52, [0, 0, 0, 0], .forbiddenValue), (5, [7], .wrongLength), (5, [2], .wrongLength),
    ]

    @Test(arguments: wrong)
    func `a wrong field is refused with its reason`(_ offset: Int, _ value: [UInt8], _ reason: WireError.Reason) {
        var bytes = Self.heartbeatBytes
        bytes.replaceSubrange(offset..<(offset + value.count), with: value)
        #expect(Self.reason(Self.signed(bytes)) == reason)
        #expect(Self.reason(bytes) == .wrongChecksum)
    }

    @Test func `wrong counts, sizes and operations of records are refused`() {
        #expect(Self.reason(Self.signed(Self.recordBytes.replacing(49, with: 2))) == .wrongLength)
        #expect(Self.reason(Self.signed(Self.recordBytes.replacing(48, with: 0xff, 0xff))) == .wrongLength)
        #expect(Self.reason(Self.signed(Self.recordBytes.replacing(51, with: 22))) == .wrongLength)
        #expect(Self.reason(Self.signed(Self.recordBytes.replacing(52 + 13, with: 0))) == .unknownKind)
    }
}
