/// An ARP request or reply for IPv4 over Ethernet, whole: the packet has no payload, so the value is the view.
///
/// ```
///  0 hardware type (2) = 1 | 2 protocol type (2) = 0x0800 | 4 lengths (2) = 6, 4 | 6 operation (2)
///  8 sender MAC (6) | 14 sender IPv4 (4) | 18 target MAC (6) | 24 target IPv4 (4)
/// ```
/// Source: RFC 826; RFC 5227 for probes and announcements
@frozen
public struct ARPHeader: Hashable, Sendable {
    public static var length: Int { @inlinable get { 28 } }

    @frozen
    public enum Operation: UInt16, Sendable {
        case request = 1
        case reply = 2
    }

    public var operation: Operation
    public var senderMAC: MACAddress
    public var senderAddress: IPv4Address
    /// Zero in a request.
    public var targetMAC: MACAddress
    public var targetAddress: IPv4Address

    @inlinable
    public init(
        operation: Operation, senderMAC: MACAddress, senderAddress: IPv4Address, targetMAC: MACAddress,
        targetAddress: IPv4Address
    ) {
        self.operation = operation
        self.senderMAC = senderMAC
        self.senderAddress = senderAddress
        self.targetMAC = targetMAC
        self.targetAddress = targetAddress
    }

    /// Parses what follows the Ethernet header; padding may follow.
    /// - Throws: `truncated`; `foreign` for other hardware or protocol addresses; `unknownKind` for other operations
    @inlinable
    public init(_ packet: UnsafeRawBufferPointer) throws(WireError) {
        guard let base = packet.baseAddress, packet.count >= Self.length else {
            throw WireError(.arp, .truncated, found: packet.count, expected: Self.length)
        }
        // Guard: 28 bytes.
        guard base.readUInt64(at: 0) >> 16 == 0x0001_0800_0604 else {
            throw WireError(.arp, .foreign, found: Int(base.readUInt32(at: 0)), expected: 0x0001_0800)
        }
        guard let operation = Operation(rawValue: base.readUInt16(at: 6)) else {
            throw WireError(.arp, .unknownKind, found: Int(base.readUInt16(at: 6)))
        }
        self.init(
            operation: operation, senderMAC: base.readMAC(at: 8), senderAddress: base.readIPv4(at: 14),
            targetMAC: base.readMAC(at: 18), targetAddress: base.readIPv4(at: 24))
    }

    /// A host tells its neighbours its own address, unasked. Source: RFC 5227, 3
    @inlinable public var isGratuitous: Bool { senderAddress == targetAddress && !senderAddress.isUnspecified }
    /// A host asks whether an address is in use, without claiming it. Source: RFC 5227, 2.1.1
    @inlinable public var isProbe: Bool { operation == .request && senderAddress.isUnspecified }

    /// - Returns: the bytes written, 28; nil where the buffer is shorter
    @inlinable
    public func emit(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let base = buffer.baseAddress, buffer.count >= Self.length else { return nil }
        base.write(0x0001_0800_0604_0000 | UInt64(operation.rawValue), at: 0)
        base.write(senderMAC, at: 8)
        base.write(senderAddress, at: 14)
        base.write(targetMAC, at: 18)
        base.write(targetAddress, at: 24)
        return Self.length
    }
}
