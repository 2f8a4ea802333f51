import Configuration
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
        guard redundancy?.conduit != nil, election.receivesHeartbeat,
            election.monitor?.statement?.role == .active || election.isHandingOver,
            case .ipv4(let packet) = ParsedFrame(frame.bytes)
        else { return ports.counters.drop(.standby) }
        if Mutant.isOn(.conduitEnds) { return }
        if Mutant.isOn(.conduitLowersTimeToLive) { _ = packet.decrementTimeToLive() }
        if Mutant.isOn(.standbyLooksUp) {
            _ = evaluate(packet.layout, in: frame, at: now)
        }
        let key = ConduitKey(direction: .cameIn, port: frame.port, flow: packet.fiveTuple)
        if sendThrough(packet, key, at: now, into: &output) { tally.conduitForwarded &+= 1 }
    }

    /// The Active's part: a packet whose way leads by a port without carrier, or by a route to the peer (which BGP
    /// between the two finds where the own neighbour is gone), leaves by the peer's.
    /// - Returns: false where the packet is not one of those
    mutating func returnsThroughPeer(
        _ frame: Frame, _ packet: PacketView, as translation: PacketTranslation<IPv4>?, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        guard redundancy?.conduit != nil, let cross = redundancy?.crossConnect, election.receivesHeartbeat,
            let hop = ports.routes.lookup(translation?.flow.destination ?? packet.destination),
            !ports[hop.port].isUp || hop.port == cross.port && hop.address == cross.peerAddress
        else { return false }
        guard ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return true }
        var packet = packet
        translation?.apply(to: &packet)
        guard packet.decrementTimeToLive() else { return true }
        let key = ConduitKey(direction: .leave, port: hop.port, flow: packet.fiveTuple)
        if sendThrough(packet, key, at: now, into: &output) { tally.conduitReturned &+= 1 }
        return true
    }

    private mutating func sendThrough(
        _ packet: PacketView, _ key: ConduitKey, at now: Instant, into output: inout FrameQueue
    ) -> Bool {
        guard let cross = redundancy?.crossConnect else { return false }
        let greOffset = EthernetHeader.length + IPv4Header.minimumLength
        let gre = GREHeader(protocolType: .ipv4, key: key.rawValue)
        let length = packet.layout.packetLength
        let offset = greOffset + gre.length
        guard length + ConduitKey.overhead <= Int(ports[cross.port].mtu), offset + length <= FrameQueue.longestFrame,
            let source = packet.packet.baseAddress
        else {
            tally.conduitTooBig &+= 1
            return false
        }
        (scratch + offset).copyMemory(from: source, byteCount: length)
        let bytes = UnsafeMutableRawBufferPointer(start: scratch, count: offset + length)
        let written = gre.emit(
            into: UnsafeMutableRawBufferPointer(rebasing: bytes[greOffset...]), payloadLength: length)
        precondition(written == gre.length)
        return sendToPeer(.gre, payloadLength: gre.length + length, at: now, into: &output)
    }

    /// A data frame of the peer. What is not well-formed, or comes where this box is not what the peer takes it for,
    /// is dropped: a frame crosses the cross-connect once.
    mutating func receiveConduit(
        _ frame: Frame, _ layout: FrameLayout, from cross: FirewallRedundancy.CrossConnect, at now: Instant,
        into output: inout FrameQueue
    ) {
        guard let conduit = redundancy?.conduit, isPeers(frame, layout, cross) else {
            tally.messagesOfStrangers &+= 1
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
            tally.messageErrors.count(error.reason)
            return
        }
        tally.conduitReceived &+= 1
        let worker = worker(of: key, layout, conduit)
        workers[worker] &+= 1
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
            tally.conduitDelivered &+= 1
            ports.forward(inner, to: hop, at: now, into: &output)
        }
    }

    /// Which worker a frame is for: by the mark of the flow that it carries, or by the outer header alone.
    private func worker(of key: ConduitKey, _ outer: FrameLayout, _ conduit: ConduitConfiguration) -> Int {
        let mark =
            switch conduit.spread {
            case .inner: key.flow
            case .outer: ConduitKey.mark(of: outer.fiveTuple)
            }
        return Int(mark % UInt32(conduit.workers))
    }
}
