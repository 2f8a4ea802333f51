/// An IPv4 packet in an Ethernet frame that was parsed once: reading and rewriting it cannot fail.
///
/// A plain value, not a lifetime-bound view, because it travels together with a `Frame`, whose owner (a receive ring
/// or a queue's arena) states how long the bytes stay. Only `ParsedFrame` makes one, so that every offset was checked.
@frozen
public struct PacketView {
    @usableFromInline let base: UnsafeMutableRawPointer
    public private(set) var layout: FrameLayout

    @inlinable
    init(uncheckedBase base: UnsafeMutableRawPointer, layout: FrameLayout) {
        self.base = base
        self.layout = layout
    }

    /// - Returns: nil where the frame is not a well-formed IPv4 packet; `ParsedFrame` says why
    @inlinable
    public init?(_ frame: UnsafeMutableRawBufferPointer) {
        guard case .ipv4(let packet) = ParsedFrame(frame) else { return nil }
        self = packet
    }

    @usableFromInline var bytes: UnsafeRawPointer { UnsafeRawPointer(base) }
}
