/// One session as it crosses to the peer: of IPv4 21 bytes, 12 more where an address is translated, and 3 more where its
/// first payload was seen already. Of IPv6 45, 36 and 3.
///
/// ```
///    source | destination | source port (2) | destination port (2) | protocol (1)         13 or 37 bytes
///  0 originator's state (4 bits), responder's state (4 bits) | 1 flags (1) | 2 rule (2) | 4 time to live in ms (4)
///    translated source | translated destination | translated ports (2, 2)                 where a flag says so
///    application (1) | category (2)                                                       where a flag says so
/// ```
/// Times are relative, because the clocks of two boxes have nothing in common.
@frozen
public struct SessionRecord<Family: AddressFamily>: Hashable, Sendable {
    public typealias Flags = SessionRecordFlags

    /// The originator's direction, as its first packet had it before translation.
    public var flow: FlowKey<Family>
    /// States of the protocol's machine, in the numbers of the firewall's filter: 0 … 15.
    public var originatorState: UInt8
    public var responderState: UInt8
    public var flags: Flags
    public var translatedSource: Family.Address
    public var translatedDestination: Family.Address
    public var translatedSourcePort: UInt16
    public var translatedDestinationPort: UInt16
    /// The rule that let it through; 0 where none did.
    public var rule: UInt16
    /// How long it lives without another packet, in milliseconds.
    public var remainingMilliseconds: UInt32
    /// As in `MetadataRecord`; counts where the flag `inspected` is set.
    public var application: UInt8 = 0
    public var category: UInt16 = 0

    @inlinable
    public init(
        flow: FlowKey<Family>, originatorState: UInt8, responderState: UInt8, flags: Flags = [],
        translatedSource: Family.Address = .any, translatedDestination: Family.Address = .any,
        translatedSourcePort: UInt16 = 0, translatedDestinationPort: UInt16 = 0, rule: UInt16 = 0,
        remainingMilliseconds: UInt32 = 0
    ) {
        self.flow = flow
        self.originatorState = originatorState
        self.responderState = responderState
        self.flags = flags
        self.translatedSource = translatedSource
        self.translatedDestination = translatedDestination
        self.translatedSourcePort = translatedSourcePort
        self.translatedDestinationPort = translatedDestinationPort
        self.rule = rule
        self.remainingMilliseconds = remainingMilliseconds
    }

    public var remaining: Duration { .milliseconds(Int64(remainingMilliseconds)) }

    /// Bytes in front of translated addresses: flow, states, flags, rule, time to live.
    @inlinable static var fixedLength: Int { FlowKey<Family>.syncLength &+ 8 }
    /// Bytes of the longest body.
    @inlinable static var maximumLength: Int { fixedLength &+ Family.Pair.length &+ 4 &+ 3 }

    /// Bytes of its body.
    @inlinable var length: Int { Self.length(flags) }

    @inlinable
    static func length(_ flags: Flags) -> Int {
        translatedLength(flags) &+ (flags.contains(.inspected) ? 3 : 0)
    }

    /// Bytes in front of the application.
    @inlinable
    static func translatedLength(_ flags: Flags) -> Int {
        fixedLength &+ (isTranslated(flags) ? Family.Pair.length &+ 4 : 0)
    }

    @inlinable
    static func isTranslated(_ flags: Flags) -> Bool {
        !flags.isDisjoint(with: [.sourceTranslated, .destinationTranslated])
    }

    /// - Throws: `wrongLength`, `forbiddenValue` for an unknown flag
    @inlinable
    init(_ body: UnsafeRawPointer, length: Int) throws(WireError) {
        guard length >= Self.fixedLength else {
            throw WireError(.sync, .wrongLength, found: length, expected: Self.fixedLength)
        }
        // Guard: `fixedLength` bytes.
        let rest = body + FlowKey<Family>.syncLength
        let flags = Flags(rawValue: rest.readUInt8(at: 1))
        guard flags.isSubset(of: .known) else {
            throw WireError(.sync, .forbiddenValue, found: Int(flags.rawValue))
        }
        guard length == Self.length(flags) else {
            throw WireError(.sync, .wrongLength, found: length, expected: Self.length(flags))
        }
        let states = rest.readUInt8(at: 0)
        self.init(
            flow: FlowKey(syncBody: body), originatorState: states >> 4, responderState: states & 0xf, flags: flags,
            rule: rest.readUInt16(at: 2), remainingMilliseconds: rest.readUInt32(at: 4))
        // Guard: `length(flags)` bytes.
        if flags.contains(.inspected) {
            let end = Self.translatedLength(flags)
            application = body.readUInt8(at: end)
            category = body.readUInt16(at: end &+ 1)
        }
        guard Self.isTranslated(flags) else { return }
        let pair = Family.Pair(uncheckedBase: rest + 8)
        translatedSource = pair.source
        translatedDestination = pair.destination
        translatedSourcePort = rest.readUInt16(at: 8 &+ Family.Pair.length)
        translatedDestinationPort = rest.readUInt16(at: 10 &+ Family.Pair.length)
    }

    /// Guard: the caller found `length` bytes.
    @inlinable
    func emit(uncheckedBase base: UnsafeMutableRawPointer) {
        flow.emit(syncBody: base)
        let rest = base + FlowKey<Family>.syncLength
        rest.write(originatorState << 4 | responderState & 0xf, at: 0)
        rest.write(flags.rawValue, at: 1)
        rest.write(rule, at: 2)
        rest.write(remainingMilliseconds, at: 4)
        if flags.contains(.inspected) {
            let end = Self.translatedLength(flags)
            base.write(application, at: end)
            base.write(category, at: end &+ 1)
        }
        guard Self.isTranslated(flags) else { return }
        Family.Pair(source: translatedSource, destination: translatedDestination).write(to: rest + 8)
        rest.write(translatedSourcePort, at: 8 &+ Family.Pair.length)
        rest.write(translatedDestinationPort, at: 10 &+ Family.Pair.length)
    }
}

/// What a session's record says beside numbers.
@frozen
public struct SessionRecordFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The source differs behind the box; the translated source fields count.
    @inlinable public static var sourceTranslated: SessionRecordFlags { SessionRecordFlags(rawValue: 0x01) }
    /// The destination differs behind the box; the translated destination fields count.
    @inlinable public static var destinationTranslated: SessionRecordFlags { SessionRecordFlags(rawValue: 0x02) }
    /// Opened by another session's payload, as an FTP data connection is.
    @inlinable public static var pinhole: SessionRecordFlags { SessionRecordFlags(rawValue: 0x04) }
    /// Both directions have been seen.
    @inlinable public static var answered: SessionRecordFlags { SessionRecordFlags(rawValue: 0x08) }
    /// The application fields count.
    @inlinable public static var inspected: SessionRecordFlags { SessionRecordFlags(rawValue: 0x10) }
    /// A translated address and port are of a pool that is gone, and stay the session's until it ends.
    @inlinable public static var formerPool: SessionRecordFlags { SessionRecordFlags(rawValue: 0x20) }
    @inlinable static var known: SessionRecordFlags { SessionRecordFlags(rawValue: 0x3f) }
}
