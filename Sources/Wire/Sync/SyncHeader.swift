/// The head of every message on the cross-connect of a pair: heartbeat and session synchronisation.
///
/// ```
///  0 magic (4) "FLXC"        |  4 version (1) = 4 | 5 kind (1) | 6 length of the whole message (2)
///  8 sender (4)              | 12 authenticator length (1) = 0 or 16 | 13 family (1) | 14 checksum (2)
/// 16 epoch (8)               | 24 peer's epoch (8)
/// 32 sequence number (8)     | 40 acknowledgement (8)
/// 48 body, by kind           | authenticator
/// ```
/// The protocol is the project's own, carried in UDP between the addresses of the cross-connect. Where the pair has a
/// key, each message ends with the SipHash of all before it and the checksum field is zero; else it has no
/// authenticator, and the internet checksum of the whole message. A box with a key refuses messages without an
/// authenticator, and the reverse: nobody can talk a pair out of its key.
/// The family is that of the sessions that a message is about, 4 or 6, for `records`, bulk begin and bulk end; it is 0
/// for every other kind.
/// A message of another version is refused by its fifth byte, before anything else of it is read: version 3 had IPv4
/// alone, and zero for the family.
@frozen
public struct SyncHeader: Hashable, Sendable {
    /// Source and destination port. From the dynamic range of RFC 6335, in which nothing is ever assigned.
    public static var port: UInt16 { 49784 }
    public static var length: Int { 48 }
    public static var version: UInt8 { 4 }
    /// "FLXC"
    static var magic: UInt32 { 0x464c_5843 }
    /// The longest message that a UDP datagram in an IPv4 packet of 1500 bytes holds.
    public static var maximumMessage: Int { 1472 }

    /// Which box of the pair sent it; unlike between the two, not zero.
    public var sender: UInt32
    /// Chosen when the sender started and greater than every earlier one of its: a restarted box is a new one.
    /// Messages with a number of their own (`records` and bulk) carry when their stream began, which an acknowledgement
    /// returns as `peerEpoch`.
    public var epoch: UInt64
    /// The peer's epoch as the sender knows it; 0 where it has not heard the peer. An acknowledgement counts only for
    /// this epoch, and every other message only for this life of the box: what was recorded on the wire before counts
    /// for nobody.
    public var peerEpoch: UInt64
    /// Counts the sender's messages of one epoch that want an acknowledgement (`records`, bulk and handover), from 1.
    /// A message that wants none repeats the last one, except that a heartbeat carries the number of the heartbeat.
    public var sequence: UInt64
    /// Every message of the peer up to this sequence number has arrived; 0 for none.
    public var acknowledgement: UInt64
    /// Whose sessions the message is about; nil where it is about none.
    public var family: IPVersion?

    public init(
        sender: UInt32, epoch: UInt64, peerEpoch: UInt64, sequence: UInt64, acknowledgement: UInt64,
        family: IPVersion? = nil
    ) {
        self.sender = sender
        self.epoch = epoch
        self.peerEpoch = peerEpoch
        self.sequence = sequence
        self.acknowledgement = acknowledgement
        self.family = family
    }

    /// Guard: the caller found 48 bytes.
    init(uncheckedBase base: UnsafeRawPointer) {
        self.init(
            sender: base.readUInt32(at: 8), epoch: base.readUInt64(at: 16), peerEpoch: base.readUInt64(at: 24),
            sequence: base.readUInt64(at: 32), acknowledgement: base.readUInt64(at: 40),
            family: IPVersion(number: base.readUInt8(at: 13)))
    }

    /// Bytes of a message beside its body.
    static func overhead(_ key: SyncKey?) -> Int { length + (key == nil ? 0 : SyncAuthenticator.length) }

    /// Writes the header in front of a body that is in place, and checksum or authenticator. Guard: the caller found
    /// `overhead` + `bodyLength` ≤ 65535 bytes.
    /// - Returns: the whole message's bytes
    func emit(uncheckedBase base: UnsafeMutableRawPointer, kind: SyncKind, bodyLength: Int, key: SyncKey?) -> Int {
        let length = Self.overhead(key) + bodyLength
        base.write(Self.magic, at: 0)
        base.write(Self.version, at: 4)
        base.write(kind.rawValue, at: 5)
        base.write(UInt16(truncatingIfNeeded: length), at: 6)
        base.write(sender, at: 8)
        base.write(UInt32(family?.number ?? 0) << 16, at: 12)
        base.write(epoch, at: 16)
        base.write(peerEpoch, at: 24)
        base.write(sequence, at: 32)
        base.write(acknowledgement, at: 40)
        if let key {
            base.write(UInt8(SyncAuthenticator.length), at: 12)
            let covered = length - SyncAuthenticator.length
            SipHash.tag(UnsafeRawBufferPointer(start: base, count: covered), key: key)
                .emit(uncheckedBase: base + covered)
        } else {
            base.write(Checksum.of(UnsafeRawBufferPointer(start: base, count: length)), at: 14)
        }
        return length
    }
}

/// What a message on the cross-connect is for.
@frozen
public enum SyncKind: UInt8, Sendable, CaseIterable {
    /// I am alive, and what I am.
    case heartbeat = 1
    /// Sessions that were made, changed or removed, and what was found out about them.
    case records = 2
    /// What arrived, with gaps.
    case acknowledgement = 3
    /// Send me everything that you have.
    case bulkRequest = 4
    case bulkBegin = 5
    case bulkEnd = 6
    /// Take over, or let me.
    case handover = 7

    /// Whether such a message is about the sessions of one family, which its header names.
    var hasFamily: Bool {
        switch self {
        case .records, .bulkBegin, .bulkEnd: true
        case .heartbeat, .acknowledgement, .bulkRequest, .handover: false
        }
    }
}
