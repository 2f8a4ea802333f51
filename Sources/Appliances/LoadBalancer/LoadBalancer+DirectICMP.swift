import Configuration
import Dataplane
import LabTime
import Wire

/// ICMP errors and direct server return.
///
/// | about | comes to | goes to |
/// |---|---|---|
/// | a member's answer to a client | the service's address | that member, as it is, by the way of the client's packets |
/// | a tunnel packet | the balancer's own address | the client, about the packet that it sent |
///
/// Source: RFC 2003, 4 and 5; RFC 1191; of IPv6 RFC 2473, 8; RFC 8201
extension LoadBalancer {
    /// How long a path MTU that was learned is believed. Source: RFC 1191, 6.3
    static var pathMTULifetime: Int64 { 600_000_000_000 }

    /// - Parameter answering: the flow that would answer the quoted packet: the client's
    /// - Returns: false where no service with direct server return has that flow
    mutating func receiveErrorForMember<Tuple: BalancedTuple>(
        _ frame: Frame, _ packet: IPPacketView<Tuple>, answering: FlowKey<Tuple>, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        let flows = Tuple.flows(of: self)
        let service: Int
        let place: Int
        if let match = flows.pointee.find(answering), flows.pointee[match.index].kind == .client {
            service = Int(flows.pointee[match.index].service)
            guard services[service].directReturn != nil else { return false }
            place = Int(flows.pointee[match.index].member)
        } else if let index = listeners.lookup(
            answering.destination, answering.destinationPort, answering.protocol)
        {
            service = Int(index)
            guard services[service].directReturn != nil else { return false }
            guard let hashed = services[service].hashed(answering) else {
                ports.counters.drop(.icmpWithoutFlow)
                return true
            }
            place = hashed
        } else {
            return false
        }
        guard let address = Tuple.Address(services[service].members[place].address),
            let hop = Tuple.hop(to: address, in: ports)
        else {
            ports.counters.drop(.noRoute)
            return true
        }
        if packet.hasOptions {
            ports.counters.drop(.ipOptions)
            return true
        }
        ports.counters.count(.icmpTranslated)
        sendDirectly(service, place, frame, packet, to: hop, at: now, into: &output)
        return true
    }

    /// An error about a tunnel packet of this box.
    /// - Returns: false where it is about nothing that this box has wrapped
    mutating func receiveErrorAboutTunnel<Tuple: BalancedTuple>(
        _ packet: IPPacketView<Tuple>, _ outer: IPQuotedPacket<Tuple>, at now: Instant, into output: inout FrameQueue
    ) -> Bool {
        let transport = outer.fiveTuple.protocol
        guard Encapsulation.allCases.contains(where: { $0.protocol == transport }),
            ports.owned.containsAlone(outer.fiveTuple.source), packet.destination == outer.fiveTuple.source
        else { return false }
        // The checksum is made anew below, which must not heal a broken packet.
        guard packet.isTransportChecksumValid else {
            ports.counters.drop(.malformedTransport)
            return true
        }
        let reported = Tuple.reportedMTU(in: packet)
        // Every service that has this member learns, whether the quote reaches the inner ports or not.
        var tunnel: Encapsulation?
        for service in configuration.services.indices {
            guard let encapsulation = services[service].directReturn?.mode.encapsulation,
                encapsulation.protocol == transport
            else { continue }
            for place in services[service].members.indices
            where services[service].members[place].address == outer.fiveTuple.destination.erased {
                tunnel = encapsulation
                if let reported { learn(reported, encapsulation, service, place, at: now) }
            }
        }
        guard let tunnel else { return false }

        let start = outer.transportOffset + tunnel.overhead - Tuple.headerLength
        guard packet.payload.count > start,
            let inner = Tuple.quoted(UnsafeRawBufferPointer(rebasing: packet.payload[start...])), inner.hasPorts,
            let service = listeners.lookup(
                inner.fiveTuple.destination, inner.fiveTuple.destinationPort, inner.fiveTuple.protocol),
            let direct = services[Int(service)].directReturn
        else {
            // A router that quotes no more than 8 bytes: what was learned is told with the client's next packet.
            ports.counters.drop(.icmpWithoutFlow)
            return true
        }
        guard direct.reportsPathMTU || reported == nil else {
            ports.counters.drop(.policy)
            return true
        }
        // What a router says about a tunnel packet means nothing to the client: to it, the host is unreachable.
        let problem: DeliveryProblem =
            reported.map { .packetTooBig(mtu: max($0, tunnel.leastPathMTU) - tunnel.overhead) } ?? .hostUnreachable
        ports.counters.count(.icmpTranslated)
        ports.sendError(
            problem, quoting: UnsafeRawBufferPointer(rebasing: packet.payload[start...]), of: Tuple.self,
            to: inner.fiveTuple.source, at: now, into: &output)
        return true
    }

    private mutating func learn(
        _ mtu: Int, _ tunnel: Encapsulation, _ service: Int, _ place: Int, at now: Instant
    ) {
        // Routers older than RFC 1191 leave it zero; then nothing was learned.
        guard mtu > 0 else { return }
        services[service].members[place].pathMTU = Int32(clamping: max(mtu, tunnel.leastPathMTU))
        services[service].members[place].pathMTUExpires = Instant(nanoseconds: now.nanoseconds &+ Self.pathMTULifetime)
    }
}
