/// What a box tells its peer about itself.
///
/// ```
///  0 role (1) | 1 priority (1) | 2 readiness (1) | 3 flags (1)
///  4 interval in microseconds (4) | 8 number of sessions (4) | 12 digest of the configuration (4)
/// 16 for how long the role was held, in milliseconds (4)
/// ```
@frozen
public struct Heartbeat: Hashable, Sendable {
    static var length: Int { 20 }

    @frozen
    public enum Role: UInt8, Sendable, CaseIterable {
        case initializing = 0
        case backup = 1
        case active = 2
    }

    @frozen
    public enum Readiness: UInt8, Sendable, CaseIterable {
        case starting = 0
        /// Not yet in possession of the peer's sessions.
        case synchronizing = 1
        case ready = 2
        /// A link or a part of the box has failed; it can carry no traffic.
        case faulted = 3
    }

    /// What the sender would like to become, and how it is set.
    @frozen
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

        @inlinable public static var wantsActive: Flags { Flags(rawValue: 0x01) }
        @inlinable public static var wantsBackup: Flags { Flags(rawValue: 0x02) }
        /// Takes over from an Active of lower priority.
        @inlinable public static var preempts: Flags { Flags(rawValue: 0x04) }
        /// Hears another Active on a served network.
        @inlinable public static var seesOtherActive: Flags { Flags(rawValue: 0x08) }
        /// Stops in good order.
        @inlinable public static var leaving: Flags { Flags(rawValue: 0x10) }
    }

    public var role: Role
    /// The VRRP priority after every deduction.
    public var priority: UInt8
    public var readiness: Readiness
    public var flags: Flags
    /// Time between two heartbeats of the sender, in microseconds.
    public var intervalMicroseconds: UInt32
    public var sessions: UInt32
    /// Equal where two configurations are; 0 where the sender has none to compare.
    public var configurationDigest: UInt32
    /// For how long the sender has had its role, in milliseconds; so that two Actives that meet know since when they
    /// were two.
    public var roleMilliseconds: UInt32

    public init(
        role: Role, priority: UInt8, readiness: Readiness, flags: Flags, intervalMicroseconds: UInt32,
        sessions: UInt32, configurationDigest: UInt32 = 0, roleMilliseconds: UInt32 = 0
    ) {
        self.role = role
        self.priority = priority
        self.readiness = readiness
        self.flags = flags
        self.intervalMicroseconds = intervalMicroseconds
        self.sessions = sessions
        self.configurationDigest = configurationDigest
        self.roleMilliseconds = roleMilliseconds
    }

    public var interval: Duration { .microseconds(Int64(intervalMicroseconds)) }

    /// Guard: the caller found `length` bytes.
    init(uncheckedBody base: UnsafeRawPointer) throws(WireError) {
        guard let role = Role(rawValue: base.readUInt8(at: 0)) else {
            throw WireError(.sync, .unknownKind, found: Int(base.readUInt8(at: 0)))
        }
        guard let readiness = Readiness(rawValue: base.readUInt8(at: 2)) else {
            throw WireError(.sync, .unknownKind, found: Int(base.readUInt8(at: 2)))
        }
        guard base.readUInt32(at: 4) != 0 else { throw WireError(.sync, .forbiddenValue, found: 0) }
        self.init(
            role: role, priority: base.readUInt8(at: 1), readiness: readiness,
            flags: Flags(rawValue: base.readUInt8(at: 3)), intervalMicroseconds: base.readUInt32(at: 4),
            sessions: base.readUInt32(at: 8), configurationDigest: base.readUInt32(at: 12),
            roleMilliseconds: base.readUInt32(at: 16))
    }

    func emit(uncheckedBody base: UnsafeMutableRawPointer) {
        base.write(role.rawValue, at: 0)
        base.write(priority, at: 1)
        base.write(readiness.rawValue, at: 2)
        base.write(flags.rawValue, at: 3)
        base.write(intervalMicroseconds, at: 4)
        base.write(sessions, at: 8)
        base.write(configurationDigest, at: 12)
        base.write(roleMilliseconds, at: 16)
    }
}
