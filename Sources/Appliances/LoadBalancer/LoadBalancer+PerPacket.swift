import Configuration
import Dataplane
import LabTime
import Wire

extension LoadBalancer {
    /// Balances one datagram of a per-packet service: member, route and neighbour are all looked up now.
    mutating func balance<Tuple: BalancedTuple>(
        _ service: Int, _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant, into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        guard let place = services[service].choose(for: tuple) else { return ports.counters.drop(.noMemberUp) }
        let member = services[service].members[place]
        guard let address = Tuple.Address(member.address), let hop = Tuple.hop(to: address, in: ports) else {
            return ports.counters.drop(.noRoute)
        }
        guard ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return }
        var toMember = tuple
        toMember.destination = address
        toMember.destinationPort = member.port
        if services[service].sourceTranslation == .autoMap {
            guard let own = Tuple.own(on: ports[hop.port]),
                let number = mapping(of: tuple, service, leavingBy: hop.port, as: own, at: now)
            else { return }
            toMember.source = own
            toMember.sourcePort = number
        }
        services[service].packetsToMembers &+= 1
        let action = IPFlowAction(rewrite: IPPacketRewrite(from: tuple, to: toMember), hop: hop)
        action.apply(to: frame, packet.layout)
        send(frame, by: action, at: now, into: &output)
    }

    /// Carries a member's datagram back to its client, with a fresh look at route and neighbour.
    /// - Returns: false where the datagram is no answer of a per-packet service
    mutating func answer<Tuple: BalancedTuple>(
        _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant, into output: inout FrameQueue
    ) -> Bool {
        guard let (service, toClient) = returnOfDatagram(packet.fiveTuple, at: now) else { return false }
        guard let hop = Tuple.hop(to: toClient.destination, in: ports) else {
            ports.counters.drop(.noRoute)
            return true
        }
        guard ports.canLeave(frame, packet, by: hop.port, at: now, into: &output) else { return true }
        services[service].packetsToClients &+= 1
        let action = IPFlowAction(rewrite: IPPacketRewrite(from: packet.fiveTuple, to: toClient), hop: hop)
        action.apply(to: frame, packet.layout)
        send(frame, by: action, at: now, into: &output)
        return true
    }

    /// The service that a member's datagram answers for, and the five-tuple with which the client knows it.
    func returnOfDatagram<Tuple: BalancedTuple>(_ tuple: FlowKey<Tuple>, at now: Instant) -> (
        service: Int, toClient: FlowKey<Tuple>
    )? {
        var toClient = tuple
        let mappings = Tuple.mappings(of: self)
        if let match = mappings.pointee.find(Self.wildcard(to: tuple.destination, tuple.destinationPort)) {
            let mapping = mappings.pointee[match.index]
            let service = Int(mapping.service)
            guard services[service].hasMember(tuple.source, tuple.sourcePort),
                let address = Tuple.Address(services[service].address)
            else { return nil }
            toClient.source = address
            toClient.sourcePort = services[service].port
            toClient.destination = mapping.client
            toClient.destinationPort = mapping.clientPort
            return (service, toClient)
        }
        guard let service = answerers.lookup(tuple.source, tuple.sourcePort, .udp),
            !ports.owned.contains(tuple.destination), let address = Tuple.Address(services[Int(service)].address)
        else { return nil }
        toClient.source = address
        toClient.sourcePort = services[Int(service)].port
        return (Int(service), toClient)
    }

    /// The source port of a client endpoint towards the members behind a port of the box, kept while it is used.
    /// - Returns: nil where there is none to give; counted
    private mutating func mapping<Tuple: BalancedTuple>(
        of client: FlowKey<Tuple>, _ service: Int, leavingBy port: PortIndex, as own: Tuple.Address, at now: Instant
    ) -> UInt16? {
        let mappings = Tuple.mappings(of: self)
        let expires = Instant(nanoseconds: now.nanoseconds &+ services[service].idleTimeout)
        // One mapping for each client endpoint, own address and service, whose number stands for the port.
        var key = client
        key.destination = own
        key.destinationPort = UInt16(service)
        if let match = mappings.pointee.find(key) {
            mappings.pointee.keep(match.index, until: expires, now: now)
            return mappings.pointee[match.index].translationPort
        }
        guard let number = takePort(Tuple.self, of: port, isUDP: true) else {
            ports.counters.drop(.translationPortsExhausted)
            return nil
        }
        let insertion = mappings.pointee.insert(
            original: key, reply: Self.wildcard(to: own, number),
            value: DatagramMapping(
                client: client.source, clientPort: client.sourcePort, service: UInt16(service),
                translationPort: number, translationOwner: port),
            expires: expires, now: now)
        guard case .inserted = insertion else {
            releasePort(Tuple.self, number, of: port, true)
            ports.counters.drop(insertion == .full ? .flowTableFull : .flowConflict)
            return nil
        }
        ports.counters.count(.flowsCreated)
        return number
    }

    /// Whatever member the answer comes from: source 0.0.0.0 or ::, port 0, which no packet has.
    private static func wildcard<Tuple: AddressFamily>(to own: Tuple.Address, _ port: UInt16) -> FlowKey<Tuple> {
        FlowKey(source: .any, destination: own, sourcePort: 0, destinationPort: port, protocol: .udp)
    }
}
