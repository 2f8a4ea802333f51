/// What was found out about a session after it was made: 18 bytes. Numbers only; no byte of anybody's payload.
///
/// ```
///  0 flow (13) | 13 application (1) | 14 category (2) | 16 rule (2)
/// ```
@frozen
public struct MetadataRecord: Hashable, Sendable {
    @inlinable static var length: Int { 18 }

    /// The originator's direction.
    public var flow: FiveTuple
    /// In the numbers of the dataplane's `Application`.
    public var application: UInt8
    /// Number of a category of the configuration, from 1; 0 for none.
    public var category: UInt16
    /// Number of the rule that let the session through, from 1; 0 for none.
    public var rule: UInt16

    @inlinable
    public init(flow: FiveTuple, application: UInt8, category: UInt16, rule: UInt16) {
        self.flow = flow
        self.application = application
        self.category = category
        self.rule = rule
    }

    @inlinable
    init(_ body: UnsafeRawPointer, length: Int) throws(WireError) {
        guard length == Self.length else {
            throw WireError(.sync, .wrongLength, found: length, expected: Self.length)
        }
        self.init(
            flow: FiveTuple(syncBody: body), application: body.readUInt8(at: 13), category: body.readUInt16(at: 14),
            rule: body.readUInt16(at: 16))
    }

    /// Guard: the caller found `length` bytes.
    @inlinable
    func emit(uncheckedBase base: UnsafeMutableRawPointer) {
        flow.emit(syncBody: base)
        base.write(application, at: 13)
        base.write(category, at: 14)
        base.write(rule, at: 16)
    }
}
