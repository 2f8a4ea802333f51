/// One session as it crosses to the peer, 44 bytes.
///
/// ```
///  0 source (4) | 4 destination (4) | 8 source port (2) | 10 destination port (2) | 12 protocol (1)
/// 13 operation (1) | 14 originator's state (1) | 15 responder's state (1)
/// 16 translated source (4) | 20 translated destination (4) | 24 translated ports (2, 2)
/// 28 rule (4) | 32 age in ms (4) | 36 time to live in ms (4) | 40 ingress port (1) | 41 egress port (1) | 42 flags (2)
/// ```
/// Times are relative, because the clocks of two boxes have nothing in common.
@frozen
public struct SessionRecord: Hashable, Sendable {
    public static var length: Int { @inlinable get { 44 } }

    @frozen
    public enum Operation: UInt8, Sendable, CaseIterable {
        case create = 1
        case update = 2
        case delete = 3
    }

    @frozen
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt16
        @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// The source differs behind the box; the translated source fields count.
        @inlinable public static var sourceTranslated: Flags { Flags(rawValue: 0x0001) }
        /// The destination differs behind the box; the translated destination fields count.
        @inlinable public static var destinationTranslated: Flags { Flags(rawValue: 0x0002) }
        /// Opened by another session's payload, as an FTP data connection is.
        @inlinable public static var pinhole: Flags { Flags(rawValue: 0x0004) }
        /// Both directions have been seen.
        @inlinable public static var answered: Flags { Flags(rawValue: 0x0008) }
    }

    public var operation: Operation
    /// The originator's direction, as its first packet had it before translation.
    public var flow: FiveTuple
    /// States of the protocol's machine, in the numbers of the firewall's filter.
    public var originatorState: UInt8
    public var responderState: UInt8
    public var flags: Flags
    public var translatedSource: IPv4Address
    public var translatedDestination: IPv4Address
    public var translatedSourcePort: UInt16
    public var translatedDestinationPort: UInt16
    /// The rule that let it through; 0 where none did.
    public var rule: UInt32
    /// How long ago it was made, in milliseconds.
    public var ageMilliseconds: UInt32
    /// How long it lives without another packet, in milliseconds.
    public var remainingMilliseconds: UInt32
    /// Ports in the order of the configuration, which is the same on both boxes.
    public var ingressPort: UInt8
    public var egressPort: UInt8

    @inlinable
    public init(
        operation: Operation, flow: FiveTuple, originatorState: UInt8, responderState: UInt8, flags: Flags = [],
        translatedSource: IPv4Address = .any, translatedDestination: IPv4Address = .any,
        translatedSourcePort: UInt16 = 0, translatedDestinationPort: UInt16 = 0, rule: UInt32 = 0,
        ageMilliseconds: UInt32 = 0, remainingMilliseconds: UInt32 = 0, ingressPort: UInt8 = 0, egressPort: UInt8 = 0
    ) {
        self.operation = operation
        self.flow = flow
        self.originatorState = originatorState
        self.responderState = responderState
        self.flags = flags
        self.translatedSource = translatedSource
        self.translatedDestination = translatedDestination
        self.translatedSourcePort = translatedSourcePort
        self.translatedDestinationPort = translatedDestinationPort
        self.rule = rule
        self.ageMilliseconds = ageMilliseconds
        self.remainingMilliseconds = remainingMilliseconds
        self.ingressPort = ingressPort
        self.egressPort = egressPort
    }

    public var age: Duration { .milliseconds(Int64(ageMilliseconds)) }
    public var remaining: Duration { .milliseconds(Int64(remainingMilliseconds)) }

    /// Guard: the caller found 44 bytes.
    /// - Throws: `unknownKind` for an operation that version 1 does not have
    @inlinable
    init(uncheckedBase base: UnsafeRawPointer) throws(WireError) {
        guard let operation = Operation(rawValue: base.readUInt8(at: 13)) else {
            throw WireError(.sync, .unknownKind, found: Int(base.readUInt8(at: 13)))
        }
        self.init(
            operation: operation,
            flow: FiveTuple(
                source: base.readIPv4(at: 0), destination: base.readIPv4(at: 4), sourcePort: base.readUInt16(at: 8),
                destinationPort: base.readUInt16(at: 10), protocol: IPProtocol(rawValue: base.readUInt8(at: 12))),
            originatorState: base.readUInt8(at: 14), responderState: base.readUInt8(at: 15),
            flags: Flags(rawValue: base.readUInt16(at: 42)), translatedSource: base.readIPv4(at: 16),
            translatedDestination: base.readIPv4(at: 20), translatedSourcePort: base.readUInt16(at: 24),
            translatedDestinationPort: base.readUInt16(at: 26), rule: base.readUInt32(at: 28),
            ageMilliseconds: base.readUInt32(at: 32), remainingMilliseconds: base.readUInt32(at: 36),
            ingressPort: base.readUInt8(at: 40), egressPort: base.readUInt8(at: 41))
    }

    /// Guard: the caller found 44 bytes.
    @inlinable
    func emit(uncheckedBase base: UnsafeMutableRawPointer) {
        base.write(flow.addresses, at: 0)
        base.write(UInt32(truncatingIfNeeded: flow.portsAndProtocol), at: 8)
        base.write(flow.protocol.rawValue, at: 12)
        base.write(operation.rawValue, at: 13)
        base.write(originatorState, at: 14)
        base.write(responderState, at: 15)
        base.write(translatedSource, at: 16)
        base.write(translatedDestination, at: 20)
        base.write(translatedSourcePort, at: 24)
        base.write(translatedDestinationPort, at: 26)
        base.write(rule, at: 28)
        base.write(ageMilliseconds, at: 32)
        base.write(remainingMilliseconds, at: 36)
        base.write(ingressPort, at: 40)
        base.write(egressPort, at: 41)
        base.write(flags.rawValue, at: 42)
    }
}
