import Dataplane
import LabTime
import Wire

extension Balancer {
    /// ICMP errors about translated packets are translated and go to the other end; everything else that is for the
    /// box is the host side's, echo for instance.
    /// Source: RFC 5508, 4
    mutating func receiveICMP(
        _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) {
        guard let type = packet.controlType, Family.isControlError(type: type)
        else { return receiveForBox(frame, packet, &core, orDrop: .notARouter, into: &output) }
        let quote = Family.quoted(in: packet)
        if let quote, receiveErrorAboutTunnel(packet, quote, &core, at: now, into: &output) { return }
        guard let quoted = quote, quoted.hasPorts,
            quoted.fiveTuple.protocol == .tcp || quoted.fiveTuple.protocol == .udp
        else { return receiveForBox(frame, packet, &core, orDrop: .icmpWithoutFlow, into: &output) }

        // The error goes the way of a packet that would answer the quoted one.
        let answering = quoted.fiveTuple.reversed
        guard packet.destination == answering.destination else {
            return receiveForBox(frame, packet, &core, orDrop: .icmpWithoutFlow, into: &output)
        }
        if receiveErrorForMember(frame, packet, &core, answering: answering, at: now, into: &output) { return }
        let action: IPFlowAction<Family>
        /// The quoted packet as its sender sent it.
        let asSent: FlowKey<Family>
        if let match = flows.find(answering) {
            action = flows[match.index].action(match.direction)
            // Both are there: a session of a balancer always has two flows, unless they are the same.
            asSent =
                match.direction == .reply
                ? flows.original(of: match.index)
                : flows.reply(of: match.index) ?? flows.original(of: match.index)
        } else if answering.protocol == .udp, let (_, toClient) = returnOfDatagram(answering, core, at: now),
            let hop = Family.hop(to: toClient.destination, in: core.ports)
        {
            action = IPFlowAction(rewrite: IPPacketRewrite(from: answering, to: toClient), hop: hop)
            asSent = toClient.reversed
        } else {
            return receiveForBox(frame, packet, &core, orDrop: .icmpWithoutFlow, into: &output)
        }
        // The checksum is made anew below, which must not heal a broken packet.
        guard packet.isTransportChecksumValid else { return core.ports.counters.drop(.malformedTransport) }
        guard core.ports.canLeave(frame, packet, by: action.hop.port, at: now, into: &output) else { return }
        translate(frame, packet, quoted, answering: answering, asSent: asSent, by: action)
        core.ports.counters.count(.icmpTranslated)
        send(frame, &core, by: action, at: now, into: &output)
    }

    private func translate(
        _ frame: Frame, _ packet: IPPacketView<Family>, _ quoted: IPQuotedPacket<Family>, answering: FlowKey<Family>,
        asSent: FlowKey<Family>, by action: IPFlowAction<Family>
    ) {
        let layout = packet.layout
        // Guard: `QuotedPacket` found its header and 8 bytes behind it within the packet.
        let quote = frame.base + Int(layout.payloadOffset)
        IPPacketRewrite(from: quoted.fiveTuple, to: asSent).apply(
            quotedHeader: quote, transport: quote + quoted.transportOffset,
            available: layout.payloadLength - quoted.transportOffset)
        packet.updateControlChecksum()

        // From the end of the flow itself the error comes as its packets do; a router on the way keeps its address.
        let translated = action.rewrite.new
        var outer = packet.fiveTuple
        if outer.source == answering.source { outer.source = translated.source }
        outer.destination = translated.destination
        var rewritten = packet
        rewritten.rewrite(to: outer)
        _ = rewritten.decrementTimeToLive()
    }
}
