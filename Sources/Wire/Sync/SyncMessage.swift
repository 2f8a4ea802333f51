/// What a message on the cross-connect says, behind its header.
///
/// ```
/// heartbeat        20 bytes, see Heartbeat
/// records          0 count (2) | 2 zero (2) | 4 records, see SyncRecord
/// acknowledgement  0 bitmap of what arrived behind the gap (8) | 8 window in messages (4)
/// bulk…            0 identifier (4) | 4 number of sessions (4)
/// handover         0 step (1) | 1 reason (1) | 2 zero (2)
/// ```
public enum SyncMessage: Hashable, Sendable {
    case heartbeat(Heartbeat)
    /// The records themselves are read with `SyncMessageView.nextRecord(_:)` and written with `SyncRecordWriter`.
    case records(count: Int)
    /// - arrived: bit n is set where message number acknowledgement + 2 + n has arrived (+ 1 is the gap)
    /// - window: how many messages beyond the acknowledged ones the receiver takes
    case acknowledgement(arrived: UInt64, window: UInt32)
    /// - identifier: of this transfer, chosen by the box that asks
    case bulkRequest(identifier: UInt32)
    /// - sessions: how many records are going to be sent, as far as known
    case bulkBegin(identifier: UInt32, sessions: UInt32)
    /// - sessions: how many records have been sent
    case bulkEnd(identifier: UInt32, sessions: UInt32)
    case handover(HandoverStep, reason: HandoverReason)

    public var kind: SyncKind {
        switch self {
        case .heartbeat: .heartbeat
        case .records: .records
        case .acknowledgement: .acknowledgement
        case .bulkRequest: .bulkRequest
        case .bulkBegin: .bulkBegin
        case .bulkEnd: .bulkEnd
        case .handover: .handover
        }
    }

    /// Writes a whole message that is not `records`.
    /// - Returns: its bytes; nil where they do not fit, and for `records`
    public func emit(_ header: SyncHeader, key: SyncKey? = nil, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        // Every fixed body has at most the bytes of a heartbeat.
        guard let base = buffer.baseAddress, buffer.count >= SyncHeader.overhead(key) + Heartbeat.length else {
            return nil
        }
        let body = base + SyncHeader.length
        let length: Int
        switch self {
        case .records:
            return nil
        case .heartbeat(let heartbeat):
            heartbeat.emit(uncheckedBody: body)
            length = Heartbeat.length
        case .acknowledgement(let arrived, let window):
            body.write(arrived, at: 0)
            body.write(window, at: 8)
            length = Body.acknowledgement
        case .bulkRequest(let identifier):
            body.write(identifier, at: 0)
            body.write(UInt32(0), at: 4)
            length = Body.bulk
        case .bulkBegin(let identifier, let sessions), .bulkEnd(let identifier, let sessions):
            body.write(identifier, at: 0)
            body.write(sessions, at: 4)
            length = Body.bulk
        case .handover(let step, let reason):
            body.write(step.rawValue, at: 0)
            body.write(reason.rawValue, at: 1)
            body.write(UInt16(0), at: 2)
            length = Body.handover
        }
        return header.emit(uncheckedBase: base, kind: kind, bodyLength: length, key: key)
    }

    /// Lengths in bytes of the bodies that have one length.
    enum Body {
        static var acknowledgement: Int { 12 }
        static var bulk: Int { 8 }
        static var handover: Int { 4 }
        /// In front of the records.
        static var recordsHead: Int { 4 }
    }
}

/// How a role passes from one box to the other.
@frozen
public enum HandoverStep: UInt8, Sendable, CaseIterable {
    /// The Active asks its peer to take over.
    case takeOver = 1
    /// The peer has taken over: the former Active is Backup from now on.
    case taken = 2
    /// The peer cannot.
    case refused = 3
    /// The Backup asks the Active to hand over, because it is preferred.
    case yield = 4
}

@frozen
public enum HandoverReason: UInt8, Sendable, CaseIterable {
    case unspecified = 0
    /// A person or a lab asked for it.
    case requested = 1
    case priority = 2
    /// A link or a part of the box has failed.
    case fault = 3
    /// The peer does not yet have the sessions.
    case notSynchronized = 4
}
