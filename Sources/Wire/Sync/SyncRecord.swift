/// One record of a `records` message: kind (1), length of the body (1), body. The family is the message's.
///
/// A closed set: a box that meets a kind it does not know refuses the whole message, and does not consume it. What
/// changes the set changes `SyncHeader.version`.
@frozen
public enum SyncRecord<Family: AddressFamily>: Hashable, Sendable {
    /// A session that was made, or is not what the peer knows of it.
    case session(SessionRecord<Family>)
    /// A session that ended.
    case removal(FlowKey<Family>)
    /// What was found out about a session later.
    case metadata(MetadataRecord<Family>)
    /// A connection that a session has announced.
    case pinhole(PinholeRecord<Family>)

    public typealias Kind = SyncRecordKind

    /// In front of each body.
    @inlinable static var headLength: Int { 2 }
    /// Bytes of the longest record, its head included.
    @inlinable public static var maximumLength: Int { headLength &+ SessionRecord<Family>.maximumLength }

    /// Bytes of the record, its head included.
    @inlinable public var length: Int {
        switch self {
        case .session(let record): Self.headLength &+ record.length
        case .removal: Self.headLength &+ FlowKey<Family>.syncLength
        case .metadata: Self.headLength &+ MetadataRecord<Family>.length
        case .pinhole: Self.headLength &+ PinholeRecord<Family>.length
        }
    }

    /// Reads the record at `offset`, of whose message `end` bytes are there.
    /// - Throws: `wrongLength`, `unknownKind`, `forbiddenValue`
    @inlinable
    init(_ body: UnsafeRawPointer, at offset: Int, end: Int) throws(WireError) {
        guard end &- offset >= Self.headLength else {
            throw WireError(.sync, .wrongLength, found: end &- offset, expected: Self.headLength)
        }
        // Guard: 2 bytes at `offset`.
        let length = Int(body.readUInt8(at: offset &+ 1))
        let start = offset &+ Self.headLength
        guard length <= end &- start else {
            throw WireError(.sync, .wrongLength, found: length, expected: end &- start)
        }
        guard let kind = Kind(rawValue: body.readUInt8(at: offset)) else {
            throw WireError(.sync, .unknownKind, found: Int(body.readUInt8(at: offset)))
        }
        switch kind {
        case .session: self = .session(try SessionRecord<Family>(body + start, length: length))
        case .metadata: self = .metadata(try MetadataRecord<Family>(body + start, length: length))
        case .pinhole: self = .pinhole(try PinholeRecord<Family>(body + start, length: length))
        case .removal:
            guard length == FlowKey<Family>.syncLength else {
                throw WireError(.sync, .wrongLength, found: length, expected: FlowKey<Family>.syncLength)
            }
            self = .removal(FlowKey<Family>(syncBody: body + start))
        }
    }

    /// Guard: the caller found `length` bytes.
    @inlinable
    func emit(uncheckedBase base: UnsafeMutableRawPointer) {
        base.write(UInt8(truncatingIfNeeded: length &- Self.headLength), at: 1)
        let body = base + Self.headLength
        switch self {
        case .session(let record):
            base.write(Kind.session.rawValue, at: 0)
            record.emit(uncheckedBase: body)
        case .removal(let flow):
            base.write(Kind.removal.rawValue, at: 0)
            flow.emit(syncBody: body)
        case .metadata(let record):
            base.write(Kind.metadata.rawValue, at: 0)
            record.emit(uncheckedBase: body)
        case .pinhole(let record):
            base.write(Kind.pinhole.rawValue, at: 0)
            record.emit(uncheckedBase: body)
        }
    }
}

@frozen
public enum SyncRecordKind: UInt8, Sendable, CaseIterable {
    case session = 1
    case removal = 2
    case metadata = 3
    case pinhole = 4
}
