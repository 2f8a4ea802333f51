import Dataplane
import LabTime
import Mutants
import Redundancy
import Wire

/// Data frames on the cross-connect: what the passive box hands to the Active before it looks anything up, and what
/// the Active cannot send by a port of its own.
///
/// Each is the IPv4 packet behind an outer IPv4 header and GRE with a `ConduitKey`. The packet is not touched on its
/// way: only the Active counts as a router of it.
extension Firewall {
    /// The passive box's part: a transit frame is the Active's.
    mutating func passToActive(_ frame: Frame, at now: Instant, into output: inout FrameQueue) {
        guard conduit != nil, pair?.isPeerForwarding == true, case .ipv4(let packet) = ParsedFrame(frame.bytes)
        else { return ports.counters.drop(.standby) }
        if Mutant.isOn(.conduitEnds) { return }
        if Mutant.isOn(.conduitLowersTimeToLive) { _ = packet.decrementTimeToLive() }
        if Mutant.isOn(.standbyLooksUp) {
            _ = evaluate(packet.layout, in: frame, at: now)
        }
        let key = ConduitKey(direction: .cameIn, port: frame.port, flow: packet.fiveTuple)
        sendThroughConduit(packet, key, as: .forwarded, at: now, into: &output)
    }

    /// The Active's part: a packet whose way leads by a port without carrier, or by a route to the peer (which BGP
    /// between the two finds where the own neighbour is gone), leaves by the peer's.
    /// - Returns: false where the packet is not one of those
    mutating func returnsThroughPeer(
        _ frame: Frame, _ packet: PacketView, as translation: PacketTranslation<IPv4>?, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        guard let cross = conduit?.cross, pair?.receivesHeartbeat == true,
            let hop = ports.routes.lookup(translation?.flow.destination ?? packet.destination),
            !ports[hop.port].isUp || hop.port == cross.port && hop.address == cross.peerAddress
        else { return false }
        guard ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return true }
        var packet = packet
        translation?.apply(to: &packet)
        guard packet.decrementTimeToLive() else { return true }
        let key = ConduitKey(direction: .leave, port: hop.port, flow: packet.fiveTuple)
        sendThroughConduit(packet, key, as: .returned, at: now, into: &output)
        return true
    }

    private mutating func sendThroughConduit(
        _ packet: PacketView, _ key: ConduitKey, as event: Conduit.Event, at now: Instant,
        into output: inout FrameQueue
    ) {
        // Guard: a conduit has a cross-connect, and a pair with one has a link.
        conduit!.send(packet, key, as: event, through: &pair!.link!, by: &ports, at: now, into: &output)
    }

    /// A data frame of the peer. What is not well-formed, or comes where this box is not what the peer takes it for,
    /// is dropped: a frame crosses the cross-connect once.
    mutating func receiveConduit(
        _ frame: Frame, _ layout: FrameLayout, from cross: PairSettings.CrossConnect, at now: Instant,
        into output: inout FrameQueue
    ) {
        guard conduit != nil, cross.isFromPeer(frame, layout) else {
            pair?.tally.count(.strangerMessage)
            return
        }
        let payload = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(frame.base) + Int(layout.transportOffset),
            count: Int(layout.endOffset - layout.transportOffset))
        let key: ConduitKey
        let start: Int
        do throws(WireError) {
            let gre = try GREView(payload)
            guard gre.protocolType == .ipv4, let value = gre.key,
                Int(UInt8(truncatingIfNeeded: value >> 24) & 0x7f) < ports.count
            else { throw WireError(.gre, .forbiddenValue, found: Int(gre.key ?? 0)) }
            key = ConduitKey(rawValue: value)
            start = Int(layout.transportOffset) + gre.headerLength
        } catch {
            pair?.tally.discardedMessages.count(error.reason)
            return
        }
        conduit?.receive(key, layout)
        // The inner packet becomes a frame where it is: an Ethernet header takes the place of the GRE header's end.
        let base = frame.base + (start - EthernetHeader.length)
        _ = EthernetHeader(destination: ports[key.port].mac, source: .zero, etherType: .ipv4).emit(
            into: UnsafeMutableRawBufferPointer(start: base, count: EthernetHeader.length))
        let inner = Frame(
            base: base, length: layout.endOffset - Int32(start - EthernetHeader.length), port: key.port, side: .wire)
        guard case .ipv4(let packet) = ParsedFrame(inner.bytes) else {
            return ports.counters.drop(.malformedIPv4)
        }
        switch key.direction {
        case .cameIn:
            guard isForwarding else { return ports.counters.drop(.standby) }
            receiveIPv4(inner, packet, at: now, into: &output)
        case .leave:
            guard let hop = ports.routes.lookup(packet.destination), hop.port != cross.port, ports[hop.port].isUp else {
                return ports.counters.drop(.carrierDown)
            }
            conduit?.tally.count(.delivered)
            ports.forward(inner, to: hop, at: now, into: &output)
        }
    }
}
