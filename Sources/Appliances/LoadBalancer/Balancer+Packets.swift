import Configuration
import Dataplane
import LabTime
import Mutants
import Wire

extension Balancer {
    /// A packet from a link, which is not answered by the ports themselves.
    mutating func receive(
        _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        if packet.layout.isFragment { return receiveFragment(frame, packet, &core, into: &output) }
        switch tuple.protocol {
        case .tcp, .udp:
            if let match = flows.find(tuple) {
                carry(match, frame, packet, &core, at: now, into: &output)
            } else if let service = core.listeners.lookup(tuple.destination, tuple.destinationPort, tuple.protocol) {
                accept(Int(service), frame, packet, &core, at: now, into: &output)
            } else {
                receiveWithoutService(frame, packet, &core, at: now, into: &output)
            }
        case Family.controlProtocol: receiveICMP(frame, packet, &core, at: now, into: &output)
        default: receiveForBox(frame, packet, &core, orDrop: .notARouter, into: &output)
        }
    }

    /// Carries a packet of a session.
    mutating func carry(
        _ match: FlowMatch, _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) {
        let service = Int(flows[match.index].service)
        if flows[match.index].kind == .monitor {
            return carryMonitor(match, frame, packet, &core, at: now, into: &output)
        }
        if core.services[service].directReturn != nil {
            return carryDirectly(match, frame, packet, &core, at: now, into: &output)
        }
        if match.direction == .original, packet.tcpFlags.isInitialSYN, flows[match.index].progress.isOver {
            // The client uses its port again before the old connection was forgotten.
            core.ports.counters.count(.flowsClosed)
            end(match.index, &core)
            return accept(service, frame, packet, &core, at: now, into: &output)
        }
        let action = flows[match.index].action(match.direction)
        guard core.ports.canLeave(frame, packet, by: action.hop.port, at: now, into: &output) else { return }
        var lifetime = core.services[service].idleTimeout
        if packet.ipProtocol == .tcp {
            let wasOver = flows[match.index].progress.note(packet.tcpFlags, match.direction)
            let progress = flows[match.index].progress
            if progress.isOver {
                lifetime = wasOver ? 0 : BalancerCore.linger
            } else if !progress.isAnswered {
                lifetime = min(lifetime, BalancerCore.opening)
            }
        }
        if lifetime > 0 {
            flows.keep(match.index, until: Instant(nanoseconds: now.nanoseconds &+ lifetime), now: now)
        }
        if match.direction == .original {
            core.services[service].packetsToMembers &+= 1
        } else {
            core.services[service].packetsToClients &+= 1
        }
        action.apply(to: frame, packet.layout)
        send(frame, &core, by: action, at: now, into: &output)
    }

    /// Sends a rewritten frame to the MAC address that its flow keeps, or to the one that the neighbour has now.
    mutating func send(
        _ frame: Frame, _ core: inout BalancerCore, by action: IPFlowAction<Family>, at now: Instant,
        into output: inout FrameQueue
    ) {
        if action.keptMAC.isZero || Mutant.isOn(.fastPathRefreshes) {
            core.ports.forward(frame, to: action.hop, at: now, into: &output)
        } else {
            core.ports.transmit(frame, to: action.keptMAC, by: action.hop.port, into: &output)
        }
    }

    /// A packet to a virtual service that belongs to no session.
    mutating func accept(
        _ service: Int, _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) {
        if core.services[service].directReturn != nil {
            return acceptDirectly(service, frame, packet, &core, at: now, into: &output)
        }
        switch core.services[service].profile {
        case .tcpProxy, .http: core.ports.deliverToHost(frame, into: &output)
        case .udpPerPacket: balance(service, frame, packet, &core, at: now, into: &output)
        case .udpFastPath: open(service, frame, packet, &core, at: now, into: &output)
        case .tcpFastPath:
            guard packet.tcpFlags.isInitialSYN else { return core.ports.counters.drop(.notSYN) }
            open(service, frame, packet, &core, at: now, into: &output)
        }
    }

    /// TCP or UDP that is neither of a session nor to a virtual service.
    private mutating func receiveWithoutService(
        _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) {
        if packet.ipProtocol == .udp, answer(frame, packet, &core, at: now, into: &output) { return }
        if core.ports.owned.contains(packet.fiveTuple.destination) {
            return core.ports.deliverToHost(frame, into: &output)
        }
        // From a pool member it is an answer whose session is over, which tells a person more than "not a router".
        let isAnswer = core.configuration.services.contains {
            $0.profile.transport == packet.ipProtocol
                && $0.members.contains { $0.address == packet.source.erased && $0.port == packet.fiveTuple.sourcePort }
        }
        core.ports.counters.drop(isAnswer ? .noFlow : .notARouter)
    }

    /// What no service claims is the host side's where it is for the box, and nobody's otherwise.
    mutating func receiveForBox(
        _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, orDrop reason: DropReason,
        into output: inout FrameQueue
    ) {
        if core.ports.owned.contains(packet.fiveTuple.destination) {
            core.ports.deliverToHost(frame, into: &output)
        } else {
            core.ports.counters.drop(reason)
        }
    }

    private mutating func receiveFragment(
        _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        // The box's kernel reassembles what is its own; a first fragment with the ports of a session is not.
        let isSession = packet.layout.hasTransportHeader && flows.find(tuple) != nil
        let isService = core.configuration.services.contains {
            $0.address == tuple.destination.erased && !$0.profile.endsAtHostSide
        }
        guard !isSession, !isService, core.ports.owned.contains(tuple.destination) else {
            return core.ports.counters.drop(.fragment)
        }
        core.ports.deliverToHost(frame, into: &output)
    }
}
