import Dataplane
import LabTime
import Wire

extension LoadBalancer {
    /// Balances one datagram of a per-packet service: member, route and neighbour are all looked up now.
    mutating func balance(
        _ service: Int, _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        guard let place = services[service].choose(for: tuple) else { return ports.counters.drop(.noMemberUp) }
        let member = services[service].members[place]
        guard let hop = ports.routes.lookup(member.address) else { return ports.counters.drop(.noRoute) }
        guard ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return }
        var toMember = tuple
        toMember.destination = member.address
        toMember.destinationPort = member.port
        if services[service].sourceTranslation == .autoMap {
            guard let own = ports[hop.port].address?.address,
                let number = mapping(of: tuple, service, leavingBy: hop.port, as: own, at: now)
            else { return }
            toMember.source = own
            toMember.sourcePort = number
        }
        services[service].packetsToMembers &+= 1
        let action = FlowAction(rewrite: PacketRewrite(from: tuple, to: toMember), hop: hop)
        action.apply(to: frame, packet.layout)
        send(frame, by: action, at: now, into: &output)
    }

    /// Carries a member's datagram back to its client, with a fresh look at route and neighbour.
    /// - Returns: false where the datagram is no answer of a per-packet service
    mutating func answer(
        _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) -> Bool {
        guard let (service, toClient) = returnOfDatagram(packet.fiveTuple, at: now) else { return false }
        guard let hop = ports.routes.lookup(toClient.destination) else {
            ports.counters.drop(.noRoute)
            return true
        }
        guard ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return true }
        services[service].packetsToClients &+= 1
        let action = FlowAction(rewrite: PacketRewrite(from: packet.fiveTuple, to: toClient), hop: hop)
        action.apply(to: frame, packet.layout)
        send(frame, by: action, at: now, into: &output)
        return true
    }

    /// The service that a member's datagram answers for, and the five-tuple with which the client knows it.
    func returnOfDatagram(_ tuple: FiveTuple, at now: Instant) -> (service: Int, toClient: FiveTuple)? {
        var toClient = tuple
        if let match = mappings.find(Self.wildcard(to: tuple.destination, tuple.destinationPort)) {
            let mapping = mappings[match.index]
            let service = Int(mapping.service)
            guard services[service].hasMember(tuple.source, tuple.sourcePort) else { return nil }
            toClient.source = services[service].address
            toClient.sourcePort = services[service].port
            toClient.destination = mapping.client
            toClient.destinationPort = mapping.clientPort
            return (service, toClient)
        }
        guard let service = answerers.lookup(tuple.source, tuple.sourcePort, .udp),
            !ports.owned.contains(tuple.destination)
        else { return nil }
        toClient.source = services[Int(service)].address
        toClient.sourcePort = services[Int(service)].port
        return (Int(service), toClient)
    }

    /// The source port of a client endpoint towards the members behind a port of the box, kept while it is used.
    /// - Returns: nil where there is none to give; counted
    private mutating func mapping(
        of client: FiveTuple, _ service: Int, leavingBy port: PortIndex, as own: IPv4Address, at now: Instant
    ) -> UInt16? {
        let expires = Instant(nanoseconds: now.nanoseconds &+ services[service].idleTimeout)
        // One mapping for each client endpoint, own address and service, whose number stands for the port.
        var key = client
        key.destination = own
        key.destinationPort = UInt16(service)
        if let match = mappings.find(key) {
            mappings.keep(match.index, until: expires, now: now)
            return mappings[match.index].translationPort
        }
        guard let number = takePort(of: port, isUDP: true) else {
            ports.counters.drop(.translationPortsExhausted)
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
            ports.counters.drop(insertion == .full ? .flowTableFull : .flowConflict)
            return nil
        }
        ports.counters.count(.flowsCreated)
        return number
    }

    /// Whatever member the answer comes from: source 0.0.0.0, port 0, which no packet has.
    private static func wildcard(to own: IPv4Address, _ port: UInt16) -> FiveTuple {
        FiveTuple(source: .any, destination: own, sourcePort: 0, destinationPort: port, protocol: .udp)
    }
}
