public import LabTime
import Mutants
public import Wire

/// A family's part in what ports do: its routes and the ports' own addresses.
public protocol PortFamily: AddressFamily {
    /// The way to an address.
    static func hop(to address: Address, in ports: borrowing BoxPorts) -> IPNextHop<Self>?
    /// The way to an address that a flow takes, of several always the same.
    static func hop(to address: Address, for flow: FlowKey<Self>, in ports: borrowing BoxPorts) -> IPNextHop<Self>?
    /// The box's own address on a port.
    static func own(on port: BoxPort) -> Address?
}

extension IPv4: PortFamily {
    @inlinable public static func hop(to address: IPv4Address, in ports: borrowing BoxPorts) -> NextHop? {
        ports.routes.lookup(address)
    }
    @inlinable public static func hop(
        to address: IPv4Address, for flow: FiveTuple, in ports: borrowing BoxPorts
    ) -> NextHop? {
        ports.routes.lookup(address, for: flow)
    }
    @inlinable public static func own(on port: BoxPort) -> IPv4Address? { port.address?.address }
}

extension IPv6: PortFamily {
    @inlinable public static func hop(to address: IPv6Address, in ports: borrowing BoxPorts) -> IPv6NextHop? {
        ports.ipv6Routes.lookup(address)
    }
    @inlinable public static func hop(
        to address: IPv6Address, for flow: IPv6FiveTuple, in ports: borrowing BoxPorts
    ) -> IPv6NextHop? {
        ports.ipv6Routes.lookup(address, for: flow)
    }
    @inlinable public static func own(on port: BoxPort) -> IPv6Address? { port.ipv6?.address }
}

extension BoxPorts {
    /// Tells the sender of a packet why it goes no further, from the address of the port that the packet came in by.
    ///
    /// No error is sent about an ICMP error, a later fragment, a group address or a sender that is not one host, nor
    /// to a sender to whom no route leads, nor beyond the limit of 1000 a second; each of those is counted.
    /// - Parameter packet: as it arrived; the frame's bytes must not have been rewritten yet
    /// Source: RFC 792; RFC 1122, 3.2.2; RFC 1812, 4.3.2; RFC 4443, 2.4
    public mutating func sendError<Family: PortFamily>(
        _ problem: DeliveryProblem, about frame: Frame, _ packet: IPPacketView<Family>, at now: Instant,
        into output: inout FrameQueue
    ) {
        var problem = problem
        if case .packetTooBig = problem, Mutant.isOn(.hidesPacketTooBig) { return }
        if case .packetTooBig = problem, Mutant.isOn(.reportsLinkMTU) { problem = .packetTooBig(mtu: 1500) }
        let buffer = UnsafeMutableRawBufferPointer(start: scratch, count: FrameQueue.longestFrame)
        guard let own = Family.own(on: self[frame.port]), Family.mayBeAnswered(packet, with: problem),
            let hop = Family.hop(to: packet.source, in: self), icmpLimit.take(at: now),
            let length = Family.errorFrame(
                problem, about: packet, from: own, mac: self[hop.port].sourceMAC, into: buffer)
        else { return counters.count(.icmpSuppressed) }
        counters.count(.icmpMade)
        _ = sendScratch(length, to: hop, at: now, into: &output)
    }

    /// Sends the frame in `scratch`, or lets it wait for its neighbour.
    /// - Returns: whether it was sent
    mutating func sendScratch<Family: AddressFamily>(
        _ length: Int, to hop: IPNextHop<Family>, at now: Instant, into output: inout FrameQueue
    ) -> Bool {
        guard self[hop.port].isUp else {
            counters.drop(.carrierDown)
            return false
        }
        guard let mac = neighbors.lookup(hop.address, on: hop.port) else {
            let frame = Frame(base: scratch, length: Int32(length), port: hop.port, side: .wire)
            hold(frame, for: hop, at: now, into: &output)
            return false
        }
        guard let copy = output.make(length: length, port: hop.port, side: .wire) else {
            counters.drop(.outputFull)
            return false
        }
        copy.copyMemory(from: UnsafeRawBufferPointer(start: scratch, count: length))
        copy.baseAddress?.write(mac, at: 0)
        counters.count(.made)
        return true
    }
}
