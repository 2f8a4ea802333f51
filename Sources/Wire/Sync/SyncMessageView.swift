/// A borrowed message of the cross-connect, checked to its last record.
@frozen
public struct SyncMessageView: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    public let header: SyncHeader
    public let message: SyncMessage
    /// Where the body ends.
    @usableFromInline let end: Int

    /// Parses a UDP payload, all of which must be the message.
    /// - Parameter key: the pair's; nil where it has none
    /// - Throws: `truncated`; `foreign` (another magic); `wrongVersion`; `wrongLength` (of the message, or of the body
    ///   of its kind); `notAuthenticated`, `unexpectedAuthenticator`, `wrongAuthenticator`; `wrongChecksum`;
    ///   `forbiddenValue` (family; sender or epoch 0); `unknownKind`
    @_lifetime(borrow bytes)
    public init(_ bytes: UnsafeRawBufferPointer, key: SyncKey? = nil) throws(WireError) {
        guard let base = bytes.baseAddress, bytes.count >= SyncHeader.length else {
            throw WireError(.sync, .truncated, found: bytes.count, expected: SyncHeader.length)
        }
        // Guard: 48 bytes.
        guard base.readUInt32(at: 0) == SyncHeader.magic else {
            throw WireError(.sync, .foreign, found: Int(base.readUInt32(at: 0)), expected: Int(SyncHeader.magic))
        }
        let version = base.readUInt8(at: 4)
        guard version == SyncHeader.version else {
            throw WireError(.sync, .wrongVersion, found: Int(version), expected: Int(SyncHeader.version))
        }
        let length = Int(base.readUInt16(at: 6))
        guard length == bytes.count else {
            throw WireError(.sync, .wrongLength, found: length, expected: bytes.count)
        }
        try Self.verify(bytes, base, key)
        let header = SyncHeader(uncheckedBase: base)
        guard header.sender != 0, header.epoch != 0 else { throw WireError(.sync, .forbiddenValue, found: 0) }
        guard let kind = SyncKind(rawValue: base.readUInt8(at: 5)) else {
            throw WireError(.sync, .unknownKind, found: Int(base.readUInt8(at: 5)))
        }
        let family = base.readUInt8(at: 13)
        guard kind.hasFamily == (header.family != nil), kind.hasFamily || family == 0 else {
            throw WireError(.sync, .forbiddenValue, found: Int(family))
        }
        message = try Self.message(
            kind, of: header.family, base + SyncHeader.length, length: length - SyncHeader.overhead(key))
        self.base = base
        self.header = header
        end = length - (SyncHeader.overhead(key) - SyncHeader.length)
    }

    /// A message that the other initializer has found good and nobody has changed since.
    /// - Precondition: it is such a message
    @_lifetime(borrow bytes)
    public init(verified bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count >= SyncHeader.length,
            let kind = SyncKind(rawValue: base.readUInt8(at: 5))
        else { preconditionFailure("not a message of the cross-connect") }
        let trailer = Int(base.readUInt8(at: 12))
        self.base = base
        header = SyncHeader(uncheckedBase: base)
        end = bytes.count - trailer
        if kind == .records {
            // Its records were walked through before.
            message = .records(count: Int(base.readUInt16(at: SyncHeader.length)))
        } else {
            do throws(WireError) {
                message = try Self.message(
                    kind, of: header.family, base + SyncHeader.length, length: end - SyncHeader.length)
            } catch { preconditionFailure("not a verified message: \(error)") }
        }
    }

    /// Guard: the caller found 48 bytes.
    private static func verify(
        _ bytes: UnsafeRawBufferPointer, _ base: UnsafeRawPointer, _ key: SyncKey?
    ) throws(WireError) {
        let trailer = Int(base.readUInt8(at: 12))
        guard let key else {
            if trailer != 0 { throw WireError(.sync, .unexpectedAuthenticator, found: trailer) }
            guard Checksum.isValid(bytes) else {
                throw WireError(.sync, .wrongChecksum, found: Int(base.readUInt16(at: 14)))
            }
            return
        }
        guard trailer == SyncAuthenticator.length, bytes.count >= SyncHeader.overhead(key) else {
            throw WireError(.sync, .notAuthenticated, found: trailer, expected: SyncAuthenticator.length)
        }
        let covered = bytes.count - trailer
        guard
            SipHash.tag(UnsafeRawBufferPointer(rebasing: bytes[..<covered]), key: key)
                == SyncAuthenticator(uncheckedBase: base + covered)
        else { throw WireError(.sync, .wrongAuthenticator) }
        guard base.readUInt16(at: 14) == 0 else {
            throw WireError(.sync, .forbiddenValue, found: Int(base.readUInt16(at: 14)))
        }
    }

    private static func message(
        _ kind: SyncKind, of family: IPVersion?, _ body: UnsafeRawPointer, length: Int
    ) throws(WireError) -> SyncMessage {
        func require(_ expected: Int) throws(WireError) {
            if length != expected { throw WireError(.sync, .wrongLength, found: length, expected: expected) }
        }
        switch kind {
        case .heartbeat:
            try require(Heartbeat.length)
            return .heartbeat(try Heartbeat(uncheckedBody: body))
        case .records:
            switch family {
            case .ipv6: return .records(count: try recordCount(of: IPv6.self, body, length: length))
            default: return .records(count: try recordCount(of: IPv4.self, body, length: length))
            }
        case .acknowledgement:
            try require(SyncMessage.Body.acknowledgement)
            return .acknowledgement(arrived: body.readUInt64(at: 0), window: body.readUInt32(at: 8))
        case .bulkRequest:
            try require(SyncMessage.Body.bulk)
            return .bulkRequest(identifier: body.readUInt32(at: 0))
        case .bulkBegin:
            try require(SyncMessage.Body.bulk)
            return .bulkBegin(identifier: body.readUInt32(at: 0), sessions: body.readUInt32(at: 4))
        case .bulkEnd:
            try require(SyncMessage.Body.bulk)
            return .bulkEnd(identifier: body.readUInt32(at: 0), sessions: body.readUInt32(at: 4))
        case .handover:
            try require(SyncMessage.Body.handover)
            guard let step = HandoverStep(rawValue: body.readUInt8(at: 0)),
                let reason = HandoverReason(rawValue: body.readUInt8(at: 1))
            else { throw WireError(.sync, .unknownKind, found: Int(body.readUInt16(at: 0))) }
            return .handover(step, reason: reason)
        }
    }

    private static func recordCount<Family: AddressFamily>(
        of family: Family.Type, _ body: UnsafeRawPointer, length: Int
    ) throws(WireError) -> Int {
        let head = SyncMessage.Body.recordsHead
        guard length >= head else { throw WireError(.sync, .wrongLength, found: length, expected: head) }
        let count = Int(body.readUInt16(at: 0))
        guard body.readUInt16(at: 2) == 0 else {
            throw WireError(.sync, .forbiddenValue, found: Int(body.readUInt16(at: 2)))
        }
        var offset = head
        for _ in 0..<count { offset += try SyncRecord<Family>(body, at: offset, end: length).length }
        guard offset == length else { throw WireError(.sync, .wrongLength, found: offset, expected: length) }
        return count
    }

    /// Where the next record of a message is read.
    @frozen
    public struct Cursor: Sendable {
        @usableFromInline var offset: Int
        public init() { offset = SyncHeader.length + SyncMessage.Body.recordsHead }
    }

    /// The records of a `records` message, one after the other; nil after the last.
    /// - Parameter family: the message's, which its header names; of another one it has no records
    @inlinable
    public func nextRecord<Family: AddressFamily>(
        _ cursor: inout Cursor, of family: Family.Type
    ) -> SyncRecord<Family>? {
        guard case .records = message, cursor.offset < end, header.family == Family.version else { return nil }
        // The walk of the initializer has found every record good.
        guard let record = try? SyncRecord<Family>(base, at: cursor.offset, end: end) else { return nil }
        cursor.offset += record.length
        return record
    }
}
