/// A borrowed Ethernet frame.
///
/// ```
///  0 destination (6) | 6 source (6) | 12 EtherType (2) | 14 payload
/// ```
/// Source: IEEE 802.3, 3.2; Ethernet II
@frozen
public struct EthernetView: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    public let length: Int

    /// - Throws: `truncated`
    @_lifetime(borrow frame)
    @inlinable
    public init(_ frame: UnsafeRawBufferPointer) throws(WireError) {
        guard let base = frame.baseAddress, frame.count >= EthernetHeader.length else {
            throw WireError(.ethernet, .truncated, found: frame.count, expected: EthernetHeader.length)
        }
        self.base = base
        length = frame.count
    }

    // Guard: 14 bytes, by the initializer.
    @inlinable public var destination: MACAddress { base.readMAC(at: 0) }
    @inlinable public var source: MACAddress { base.readMAC(at: 6) }
    @inlinable public var etherType: EtherType { EtherType(rawValue: base.readUInt16(at: 12)) }
    /// With Ethernet's padding, which only the next protocol can tell from its own bytes.
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + EthernetHeader.length, count: length &- EthernetHeader.length)
    }
}

/// The header of an Ethernet frame.
@frozen
public struct EthernetHeader: Hashable, Sendable {
    public static var length: Int { @inlinable get { 14 } }
    /// The shortest frame without FCS; a sender pads up to it. veth links carry shorter ones.
    public static var minimumFrame: Int { @inlinable get { 60 } }

    public var destination: MACAddress
    public var source: MACAddress
    public var etherType: EtherType

    @inlinable
    public init(destination: MACAddress, source: MACAddress, etherType: EtherType) {
        self.destination = destination
        self.source = source
        self.etherType = etherType
    }

    @inlinable
    public init(_ view: borrowing EthernetView) {
        self.init(destination: view.destination, source: view.source, etherType: view.etherType)
    }

    /// - Returns: the bytes written, 14; nil where the buffer is shorter
    @inlinable
    public func emit(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let base = buffer.baseAddress, buffer.count >= Self.length else { return nil }
        base.write(destination, at: 0)
        base.write(source, at: 6)
        base.write(etherType.rawValue, at: 12)
        return Self.length
    }
}
