public import LabTime
public import Wire

extension BoxPorts {
    /// Sends a copy of an IPv4 packet through a tunnel; the frame it came in stays as it is.
    /// - Parameters:
    ///   - packet: with the time to live that it leaves with
    ///   - hop: on the way to the tunnel's far end
    public mutating func send(
        _ packet: PacketView, through tunnel: Tunnel, to hop: NextHop, at now: Instant, into output: inout FrameQueue
    ) {
        guard Int(hop.port) < count, ports[Int(hop.port)].isUp else { return counters.drop(.carrierDown) }
        let length = tunnel.frameLength(packetLength: packet.layout.packetLength)
        guard let mac = neighbors.lookup(hop.address, on: hop.port) else {
            // Put together where ICMP errors are, because nothing may be queued yet.
            let buffer = UnsafeMutableRawBufferPointer(start: scratch, count: FrameQueue.slotSize)
            guard tunnel.wrap(packet.packet, into: buffer) else { return counters.drop(.packetTooBig) }
            counters.count(.tunnelWrapped)
            let frame = Frame(base: scratch, length: Int32(truncatingIfNeeded: length), port: hop.port, side: .wire)
            return hold(frame, for: hop, at: now, into: &output)
        }
        guard length <= FrameQueue.slotSize else { return counters.drop(.packetTooBig) }
        guard let buffer = output.make(length: length, port: hop.port, side: .wire), let base = buffer.baseAddress
        else {
            return counters.drop(.outputFull)
        }
        // Guard: `make` gave `length` bytes, which are exactly the frame's.
        _ = tunnel.wrap(packet.packet, into: buffer)
        base.write(mac, at: 0)
        base.write(ports[Int(hop.port)].sourceMAC, at: 6)
        counters.count(.tunnelWrapped)
        counters.count(.forwarded)
    }

    /// Sends an ICMP error about a packet of which only a quote is there, from the address of the port on the way to
    /// its sender. Counted and limited as `sendICMPError`.
    /// - Parameter quote: from the quoted IP header on; its source is who is told
    public mutating func sendICMPError(
        _ error: ICMPv4Header, quoting quote: UnsafeRawBufferPointer, to destination: IPv4Address, at now: Instant,
        into output: inout FrameQueue
    ) {
        guard destination.isRoutable, let hop = routes.lookup(destination), let own = self[hop.port].address?.address,
            icmpLimit.take(at: now)
        else { return counters.count(.icmpSuppressed) }
        let buffer = UnsafeMutableRawBufferPointer(start: scratch, count: FrameQueue.slotSize)
        let header = IPv4Header(source: own, destination: destination, protocol: .icmp, dontFragment: false)
        // As much of the quote as leaves the error within 576 bytes. Source: RFC 1812, 4.3.2.3
        let most = 576 - IPv4Header.minimumLength - ICMPv4Header.length
        guard
            let length = FrameBuilder.icmp(
                error, in: header, from: self[hop.port].sourceMAC, to: .zero,
                payload: UnsafeRawBufferPointer(rebasing: quote.prefix(most)), into: buffer)
        else { return counters.count(.icmpSuppressed) }
        counters.count(.icmpMade)
        _ = sendScratch(length, to: hop, at: now, into: &output)
    }
}
