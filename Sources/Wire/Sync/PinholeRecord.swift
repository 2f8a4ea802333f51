/// A connection that a control connection has announced, as it crosses to the peer: 30 bytes.
///
/// ```
///  0 expected flow (13), its source port zero | 13 control connection (13) | 26 time to live in ms (4)
/// ```
/// Rule and translation are the control connection's, which the peer knows. That it was used up is said by the record
/// of the session that did (`SessionRecord.Flags.pinhole`).
@frozen
public struct PinholeRecord: Hashable, Sendable {
    @inlinable static var length: Int { 30 }

    /// As its packets arrive, from any source port.
    public var expected: FiveTuple
    /// The originator's direction.
    public var control: FiveTuple
    /// How long it waits for its connection, in milliseconds.
    public var remainingMilliseconds: UInt32

    @inlinable
    public init(expected: FiveTuple, control: FiveTuple, remainingMilliseconds: UInt32) {
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
        // Guard: 30 bytes.
        let (expected, control) = (FiveTuple(syncBody: body), FiveTuple(syncBody: body + 13))
        guard expected.protocol == .tcp, control.protocol == .tcp else {
            throw WireError(.sync, .forbiddenValue, found: Int(expected.protocol.rawValue))
        }
        guard expected.sourcePort == 0, expected.destinationPort != 0 else {
            throw WireError(.sync, .forbiddenValue, found: Int(expected.sourcePort))
        }
        guard control.sourcePort != 0, control.destinationPort != 0 else {
            throw WireError(.sync, .forbiddenValue, found: 0)
        }
        self.init(expected: expected, control: control, remainingMilliseconds: body.readUInt32(at: 26))
    }

    /// Guard: the caller found `length` bytes.
    @inlinable
    func emit(uncheckedBase base: UnsafeMutableRawPointer) {
        expected.emit(syncBody: base)
        control.emit(syncBody: base + 13)
        base.write(remainingMilliseconds, at: 26)
    }
}
