import Dataplane
import LabTime
import Wire

extension LoadBalancer {
    /// Opens a session with the first packet of a client, and carries that packet.
    mutating func open(
        _ service: Int, _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        // Guard: a FrameLayout vouches for the Ethernet header.
        let clientMAC = UnsafeRawPointer(frame.base).readMAC(at: 6)
        guard !clientMAC.isMulticast, !clientMAC.isZero else { return ports.counters.drop(.sourceAddressInvalid) }
        guard let place = services[service].choose(for: tuple) else { return ports.counters.drop(.noMemberUp) }
        let member = services[service].members[place]
        guard let hop = ports.routes.lookup(member.address, for: tuple) else { return ports.counters.drop(.noRoute) }
        guard ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return }

        var toMember = tuple
        toMember.destination = member.address
        toMember.destinationPort = member.port
        var translationPort: UInt16 = 0
        if services[service].sourceTranslation.translates(tuple.source, to: member.address) {
            guard let own = ports[hop.port].address?.address else { return ports.counters.drop(.noRoute) }
            guard let number = takePort(of: hop.port, isUDP: tuple.protocol == .udp) else {
                return ports.counters.drop(.translationPortsExhausted)
            }
            translationPort = number
            toMember.source = own
            toMember.sourcePort = number
        }
        let flow = BalancerFlow(
            original: FlowAction(rewrite: PacketRewrite(from: tuple, to: toMember), hop: hop),
            reply: FlowAction(
                rewrite: PacketRewrite(from: toMember.reversed, to: tuple.reversed),
                hop: NextHop(port: frame.port, address: tuple.source), keptMAC: clientMAC),
            service: UInt16(service), member: UInt16(place), translationPort: translationPort,
            translationOwner: hop.port, progress: TCPProgress())
        let insertion = flows.insert(
            original: tuple, reply: toMember.reversed, value: flow,
            expires: Instant(nanoseconds: now.nanoseconds &+ services[service].idleTimeout), now: now)
        guard case .inserted(let index) = insertion else {
            if translationPort != 0 { releasePort(translationPort, of: hop.port, tuple.protocol == .udp) }
            return ports.counters.drop(insertion == .full ? .flowTableFull : .flowConflict)
        }
        ports.counters.count(.flowsCreated)
        services[service].addSession(to: place)
        carry(FlowMatch(index: index, direction: .original), frame, packet, at: now, into: &output)
    }
}
