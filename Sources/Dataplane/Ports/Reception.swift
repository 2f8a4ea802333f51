public import Wire

/// What is left to do about a received frame after `BoxPorts.receive`.
@frozen public enum Reception {
    /// Nothing: it was ARP or Neighbour Discovery, or from the host side, or not for this box; all is sent and counted.
    case done
    /// A well-formed IPv4 packet in a frame addressed to this box.
    case ipv4(PacketView)
    /// A well-formed IPv4 packet in a multicast or broadcast frame.
    case group(PacketView)
    /// A well-formed IPv6 packet in a frame addressed to this box, on a port with IPv6.
    case ipv6(IPv6PacketView)
    /// A well-formed IPv6 packet to a group, on a port with IPv6.
    case ipv6Group(IPv6PacketView)
    /// A frame to this box, or to a group, of another protocol; IPv6 on a port without it.
    case other(EtherType)
}
