import Configuration
import Dataplane
import LabTime
import Wire

extension Balancer {
    /// Balances one datagram of a per-packet service: member, route and neighbour are all looked up now.
    mutating func balance(
        _ service: Int, _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        guard let place = core.services[service].choose(for: tuple) else {
            return core.ports.counters.drop(.noMemberUp)
        }
        let member = core.services[service].members[place]
        guard let address = Family.Address(member.address), let hop = Family.hop(to: address, in: core.ports) else {
            return core.ports.counters.drop(.noRoute)
        }
        guard core.ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return }
        var toMember = tuple
        toMember.destination = address
        toMember.destinationPort = member.port
        if core.services[service].sourceTranslation == .autoMap {
            guard let own = Family.own(on: core.ports[hop.port]),
                let number = mapping(&core, of: tuple, service, leavingBy: hop.port, as: own, at: now)
            else { return }
            toMember.source = own
            toMember.sourcePort = number
        }
        core.services[service].packetsToMembers &+= 1
        let action = IPFlowAction(rewrite: IPPacketRewrite(from: tuple, to: toMember), hop: hop)
        action.apply(to: frame, packet.layout)
        send(frame, &core, by: action, at: now, into: &output)
    }

    /// Carries a member's datagram back to its client, with a fresh look at route and neighbour.
    /// - Returns: false where the datagram is no answer of a per-packet service
    mutating func answer(
        _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        guard let (service, toClient) = returnOfDatagram(packet.fiveTuple, core, at: now) else { return false }
        guard let hop = Family.hop(to: toClient.destination, in: core.ports) else {
            core.ports.counters.drop(.noRoute)
            return true
        }
        guard core.ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return true }
        core.services[service].packetsToClients &+= 1
        let action = IPFlowAction(rewrite: IPPacketRewrite(from: packet.fiveTuple, to: toClient), hop: hop)
        action.apply(to: frame, packet.layout)
        send(frame, &core, by: action, at: now, into: &output)
        return true
    }

    /// The service that a member's datagram answers for, and the five-tuple with which the client knows it.
    func returnOfDatagram(_ tuple: FlowKey<Family>, _ core: borrowing BalancerCore, at now: Instant) -> (
        service: Int, toClient: FlowKey<Family>
    )? {
        var toClient = tuple
        if let match = mappings.find(Self.wildcard(to: tuple.destination, tuple.destinationPort)) {
            let mapping = mappings[match.index]
            let service = Int(mapping.service)
            guard core.services[service].hasMember(tuple.source, tuple.sourcePort),
                let address = Family.Address(core.services[service].address)
            else { return nil }
            toClient.source = address
            toClient.sourcePort = core.services[service].port
            toClient.destination = mapping.client
            toClient.destinationPort = mapping.clientPort
            return (service, toClient)
        }
        guard let service = core.answerers.lookup(tuple.source, tuple.sourcePort, .udp),
            !core.ports.owned.contains(tuple.destination),
            let address = Family.Address(core.services[Int(service)].address)
        else { return nil }
        toClient.source = address
        toClient.sourcePort = core.services[Int(service)].port
        return (Int(service), toClient)
    }

    /// The source port of a client endpoint towards the members behind a port of the box, kept while it is used.
    /// - Returns: nil where there is none to give; counted
    private mutating func mapping(
        _ core: inout BalancerCore, of client: FlowKey<Family>, _ service: Int, leavingBy port: PortIndex,
        as own: Family.Address,
        at now: Instant
    ) -> UInt16? {
        let expires = Instant(nanoseconds: now.nanoseconds &+ core.services[service].idleTimeout)
        // One mapping for each client endpoint, own address and service, whose number stands for the port.
        var key = client
        key.destination = own
        key.destinationPort = UInt16(service)
        if let match = mappings.find(key) {
            mappings.keep(match.index, until: expires, now: now)
            return mappings[match.index].translationPort
        }
        guard let number = takePort(of: port, isUDP: true) else {
            core.ports.counters.drop(.translationPortsExhausted)
            return nil
        }
        let insertion = mappings.insert(
            original: key, reply: Self.wildcard(to: own, number),
            value: DatagramMapping(
                client: client.source, clientPort: client.sourcePort, service: UInt16(service),
                translationPort: number, translationOwner: port),
            expires: expires, now: now)
        guard case .inserted = insertion else {
            releasePort(number, of: port, true)
            core.ports.counters.drop(insertion == .full ? .flowTableFull : .flowConflict)
            return nil
        }
        core.ports.counters.count(.flowsCreated)
        return number
    }

    /// Whatever member the answer comes from: source 0.0.0.0 or ::, port 0, which no packet has.
    private static func wildcard(to own: Family.Address, _ port: UInt16) -> FlowKey<Family> {
        FlowKey(source: .any, destination: own, sourcePort: 0, destinationPort: port, protocol: .udp)
    }
}
