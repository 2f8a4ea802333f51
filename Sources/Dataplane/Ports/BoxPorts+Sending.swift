public import LabTime
import Mutants
public import Wire

extension BoxPorts {
    /// Routes a packet for somebody else: time to live, route, MTU, next hop; ICMP to its sender where one of
    /// them fails.
    public mutating func route<Family: PortFamily>(
        _ frame: Frame, _ packet: IPPacketView<Family>, at now: Instant, into output: inout FrameQueue
    ) {
        guard let hop = nextHop(to: packet.destination, for: frame, packet, at: now, into: &output),
            packet.decrementTimeToLive()
        else { return }
        forward(frame, to: hop, at: now, into: &output)
    }

    /// As above, for an IPv4 packet that may be translated; one that exceeds the MTU and allows it leaves in fragments.
    /// - Parameter translation: what it leaves as; the route is its, while ICMP quotes the packet as it came
    public mutating func route(
        _ frame: Frame, _ packet: PacketView, as translation: PacketTranslation<IPv4>?, at now: Instant,
        into output: inout FrameQueue
    ) {
        let destination = translation?.flow.destination ?? packet.destination
        guard
            let hop = nextHop(
                to: destination, for: frame, packet, inFragments: !packet.dontFragment, at: now, into: &output)
        else { return }
        var packet = packet
        translation?.apply(to: &packet)
        guard packet.decrementTimeToLive() else { return }
        guard packet.layout.packetLength <= Int(self[hop.port].mtu) else {
            // Fragments of a translated datagram that arrived whole; those that arrived as fragments have one already.
            if translation != nil, !packet.layout.isFragment { packet.rewriteIdentification(newIdentification()) }
            return sendInFragments(frame, packet, to: hop, at: now, into: &output)
        }
        forward(frame, to: hop, at: now, into: &output)
    }

    /// As `route`, for a frame in memory that does not stay until the queue is transmitted: a copy leaves.
    public mutating func routeCopy(
        _ frame: Frame, _ packet: PacketView, as translation: PacketTranslation<IPv4>?, at now: Instant,
        into output: inout FrameQueue
    ) {
        let destination = translation?.flow.destination ?? packet.destination
        guard
            let hop = nextHop(
                to: destination, for: frame, packet, inFragments: !packet.dontFragment, at: now, into: &output)
        else { return }
        var packet = packet
        translation?.apply(to: &packet)
        guard packet.decrementTimeToLive() else { return }
        guard packet.layout.packetLength <= Int(self[hop.port].mtu) else {
            return sendInFragments(frame, packet, to: hop, at: now, into: &output)
        }
        packet.sourceMAC = self[hop.port].sourceMAC
        scratch.copyMemory(from: frame.base, byteCount: Int(frame.length))
        if sendScratch(Int(frame.length), to: hop, at: now, into: &output) { counters.count(.forwarded) }
    }

    /// Where a packet leaves to; nil where it does not, which was counted and told.
    private mutating func nextHop<Family: PortFamily>(
        to destination: Family.Address, for frame: Frame, _ packet: IPPacketView<Family>, inFragments: Bool = false,
        at now: Instant, into output: inout FrameQueue
    ) -> IPNextHop<Family>? {
        guard destination.isRoutable else {
            counters.drop(.multicast)
            return nil
        }
        guard let hop = Family.hop(to: destination, for: packet.fiveTuple, in: self) else {
            counters.drop(.noRoute)
            sendError(.noRoute, about: frame, packet, at: now, into: &output)
            return nil
        }
        return canLeave(frame, packet, by: hop.port, inFragments: inFragments, at: now, into: &output) ? hop : nil
    }

    /// Whether time to live and MTU let a packet leave by a port; where not, its sender is told and the drop counted.
    /// - Parameter inFragments: whether the caller fragments what exceeds the MTU
    @inlinable
    public mutating func canLeave<Family: PortFamily>(
        _ frame: Frame, _ packet: IPPacketView<Family>, by port: PortIndex, inFragments: Bool = false, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        if Int(port) < count, packet.timeToLive > 1,
            inFragments || packet.layout.packetLength <= Int(ports[Int(port)].mtu)
        {
            return true
        }
        tellWhyNot(frame, packet, by: port, at: now, into: &output)
        return false
    }

    /// Apart, so that what every packet passes is small enough to be specialised for its family by each caller.
    @usableFromInline
    mutating func tellWhyNot<Family: PortFamily>(
        _ frame: Frame, _ packet: IPPacketView<Family>, by port: PortIndex, at now: Instant,
        into output: inout FrameQueue
    ) {
        guard packet.timeToLive > 1 else {
            counters.drop(.timeToLiveExceeded)
            return sendError(.timeExceeded, about: frame, packet, at: now, into: &output)
        }
        counters.drop(.packetTooBig)
        sendError(.packetTooBig(mtu: Int(self[port].mtu)), about: frame, packet, at: now, into: &output)
    }

