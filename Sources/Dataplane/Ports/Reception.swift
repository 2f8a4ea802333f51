public import Wire

/// What is left to do about a received frame after `BoxPorts.receive`.
@frozen public enum Reception {
    /// Nothing: it was ARP, or from the host side, or not for this box; all is sent and counted.
    case done
    /// A well-formed IPv4 packet in a frame addressed to this box.
    case ipv4(PacketView)
    /// A well-formed IPv4 packet in a multicast or broadcast frame.
    case group(PacketView)
    /// A frame to this box, or to a group, of another protocol.
    case other(EtherType)
}
