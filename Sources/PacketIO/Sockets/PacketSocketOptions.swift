/// What a packet socket can be told when it is opened.
public struct PacketSocketOptions: Hashable, Sendable {
    /// Frames that can wait in the receive ring, a power of two, 32 … 65,536. More are dropped and counted.
    public var slots: Int
    /// Bytes of the longest frame, without FCS and VLAN tag; longer ones are dropped and counted. nil: what the largest
    /// MTU among the ports' interfaces allows.
    public var longestFrame: Int?
    /// Bytes that stay free in front of each received frame, for an encapsulation without copying; a multiple of 16,
    /// so that IP headers stay aligned as the kernel aligns them.
    public var headroom: Int
    /// Whether frames skip the queueing discipline on their way out. They are then hidden from every capture on the
    /// interface too (`dev_direct_xmit` in net/core/dev.c has no tap), so a lab leaves this off.
    public var bypassesQueueingDiscipline: Bool

    public init(
        slots: Int = 2048, longestFrame: Int? = nil, headroom: Int = 64, bypassesQueueingDiscipline: Bool = false
    ) {
        precondition(slots >= 32 && slots <= 65_536 && slots & (slots - 1) == 0)
        precondition(longestFrame.map { $0 >= 60 && $0 <= 65_549 } ?? true)
        precondition(headroom >= 0 && headroom <= 256 && headroom % 16 == 0)
        self.slots = slots
        self.longestFrame = longestFrame
        self.headroom = headroom
        self.bypassesQueueingDiscipline = bypassesQueueingDiscipline
    }

    /// Bytes that TPACKET_V2 keeps in front of an Ethernet frame: header and address (52) and the room that aligns
    /// the network header to 16 (`tpacket_rcv` in net/packet/af_packet.c: 80 - 14).
    static let overhead = 66

    /// Bytes of one slot: the smallest power of two that holds the longest frame. It divides a block, so that slots
    /// follow one another without gaps.
    var slotSize: Int {
        var size = 2048
        while size < Self.overhead + headroom + frameLimit { size *= 2 }
        return size
    }

    /// Memory of a ring for long frames; it has fewer slots instead of more memory.
    private static let mostMemory = 16 << 20

    /// With what was left open decided by the largest MTU among the ports' interfaces.
    func fitted(toMTU mtu: Int) -> PacketSocketOptions {
        guard longestFrame == nil else { return self }
        var fitted = self
        fitted.longestFrame = min(max(60, mtu + 14), 65_549)
        if fitted.slotSize > 2048 { fitted.slots = max(32, min(slots, Self.mostMemory / fitted.slotSize)) }
        return fitted
    }

    /// Of MTU 1500, where nothing was decided.
    var frameLimit: Int { longestFrame ?? 1514 }

    /// Bytes of memory that the kernel allocates at a time.
    var blockSize: Int { max(65_536, slotSize) }
    var ringSize: Int { slots * slotSize }
}
