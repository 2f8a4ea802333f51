public import LabTime
public import Wire

extension BoxPorts {
    /// Sends a copy of a packet through a tunnel; the frame it came in stays as it is.
    /// - Parameters:
    ///   - packet: with the time to live that it leaves with
    ///   - hop: on the way to the tunnel's far end
    @inlinable
    public mutating func send<Family: TunnelFamily>(
        _ packet: IPPacketView<Family>, through tunnel: IPTunnel<Family>, to hop: IPNextHop<Family>,
        at now: Instant, into output: inout FrameQueue
    ) {
        guard Int(hop.port) < count, ports[Int(hop.port)].isUp else { return counters.drop(.carrierDown) }
        let length = tunnel.frameLength(packetLength: packet.layout.packetLength)
        guard length <= FrameQueue.longestFrame else { return counters.drop(.packetTooBig) }
        let label = UInt32(truncatingIfNeeded: packet.fiveTuple.mixedHash)
        guard let mac = neighbors.lookup(hop.address, on: hop.port) else {
            // Put together where ICMP errors are, because nothing may be queued yet.
            let buffer = UnsafeMutableRawBufferPointer(start: scratch, count: FrameQueue.longestFrame)
            guard tunnel.wrap(packet.packet, flowLabel: label, into: buffer) else {
                return counters.drop(.packetTooBig)
            }
            counters.count(.tunnelWrapped)
            let frame = Frame(base: scratch, length: Int32(truncatingIfNeeded: length), port: hop.port, side: .wire)
            return hold(frame, for: hop, at: now, into: &output)
        }
        guard let buffer = output.make(length: length, port: hop.port, side: .wire), let base = buffer.baseAddress
        else {
            return counters.drop(.outputFull)
        }
        // Guard: `make` gave `length` bytes, which are exactly the frame's.
        _ = tunnel.wrap(packet.packet, flowLabel: label, into: buffer)
        base.write(mac, at: 0)
        base.write(ports[Int(hop.port)].sourceMAC, at: 6)
        counters.count(.tunnelWrapped)
        counters.count(.forwarded)
    }

    /// Sends an ICMP error about a packet of which only a quote is there, from the address of the port on the way to
    /// its sender. Counted and limited as `sendError`.
    /// - Parameter quote: from the quoted IP header on; its source is who is told
    public mutating func sendError<Family: PortFamily>(
        _ problem: DeliveryProblem, quoting quote: UnsafeRawBufferPointer, of family: Family.Type,
        to destination: Family.Address, at now: Instant, into output: inout FrameQueue
    ) {
        let buffer = UnsafeMutableRawBufferPointer(start: scratch, count: FrameQueue.longestFrame)
        guard destination.isRoutable, let hop = Family.hop(to: destination, in: self),
            let own = Family.own(on: self[hop.port]), icmpLimit.take(at: now),
            let length = Family.errorFrame(
                problem, quoting: quote, to: destination, from: own, mac: self[hop.port].sourceMAC, into: buffer)
        else { return counters.count(.icmpSuppressed) }
        counters.count(.icmpMade)
        _ = sendScratch(length, to: hop, at: now, into: &output)
    }
}
