import Dataplane
import LabTime
import Mutants
import Wire

extension LoadBalancer {
    /// Opens a session with the first packet of a client, and carries that packet.
    mutating func open<Tuple: BalancedTuple>(
        _ service: Int, _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant, into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        // Guard: a FrameLayout vouches for the Ethernet header.
        let clientMAC = UnsafeRawPointer(frame.base).readMAC(at: 6)
        guard !clientMAC.isMulticast, !clientMAC.isZero else { return ports.counters.drop(.sourceAddressInvalid) }
        guard let place = services[service].choose(for: tuple) else { return ports.counters.drop(.noMemberUp) }
        let member = services[service].members[place]
        guard let address = Tuple.Address(member.address), let hop = Tuple.hop(to: address, for: tuple, in: ports)
        else { return ports.counters.drop(.noRoute) }
        guard ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return }

        var toMember = tuple
        toMember.destination = address
        toMember.destinationPort = member.port
        var translationPort: UInt16 = 0
        if services[service].sourceTranslation.translates(tuple.source, to: address)
            || Mutant.isOn(.translatesAlways)
        {
            guard let own = Tuple.own(on: ports[hop.port]) else { return ports.counters.drop(.noRoute) }
            guard let number = takePort(Tuple.self, of: hop.port, isUDP: tuple.protocol == .udp) else {
                return ports.counters.drop(.translationPortsExhausted)
            }
            translationPort = number
            toMember.source = own
            toMember.sourcePort = number
        }
        let flow = BalancerFlow<Tuple>(
            original: IPFlowAction(rewrite: IPPacketRewrite(from: tuple, to: toMember), hop: hop),
            reply: IPFlowAction(
                rewrite: IPPacketRewrite(from: toMember.reversed, to: tuple.reversed),
                hop: IPNextHop(port: frame.port, address: tuple.source), keptMAC: clientMAC),
            service: UInt16(service), member: UInt16(place), translationPort: translationPort,
            translationOwner: hop.port, progress: TCPProgress())
        let insertion = Tuple.flows(of: self).pointee.insert(
            original: tuple, reply: toMember.reversed, value: flow,
            expires: Instant(nanoseconds: now.nanoseconds &+ services[service].idleTimeout), now: now)
        guard case .inserted(let index) = insertion else {
            if translationPort != 0 { releasePort(Tuple.self, translationPort, of: hop.port, tuple.protocol == .udp) }
            return ports.counters.drop(insertion == .full ? .flowTableFull : .flowConflict)
        }
        ports.counters.count(.flowsCreated)
        services[service].addSession(to: place)
        carry(FlowMatch(index: index, direction: .original), frame, packet, at: now, into: &output)
    }
}
