import Configuration
public import Dataplane
public import LabTime
import Mutants
import Wire

extension LoadBalancer {
    public mutating func process(
        _ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue
    ) {
        for frame in frames {
            if frame.side == .host, monitored.count > 0, probe(frame, at: now, into: &output) { continue }
            switch ports.receive(frame, at: now, into: &output) {
            case .done: continue
            case .ipv4(let packet): receive(frame, packet, at: now, into: &output)
            case .ipv6(let packet): receive(frame, packet, at: now, into: &output)
            case .group, .ipv6Group: ports.counters.drop(.multicast)
            case .other: ports.counters.drop(.unsupportedEtherType)
            }
        }
    }

    private mutating func receive<Tuple: BalancedTuple>(
        _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant, into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        if packet.layout.isFragment { return receiveFragment(frame, packet, into: &output) }
        switch tuple.protocol {
        case .tcp, .udp:
            if let match = Tuple.flows(of: self).pointee.find(tuple) {
                carry(match, frame, packet, at: now, into: &output)
            } else if let service = listeners.lookup(tuple.destination, tuple.destinationPort, tuple.protocol) {
                accept(Int(service), frame, packet, at: now, into: &output)
            } else {
                receiveWithoutService(frame, packet, at: now, into: &output)
            }
        case Tuple.controlProtocol: receiveICMP(frame, packet, at: now, into: &output)
        default: receiveForBox(frame, packet, orDrop: .notARouter, into: &output)
        }
    }

    /// Carries a packet of a session.
    mutating func carry<Tuple: BalancedTuple>(
        _ match: FlowMatch, _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant,
        into output: inout FrameQueue
    ) {
        let flows = Tuple.flows(of: self)
        let service = services + Int(flows.pointee[match.index].service)
        if flows.pointee[match.index].kind == .monitor {
            return carryMonitor(match, frame, packet, at: now, into: &output)
        }
        if service.pointee.directReturn != nil { return carryDirectly(match, frame, packet, at: now, into: &output) }
        if match.direction == .original, packet.tcpFlags.isInitialSYN, flows.pointee[match.index].progress.isOver {
            // The client uses its port again before the old connection was forgotten.
            let index = Int(flows.pointee[match.index].service)
            ports.counters.count(.flowsClosed)
            end(Tuple.self, match.index)
            return accept(index, frame, packet, at: now, into: &output)
        }
        let action = flows.pointee[match.index].action(match.direction)
        guard ports.canLeave(frame, packet, by: action.hop.port, at: now, into: &output) else { return }
        var lifetime = service.pointee.idleTimeout
        if packet.ipProtocol == .tcp {
            let wasOver = flows.pointee[match.index].progress.note(packet.tcpFlags, match.direction)
            let progress = flows.pointee[match.index].progress
            if progress.isOver {
                lifetime = wasOver ? 0 : Self.linger
            } else if !progress.isAnswered {
                lifetime = min(lifetime, Self.opening)
            }
        }
        if lifetime > 0 {
            flows.pointee.keep(match.index, until: Instant(nanoseconds: now.nanoseconds &+ lifetime), now: now)
        }
        if match.direction == .original {
            service.pointee.packetsToMembers &+= 1
        } else {
            service.pointee.packetsToClients &+= 1
        }
        action.apply(to: frame, packet.layout)
        send(frame, by: action, at: now, into: &output)
    }

    /// Sends a rewritten frame to the MAC address that its flow keeps, or to the one that the neighbour has now.
    mutating func send<Tuple: BalancedTuple>(
        _ frame: Frame, by action: IPFlowAction<Tuple>, at now: Instant, into output: inout FrameQueue
    ) {
        if action.keptMAC.isZero || Mutant.isOn(.fastPathRefreshes) {
            ports.forward(frame, to: action.hop, at: now, into: &output)
        } else {
            ports.transmit(frame, to: action.keptMAC, by: action.hop.port, into: &output)
        }
    }

    /// A packet to a virtual service that belongs to no session.
    mutating func accept<Tuple: BalancedTuple>(
        _ service: Int, _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant, into output: inout FrameQueue
    ) {
        if services[service].directReturn != nil {
            return acceptDirectly(service, frame, packet, at: now, into: &output)
        }
        switch services[service].profile {
        case .tcpProxy, .http: ports.deliverToHost(frame, into: &output)
        case .udpPerPacket: balance(service, frame, packet, at: now, into: &output)
        case .udpFastPath: open(service, frame, packet, at: now, into: &output)
        case .tcpFastPath:
            guard packet.tcpFlags.isInitialSYN else { return ports.counters.drop(.notSYN) }
            open(service, frame, packet, at: now, into: &output)
        }
    }

    /// TCP or UDP that is neither of a session nor to a virtual service.
    private mutating func receiveWithoutService<Tuple: BalancedTuple>(
        _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant, into output: inout FrameQueue
    ) {
        if packet.ipProtocol == .udp, answer(frame, packet, at: now, into: &output) { return }
        if ports.owned.contains(packet.fiveTuple.destination) { return ports.deliverToHost(frame, into: &output) }
        // From a pool member it is an answer whose session is over, which tells a person more than "not a router".
        let isAnswer = configuration.services.contains {
            $0.profile.transport == packet.ipProtocol
                && $0.members.contains { $0.address == packet.source.erased && $0.port == packet.fiveTuple.sourcePort }
        }
        ports.counters.drop(isAnswer ? .noFlow : .notARouter)
    }

    /// What no service claims is the host side's where it is for the box, and nobody's otherwise.
    mutating func receiveForBox<Tuple: BalancedTuple>(
        _ frame: Frame, _ packet: IPPacketView<Tuple>, orDrop reason: DropReason, into output: inout FrameQueue
    ) {
        if ports.owned.contains(packet.fiveTuple.destination) {
            ports.deliverToHost(frame, into: &output)
        } else {
            ports.counters.drop(reason)
        }
    }

    private mutating func receiveFragment<Tuple: BalancedTuple>(
        _ frame: Frame, _ packet: IPPacketView<Tuple>, into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        // The box's kernel reassembles what is its own; a first fragment with the ports of a session is not.
        let isSession = packet.layout.hasTransportHeader && Tuple.flows(of: self).pointee.find(tuple) != nil
        let isService = configuration.services.contains {
            $0.address == tuple.destination.erased && !$0.profile.endsAtHostSide
        }
        guard !isSession, !isService, ports.owned.contains(tuple.destination) else {
            return ports.counters.drop(.fragment)
        }
        ports.deliverToHost(frame, into: &output)
    }
}
