/// A borrowed message of the cross-connect, checked to its last record.
@frozen
public struct SyncMessageView: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    public let header: SyncHeader
    public let message: SyncMessage

    /// Parses a UDP payload, all of which must be the message.
    /// - Throws: `truncated`; `foreign` (another magic); `wrongVersion`; `wrongLength` (of the message, or of the body
    ///   of its kind); `forbiddenValue` (an authenticator or flags, which version 1 has not; sender or epoch 0);
    ///   `wrongChecksum`; `unknownKind`
    @_lifetime(borrow bytes)
    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
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
        guard Checksum.isValid(bytes) else {
            throw WireError(.sync, .wrongChecksum, found: Int(base.readUInt16(at: 14)))
        }
        guard base.readUInt16(at: 12) == 0 else {
            throw WireError(.sync, .forbiddenValue, found: Int(base.readUInt16(at: 12)))
        }
        let header = SyncHeader(uncheckedBase: base)
        guard header.sender != 0, header.epoch != 0 else { throw WireError(.sync, .forbiddenValue, found: 0) }
        guard let kind = SyncKind(rawValue: base.readUInt8(at: 5)) else {
            throw WireError(.sync, .unknownKind, found: Int(base.readUInt8(at: 5)))
        }
        message = try Self.message(kind, base + SyncHeader.length, length: length - SyncHeader.length)
        self.base = base
        self.header = header
    }

    private static func message(
        _ kind: SyncKind, _ body: UnsafeRawPointer, length: Int
    ) throws(WireError) -> SyncMessage {
        func require(_ expected: Int) throws(WireError) {
            if length != expected { throw WireError(.sync, .wrongLength, found: length, expected: expected) }
        }
        switch kind {
        case .heartbeat:
            try require(Heartbeat.length)
            return .heartbeat(try Heartbeat(uncheckedBody: body))
        case .records:
            return .records(count: try recordCount(body, length: length))
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

    private static func recordCount(_ body: UnsafeRawPointer, length: Int) throws(WireError) -> Int {
        let head = SyncMessage.Body.recordsHead
        guard length >= head else { throw WireError(.sync, .wrongLength, found: length, expected: head) }
        let count = Int(body.readUInt16(at: 0))
        let size = Int(body.readUInt16(at: 2))
        guard size == SessionRecord.length, length == head + count * size else {
            throw WireError(.sync, .wrongLength, found: head + count * size, expected: length)
        }
        for index in 0..<count { _ = try SessionRecord(uncheckedBase: body + head + index * size) }
        return count
    }

    /// - Precondition: the message is `records` and `index` is below its count
    public func record(at index: Int) -> SessionRecord {
        guard case .records(let count) = message, index >= 0, index < count,
            let record = try? SessionRecord(
                uncheckedBase: base + SyncHeader.length + SyncMessage.Body.recordsHead + index * SessionRecord.length)
        else { preconditionFailure("record \(index) is not one of this message's") }
        return record
    }
}
