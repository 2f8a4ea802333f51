/// One session as it crosses to the peer: 21 bytes, 12 more where an address is translated, and 3 more where its first
/// payload was seen already.
///
/// ```
///  0 source (4) | 4 destination (4) | 8 source port (2) | 10 destination port (2) | 12 protocol (1)
/// 13 originator's state (4 bits), responder's state (4 bits) | 14 flags (1) | 15 rule (2) | 17 time to live in ms (4)
/// 21 translated source (4) | 25 translated destination (4) | 29 translated ports (2, 2)     where a flag says so
///    application (1) | category (2)                                                 behind, where a flag says so
/// ```
/// Times are relative, because the clocks of two boxes have nothing in common.
@frozen
public struct SessionRecord: Hashable, Sendable {
    @frozen
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The source differs behind the box; the translated source fields count.
        @inlinable public static var sourceTranslated: Flags { Flags(rawValue: 0x01) }
        /// The destination differs behind the box; the translated destination fields count.
        @inlinable public static var destinationTranslated: Flags { Flags(rawValue: 0x02) }
        /// Opened by another session's payload, as an FTP data connection is.
        @inlinable public static var pinhole: Flags { Flags(rawValue: 0x04) }
        /// Both directions have been seen.
        @inlinable public static var answered: Flags { Flags(rawValue: 0x08) }
        /// The application fields count.
        @inlinable public static var inspected: Flags { Flags(rawValue: 0x10) }
        /// A translated address and port are of a pool that is gone, and stay the session's until it ends.
        @inlinable public static var formerPool: Flags { Flags(rawValue: 0x20) }
        @inlinable static var known: Flags { Flags(rawValue: 0x3f) }
    }

    /// The originator's direction, as its first packet had it before translation.
    public var flow: FiveTuple
    /// States of the protocol's machine, in the numbers of the firewall's filter: 0 … 15.
    public var originatorState: UInt8
    public var responderState: UInt8
    public var flags: Flags
    public var translatedSource: IPv4Address
    public var translatedDestination: IPv4Address
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
        flow: FiveTuple, originatorState: UInt8, responderState: UInt8, flags: Flags = [],
        translatedSource: IPv4Address = .any, translatedDestination: IPv4Address = .any,
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

    /// Bytes of its body.
    @inlinable var length: Int { Self.length(flags) }

    @inlinable
    static func length(_ flags: Flags) -> Int {
        translatedLength(flags) &+ (flags.contains(.inspected) ? 3 : 0)
    }

    /// Bytes in front of the application.
    @inlinable
    static func translatedLength(_ flags: Flags) -> Int {
        flags.isDisjoint(with: [.sourceTranslated, .destinationTranslated]) ? 21 : 33
    }

    /// - Throws: `wrongLength`, `forbiddenValue` for an unknown flag
    @inlinable
    init(_ body: UnsafeRawPointer, length: Int) throws(WireError) {
        guard length >= 21 else { throw WireError(.sync, .wrongLength, found: length, expected: 21) }
        // Guard: 21 bytes.
        let flags = Flags(rawValue: body.readUInt8(at: 14))
        guard flags.isSubset(of: .known) else {
            throw WireError(.sync, .forbiddenValue, found: Int(flags.rawValue))
        }
        guard length == Self.length(flags) else {
            throw WireError(.sync, .wrongLength, found: length, expected: Self.length(flags))
        }
        let states = body.readUInt8(at: 13)
        self.init(
            flow: FiveTuple(syncBody: body), originatorState: states >> 4, responderState: states & 0xf, flags: flags,
            rule: body.readUInt16(at: 15), remainingMilliseconds: body.readUInt32(at: 17))
        // Guard: `length(flags)` bytes.
        let end = Self.translatedLength(flags)
        if flags.contains(.inspected) {
            application = body.readUInt8(at: end)
            category = body.readUInt16(at: end &+ 1)
        }
        guard end == 33 else { return }
        translatedSource = body.readIPv4(at: 21)
        translatedDestination = body.readIPv4(at: 25)
        translatedSourcePort = body.readUInt16(at: 29)
        translatedDestinationPort = body.readUInt16(at: 31)
    }

    /// Guard: the caller found `length` bytes.
    @inlinable
    func emit(uncheckedBase base: UnsafeMutableRawPointer) {
        flow.emit(syncBody: base)
        base.write(originatorState << 4 | responderState & 0xf, at: 13)
        base.write(flags.rawValue, at: 14)
        base.write(rule, at: 15)
        base.write(remainingMilliseconds, at: 17)
        let end = Self.translatedLength(flags)
        if flags.contains(.inspected) {
            base.write(application, at: end)
            base.write(category, at: end &+ 1)
        }
        guard end == 33 else { return }
        base.write(translatedSource, at: 21)
        base.write(translatedDestination, at: 25)
        base.write(translatedSourcePort, at: 29)
        base.write(translatedDestinationPort, at: 31)
    }
}

extension FiveTuple {
    /// Bytes of a flow in a record: addresses, ports, protocol.
    @inlinable static var syncLength: Int { 13 }

    /// Guard: the caller found 13 bytes.
    @inlinable
    init(syncBody base: UnsafeRawPointer) {
        self.init(
            addresses: base.readUInt64(at: 0),
            portsAndProtocol: UInt64(base.readUInt8(at: 12)) << 32 | UInt64(base.readUInt32(at: 8)))
    }

    /// Guard: the caller found 13 bytes.
    @inlinable
    func emit(syncBody base: UnsafeMutableRawPointer) {
        base.write(addresses, at: 0)
        base.write(UInt32(truncatingIfNeeded: portsAndProtocol), at: 8)
        base.write(`protocol`.rawValue, at: 12)
    }
}
