/// A connection that a control connection has announced, as it crosses to the peer: 30 bytes, of IPv6 78.
///
/// ```
/// expected flow (13 or 37), its source port zero | control connection (13 or 37) | time to live in ms (4)
/// ```
/// Rule and translation are the control connection's, which the peer knows. That it was used up is said by the record
/// of the session that did (`SessionRecord.Flags.pinhole`).
@frozen
public struct PinholeRecord<Family: AddressFamily>: Hashable, Sendable {
    @inlinable static var length: Int { FlowKey<Family>.syncLength &* 2 &+ 4 }

    /// As its packets arrive, from any source port.
    public var expected: FlowKey<Family>
    /// The originator's direction.
    public var control: FlowKey<Family>
    /// How long it waits for its connection, in milliseconds.
    public var remainingMilliseconds: UInt32

    @inlinable
    public init(expected: FlowKey<Family>, control: FlowKey<Family>, remainingMilliseconds: UInt32) {
        self.expected = expected
        self.control = control
        self.remainingMilliseconds = remainingMilliseconds
    }

    public var remaining: Duration { .milliseconds(Int64(remainingMilliseconds)) }

    /// - Throws: `wrongLength`; `forbiddenValue` for another protocol than TCP, an expected flow with a source port or
    ///   without a destination port, or a control connection without ports
    @inlinable
    init(_ body: UnsafeRawPointer, length: Int) throws(WireError) {
        guard length == Self.length else {
            throw WireError(.sync, .wrongLength, found: length, expected: Self.length)
        }
        // Guard: `length` bytes.
        let flowLength = FlowKey<Family>.syncLength
        let (expected, control) = (FlowKey<Family>(syncBody: body), FlowKey<Family>(syncBody: body + flowLength))
        guard expected.protocol == .tcp, control.protocol == .tcp else {
            throw WireError(.sync, .forbiddenValue, found: Int(expected.protocol.rawValue))
        }
        guard expected.sourcePort == 0, expected.destinationPort != 0 else {
            throw WireError(.sync, .forbiddenValue, found: Int(expected.sourcePort))
        }
        guard control.sourcePort != 0, control.destinationPort != 0 else {
            throw WireError(.sync, .forbiddenValue, found: 0)
        }
        self.init(expected: expected, control: control, remainingMilliseconds: body.readUInt32(at: flowLength &* 2))
    }

    /// Guard: the caller found `length` bytes.
    @inlinable
    func emit(uncheckedBase base: UnsafeMutableRawPointer) {
        expected.emit(syncBody: base)
        control.emit(syncBody: base + FlowKey<Family>.syncLength)
        base.write(remainingMilliseconds, at: FlowKey<Family>.syncLength &* 2)
    }
}
