import Dataplane
import LabTime
import Mutants
import Wire

extension Balancer {
    /// Opens a session with the first packet of a client, and carries that packet.
    mutating func open(
        _ service: Int, _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        // Guard: a FrameLayout vouches for the Ethernet header.
        let clientMAC = UnsafeRawPointer(frame.base).readMAC(at: 6)
        guard !clientMAC.isMulticast, !clientMAC.isZero else { return core.ports.counters.drop(.sourceAddressInvalid) }
        guard let place = core.services[service].choose(for: tuple) else {
            return core.ports.counters.drop(.noMemberUp)
        }
        let member = core.services[service].members[place]
        guard let address = Family.Address(member.address),
            let hop = Family.hop(to: address, for: tuple, in: core.ports)
        else { return core.ports.counters.drop(.noRoute) }
        guard core.ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return }

        var toMember = tuple
        toMember.destination = address
        toMember.destinationPort = member.port
        var translationPort: UInt16 = 0
        if core.services[service].sourceTranslation.translates(tuple.source, to: address)
            || Mutant.isOn(.translatesAlways)
        {
            guard let own = Family.own(on: core.ports[hop.port]) else { return core.ports.counters.drop(.noRoute) }
            guard let number = takePort(of: hop.port, isUDP: tuple.protocol == .udp) else {
                return core.ports.counters.drop(.translationPortsExhausted)
            }
            translationPort = number
            toMember.source = own
            toMember.sourcePort = number
        }
        let flow = BalancerFlow<Family>(
            original: IPFlowAction(rewrite: IPPacketRewrite(from: tuple, to: toMember), hop: hop),
            reply: IPFlowAction(
                rewrite: IPPacketRewrite(from: toMember.reversed, to: tuple.reversed),
                hop: IPNextHop(port: frame.port, address: tuple.source), keptMAC: clientMAC),
            service: UInt16(service), member: UInt16(place), translationPort: translationPort,
            translationOwner: hop.port, progress: TCPProgress())
        let insertion = flows.insert(
            original: tuple, reply: toMember.reversed, value: flow,
            expires: Instant(nanoseconds: now.nanoseconds &+ core.services[service].idleTimeout), now: now)
        guard case .inserted(let index) = insertion else {
            if translationPort != 0 { releasePort(translationPort, of: hop.port, tuple.protocol == .udp) }
            return core.ports.counters.drop(insertion == .full ? .flowTableFull : .flowConflict)
        }
        core.ports.counters.count(.flowsCreated)
        core.services[service].addSession(to: place)
        carry(FlowMatch(index: index, direction: .original), frame, packet, &core, at: now, into: &output)
    }
}
