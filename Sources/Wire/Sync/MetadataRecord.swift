/// What was found out about a session after it was made: 18 bytes, of IPv6 42. Numbers only; no byte of anybody's
/// payload.
///
/// ```
/// flow (13 or 37) | 0 application (1) | 1 category (2) | 3 rule (2)
/// ```
@frozen
public struct MetadataRecord<Family: AddressFamily>: Hashable, Sendable {
    @inlinable static var length: Int { FlowKey<Family>.syncLength &+ 5 }

    /// The originator's direction.
    public var flow: FlowKey<Family>
    /// In the numbers of the dataplane's `Application`.
    public var application: UInt8
    /// Number of a category of the configuration, from 1; 0 for none.
    public var category: UInt16
    /// Number of the rule that let the session through, from 1; 0 for none.
    public var rule: UInt16

    @inlinable
    public init(flow: FlowKey<Family>, application: UInt8, category: UInt16, rule: UInt16) {
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
        // Guard: `length` bytes.
        let rest = body + FlowKey<Family>.syncLength
        self.init(
            flow: FlowKey(syncBody: body), application: rest.readUInt8(at: 0), category: rest.readUInt16(at: 1),
            rule: rest.readUInt16(at: 3))
    }

    /// Guard: the caller found `length` bytes.
    @inlinable
    func emit(uncheckedBase base: UnsafeMutableRawPointer) {
        flow.emit(syncBody: base)
        let rest = base + FlowKey<Family>.syncLength
        rest.write(application, at: 0)
        rest.write(category, at: 1)
        rest.write(rule, at: 3)
    }
}
