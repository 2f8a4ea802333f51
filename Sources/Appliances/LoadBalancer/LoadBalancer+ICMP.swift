import Dataplane
import LabTime
import Wire

extension LoadBalancer {
    /// ICMP errors about translated packets are translated and go to the other end; everything else that is for the
    /// box is the host side's, echo for instance.
    /// Source: RFC 5508, 4
    mutating func receiveICMP(
        _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) {
        guard let type = packet.icmp?.type, type == .unreachable || type == .timeExceeded || type == .parameterProblem
        else { return receiveForBox(frame, packet, orDrop: .notARouter, into: &output) }
        let quote = try? QuotedPacket(packet.payload)
        if let quote, receiveErrorAboutTunnel(frame, packet, quote, at: now, into: &output) { return }
        guard let quoted = quote, quoted.hasPorts,
            quoted.fiveTuple.protocol == .tcp || quoted.fiveTuple.protocol == .udp
        else { return receiveForBox(frame, packet, orDrop: .icmpWithoutFlow, into: &output) }

        // The error goes the way of a packet that would answer the quoted one.
        let answering = quoted.fiveTuple.reversed
        guard packet.destination == answering.destination else {
            return receiveForBox(frame, packet, orDrop: .icmpWithoutFlow, into: &output)
        }
        if receiveErrorForMember(frame, packet, answering: answering, at: now, into: &output) { return }
        let action: FlowAction
        /// The quoted packet as its sender sent it.
        let asSent: FiveTuple
        if let match = flows.find(answering) {
            action = flows[match.index].action(match.direction)
            // Both are there: a session of a balancer always has two flows, unless they are the same.
            asSent =
                match.direction == .reply
                ? flows.original(of: match.index) : flows.reply(of: match.index) ?? flows.original(of: match.index)
        } else if answering.protocol == .udp, let (_, toClient) = returnOfDatagram(answering, at: now),
            let hop = ports.routes.lookup(toClient.destination)
        {
            action = FlowAction(rewrite: PacketRewrite(from: answering, to: toClient), hop: hop)
            asSent = toClient.reversed
        } else {
            return receiveForBox(frame, packet, orDrop: .icmpWithoutFlow, into: &output)
        }
        // The checksum is made anew below, which must not heal a broken packet.
        guard packet.isTransportChecksumValid else { return ports.counters.drop(.malformedTransport) }
        guard ports.canLeave(frame, packet, by: action.hop.port, at: now, into: &output) else { return }
        translate(frame, packet, quoted, answering: answering, asSent: asSent, by: action)
        ports.counters.count(.icmpTranslated)
        send(frame, by: action, at: now, into: &output)
    }

    private func translate(
        _ frame: Frame, _ packet: PacketView, _ quoted: QuotedPacket, answering: FiveTuple, asSent: FiveTuple,
        by action: FlowAction
    ) {
        let layout = packet.layout
        // Guard: `QuotedPacket` found its header and 8 bytes behind it within the packet.
        let quote = frame.base + Int(layout.payloadOffset)
        PacketRewrite(from: quoted.fiveTuple, to: asSent).apply(
            quotedHeader: quote, transport: quote + quoted.transportOffset,
            available: layout.payloadLength - quoted.transportOffset)
        let icmp = frame.base + Int(layout.transportOffset)
        icmp.write(UInt16(0), at: 2)
        let message = UnsafeRawBufferPointer(start: icmp, count: Int(layout.endOffset - layout.transportOffset))
        icmp.write(Checksum.of(message), at: 2)

        // From the end of the flow itself the error comes as its packets do; a router on the way keeps its address.
        let rewrite = action.rewrite
        let translated = FiveTuple(addresses: rewrite.addresses, portsAndProtocol: 0)
        var outer = packet.fiveTuple
        if outer.source == answering.source { outer.source = translated.source }
        outer.destination = translated.destination
        var rewritten = packet
        rewritten.rewrite(to: outer)
        _ = rewritten.decrementTimeToLive()
    }
}