    /// Sends a frame with a finished IP header to a next hop. Where its MAC address is not known yet, a copy waits
    /// and the neighbour is asked for.
    @inlinable
    public mutating func forward<Family: AddressFamily>(
        _ frame: Frame, to hop: IPNextHop<Family>, at now: Instant, into output: inout FrameQueue
    ) {
        if let mac = neighbors.lookup(hop.address, on: hop.port) {
            transmit(frame, to: mac, by: hop.port, into: &output)
        } else {
            hold(frame, for: hop, at: now, into: &output)
        }
    }

    /// Sends a frame to a MAC address that is known already.
    /// - Precondition: the frame has an Ethernet header of 14 bytes
    public mutating func transmit(
        _ frame: Frame, to mac: MACAddress, by port: PortIndex, into output: inout FrameQueue
    ) {
        guard Int(port) < count, ports[Int(port)].isUp else { return counters.drop(.carrierDown) }
        frame.base.write(mac, at: 0)
        frame.base.write(ports[Int(port)].sourceMAC, at: 6)
        if Mutant.isTurn(.dropsEach50th, each: 50) { return counters.count(.forwarded) }
        guard output.append(Frame(base: frame.base, length: frame.length, port: port, side: .wire)) else {
            return counters.drop(.outputFull)
        }
        counters.count(.forwarded)
        if Mutant.isOn(.forwardsTwice) || Mutant.isTurn(.forwardsEach100thTwice, each: 100) { output.appendLast() }
        if Mutant.isTurn(.straysEach200th, each: 200) { output.makeStray(port: port, from: ports[Int(port)].mac) }
    }

    @usableFromInline
    mutating func hold<Family: AddressFamily>(
        _ frame: Frame, for hop: IPNextHop<Family>, at now: Instant, into output: inout FrameQueue
    ) {
        guard Int(hop.port) < count, ports[Int(hop.port)].isUp else { return counters.drop(.carrierDown) }
        frame.base.write(ports[Int(hop.port)].sourceMAC, at: 6)
        switch neighbors.hold(UnsafeRawBufferPointer(frame.bytes), for: hop.address, on: hop.port, at: now) {
        case .held: break
        case .heldFirst: solicit(hop.address.erased, by: hop.port, into: &output)
        case .heldInsteadOfOldest: counters.drop(.neighborQueueFull)
        case .noRoom(let isFirst):
            counters.drop(.neighborPending)
            if isFirst { solicit(hop.address.erased, by: hop.port, into: &output) }
        case .tableFull: counters.drop(.neighborTableFull)
        }
    }

    /// Hands a frame to the box's own kernel, by the host side of the port that it came in by.
    public mutating func deliverToHost(_ frame: Frame, into output: inout FrameQueue) {
        guard Int(frame.port) < count, ports[Int(frame.port)].hasHostSide else { return counters.drop(.noHostSide) }
        // The kernel takes only what is addressed to its interface, and a virtual MAC address is not.
        if !UnsafeRawPointer(frame.base).readMAC(at: 0).isMulticast {
            frame.base.write(ports[Int(frame.port)].mac, at: 0)
        }
        guard output.append(Frame(base: frame.base, length: frame.length, port: frame.port, side: .host)) else {
            return counters.drop(.outputFull)
        }
        counters.count(.toHost)
    }

    /// As `deliverToHost`, for a frame in memory that does not stay until the queue is transmitted.
    public mutating func deliverCopyToHost(_ frame: Frame, into output: inout FrameQueue) {
        guard Int(frame.port) < count, ports[Int(frame.port)].hasHostSide else { return counters.drop(.noHostSide) }
        guard let copy = output.make(length: Int(frame.length), port: frame.port, side: .host) else {
            return counters.drop(.outputFull)
        }
        copy.copyMemory(from: UnsafeRawBufferPointer(frame.bytes))
        copy.baseAddress?.write(ports[Int(frame.port)].mac, at: 0)
        counters.count(.toHost)
    }

    mutating func passFromHost(_ frame: Frame, into output: inout FrameQueue) {
        guard ports[Int(frame.port)].isUp else { return counters.drop(.carrierDown) }
        guard output.append(Frame(base: frame.base, length: frame.length, port: frame.port, side: .wire)) else {
            return counters.drop(.outputFull)
        }
        counters.count(.fromHost)
    }
}
