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
extension Balancer {
    /// - Parameter answering: the flow that would answer the quoted packet: the client's
    /// - Returns: false where no service with direct server return has that flow
    mutating func receiveErrorForMember(
        _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, answering: FlowKey<Family>,
        at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        let service: Int
        let place: Int
        if let match = flows.find(answering), flows[match.index].kind == .client {
            service = Int(flows[match.index].service)
            guard core.services[service].directReturn != nil else { return false }
            place = Int(flows[match.index].member)
        } else if let index = core.listeners.lookup(
            answering.destination, answering.destinationPort, answering.protocol)
        {
            service = Int(index)
            guard core.services[service].directReturn != nil else { return false }
            guard let hashed = core.services[service].hashed(answering) else {
                core.ports.counters.drop(.icmpWithoutFlow)
                return true
            }
            place = hashed
        } else {
            return false
        }
        guard let address = Family.Address(core.services[service].members[place].address),
            let hop = Family.hop(to: address, in: core.ports)
        else {
            core.ports.counters.drop(.noRoute)
            return true
        }
        if packet.hasOptions {
            core.ports.counters.drop(.ipOptions)
            return true
        }
        core.ports.counters.count(.icmpTranslated)
        sendDirectly(service, place, frame, packet, &core, to: hop, at: now, into: &output)
        return true
    }

    /// An error about a tunnel packet of this box.
    /// - Returns: false where it is about nothing that this box has wrapped
    mutating func receiveErrorAboutTunnel(
        _ packet: IPPacketView<Family>, _ outer: IPQuotedPacket<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        let transport = outer.fiveTuple.protocol
        guard Encapsulation.allCases.contains(where: { $0.protocol == transport }),
            core.ports.owned.containsAlone(outer.fiveTuple.source), packet.destination == outer.fiveTuple.source
        else { return false }
        // The checksum is made anew below, which must not heal a broken packet.
        guard packet.isTransportChecksumValid else {
            core.ports.counters.drop(.malformedTransport)
            return true
        }
        let reported = Family.reportedMTU(in: packet)
        // Every service that has this member learns, whether the quote reaches the inner ports or not.
        var tunnel: Encapsulation?
        for service in core.configuration.services.indices {
            guard let encapsulation = core.services[service].directReturn?.mode.encapsulation,
                encapsulation.protocol == transport
            else { continue }
            for place in core.services[service].members.indices
            where core.services[service].members[place].address == outer.fiveTuple.destination.erased {
                tunnel = encapsulation
                if let reported { core.learn(reported, encapsulation, service, place, at: now) }
            }
        }
        guard let tunnel else { return false }

        let start = outer.transportOffset + tunnel.overhead - Family.headerLength
        guard packet.payload.count > start,
            let inner = Family.quoted(UnsafeRawBufferPointer(rebasing: packet.payload[start...])), inner.hasPorts,
            let service = core.listeners.lookup(
                inner.fiveTuple.destination, inner.fiveTuple.destinationPort, inner.fiveTuple.protocol),
            let direct = core.services[Int(service)].directReturn
        else {
            // A router that quotes no more than 8 bytes: what was learned is sent to the client with its next packet.
            core.ports.counters.drop(.icmpWithoutFlow)
            return true
        }
        guard direct.reportsPathMTU || reported == nil else {
            core.ports.counters.drop(.policy)
            return true
        }
        // What a router reports about a tunnel packet means nothing to the client: to it, the host is unreachable.
        let problem: DeliveryProblem =
            reported.map { .packetTooBig(mtu: max($0, tunnel.leastPathMTU) - tunnel.overhead) } ?? .hostUnreachable
        core.ports.counters.count(.icmpTranslated)
        core.ports.sendError(
            problem, quoting: UnsafeRawBufferPointer(rebasing: packet.payload[start...]), of: Family.self,
            to: inner.fiveTuple.source, at: now, into: &output)
        return true
    }
}

extension BalancerCore {
    /// How long a path MTU that was learned is believed. Source: RFC 1191, 6.3
    private static var pathMTULifetime: Int64 { 600_000_000_000 }

    fileprivate mutating func learn(
        _ mtu: Int, _ tunnel: Encapsulation, _ service: Int, _ place: Int, at now: Instant
    ) {
        // Routers older than RFC 1191 leave it zero; then nothing was learned.
        guard mtu > 0 else { return }
        services[service].members[place].pathMTU = Int32(clamping: max(mtu, tunnel.leastPathMTU))
        services[service].members[place].pathMTUExpires = Instant(nanoseconds: now.nanoseconds &+ Self.pathMTULifetime)
    }
}
