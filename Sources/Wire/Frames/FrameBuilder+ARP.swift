extension FrameBuilder {
    /// Bytes of every ARP frame, unpadded.
    public static var arpLength: Int { EthernetHeader.length + ARPHeader.length }

    /// Any ARP packet in a frame.
    /// - Parameter source: the frame's sender, which may differ from the packet's
    public static func arp(
        _ packet: ARPHeader, from source: MACAddress, to destination: MACAddress,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let ethernet = EthernetHeader(destination: destination, source: source, etherType: .arp)
        guard let link = ethernet.emit(into: buffer), let length = packet.emit(into: rest(of: buffer, from: link))
        else {
            return nil
        }
        return link + length
    }

    /// Who has `target`? Broadcast, or to one station that is asked whether it still has it.
    public static func arpRequest(
        for target: IPv4Address, from sender: IPv4Address, mac: MACAddress, to destination: MACAddress = .broadcast,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let packet = ARPHeader(
            operation: .request, senderMAC: mac, senderAddress: sender, targetMAC: .zero, targetAddress: target)
        return arp(packet, from: mac, to: destination, into: buffer)
    }

    /// The answer to a request: `mac` has the address that was asked for. To the one that asked.
    public static func arpReply(
        to request: ARPHeader, mac: MACAddress, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let packet = ARPHeader(
            operation: .reply, senderMAC: mac, senderAddress: request.targetAddress, targetMAC: request.senderMAC,
            targetAddress: request.senderAddress)
        return arp(packet, from: mac, to: request.senderMAC, into: buffer)
    }

    /// `mac` has `address`, unasked and to everybody, so that neighbours and switches learn it.
    ///
    /// As a request by default: RFC 5227 prefers it (section 3), and RFC 9568, 8.3.2 leaves the choice. The target MAC
    /// of a reply is the sender's, since a broadcast answer has no other.
    public static func gratuitousARP(
        _ address: IPv4Address, mac: MACAddress, as operation: ARPHeader.Operation = .request,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let packet = ARPHeader(
            operation: operation, senderMAC: mac, senderAddress: address,
            targetMAC: operation == .request ? .zero : mac, targetAddress: address)
        return arp(packet, from: mac, to: .broadcast, into: buffer)
    }
}
