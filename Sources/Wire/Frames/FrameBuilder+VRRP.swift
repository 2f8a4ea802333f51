extension FrameBuilder {
    /// Internetwork control, as routing protocols mark their packets. Source: RFC 2474, 4.2.2.2
    private static var internetworkControl: UInt8 { 0xc0 }

    /// A VRRP advertisement for IPv4 to all VRRP routers of the link, time to live 255.
    /// - Parameters:
    ///   - mac: the sender; RFC 9568, 7.3 requires the virtual router's address
    ///   - source: the sender's own address on the link, not the virtual one
    public static func vrrp(
        _ advertisement: VRRPHeader, addresses: some Collection<IPv4Address>, from source: IPv4Address,
        mac: MACAddress, checksum: VRRPChecksum = .pseudoHeader, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let packet = IPv4Header(
            source: source, destination: .vrrpRouters, protocol: .vrrp, timeToLive: VRRPHeader.timeToLive,
            trafficClass: internetworkControl)
        let offset = EthernetHeader.length + IPv4Header.minimumLength
        guard
            let length = advertisement.emit(
                into: rest(of: buffer, from: offset), addresses: addresses, checksum: checksum, source: source)
        else { return nil }
        return wrap(packet, from: mac, to: .multicast(for: IPv4Address.vrrpRouters), length: length, into: buffer)
    }

    /// A VRRP advertisement for IPv6.
    /// - Parameter source: the sender's link-local address
    public static func vrrp(
        _ advertisement: VRRPHeader, addresses: some Collection<IPv6Address>, from source: IPv6Address,
        mac: MACAddress, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let packet = IPv6Header(
            source: source, destination: .vrrpRouters, nextHeader: .vrrp, hopLimit: VRRPHeader.timeToLive,
            trafficClass: internetworkControl)
        guard
            let length = advertisement.emit(
                into: rest(of: buffer, from: EthernetHeader.length + IPv6Header.length), addresses: addresses,
                source: source)
        else { return nil }
        return wrap(packet, from: mac, to: .multicast(for: IPv6Address.vrrpRouters), length: length, into: buffer)
    }

    /// A Neighbour Discovery message, hop limit 255.
    public static func neighborDiscovery(
        _ message: NeighborDiscovery, from source: IPv6Address, mac: MACAddress, to destination: IPv6Address,
        mac destinationMAC: MACAddress, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let packet = IPv6Header(
            source: source, destination: destination, nextHeader: .icmpv6, hopLimit: NeighborDiscovery.hopLimit)
        guard
            let length = message.emit(
                into: rest(of: buffer, from: EthernetHeader.length + IPv6Header.length), source: source,
                destination: destination)
        else { return nil }
        return wrap(packet, from: mac, to: destinationMAC, length: length, into: buffer)
    }

    static func wrap(
        _ packet: IPv6Header, from source: MACAddress, to destination: MACAddress, length: Int,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let ethernet = EthernetHeader(destination: destination, source: source, etherType: .ipv6)
        guard let link = ethernet.emit(into: buffer),
            let network = packet.emit(into: rest(of: buffer, from: link), payloadLength: length)
        else { return nil }
        return link + network + length
    }
}
