import Dataplane
import LabTime
import Wire

/// A datagram in fragments goes as its first fragment decides; later ones that come before it are held.
extension Firewall {
    /// - Parameter isOwn: the destination is a port's own address
    mutating func forwardFragment(
        _ frame: Frame, _ packet: PacketView, isOwn: Bool = false, at now: Instant, into output: inout FrameQueue
    ) {
        switch translation.fragments.receive(packet, in: frame, at: now) {
        case .held: return
        case .drop(let reason): ports.counters.drop(reason)
        case .decided(let decision): carryOut(decision, frame, packet, isOwn, at: now, into: &output)
        case .first:
            let decision = decide(frame, packet, isOwn, at: now, into: &output)
            translation.fragments.decide(packet, decision, at: now)
            // Held ones first need the packet's own addresses, which sending it rewrites.
            carryOutHeld(decision, frame.port, packet, isOwn, at: now, into: &output)
            carryOut(decision, frame, packet, isOwn, at: now, into: &output)
        }
    }

    /// Decides about a datagram by its first fragment.
    private mutating func decide(
        _ frame: Frame, _ packet: PacketView, _ isOwn: Bool, at now: Instant, into output: inout FrameQueue
    ) -> FragmentTable<IPv4>.Decision {
        var layout = packet.layout
        layout.fragment = .whole
        switch evaluate(layout, in: frame, at: now) {
        case .pass(let index):
            let flow = packet.fiveTuple
            // An error that was cut into fragments quotes more than anybody needs; it is never sent so.
            if packet.icmp?.type.isError == true { return .drop(.fragment) }
            let outgoing = filter.outgoing(of: index, arrivedAs: flow)
            let keeps = outgoing.source == flow.source
            if keeps { return .pass(as: outgoing, identification: packet.identification) }
            // The first fragment may come twice.
            if case .pass(outgoing, let identification)? = translation.fragments.decision(about: packet) {
                return .pass(as: outgoing, identification: identification)
            }
            return .pass(as: outgoing, identification: ports.newIdentification())
        case .drop(let reason):
            let isHosts = isOwn && (reason == .noMapping || reason == .noSession)
            if !isHosts { refuse(frame, packet, reason, at: now, into: &output) }
            return .drop(reason)
        }
    }

    private mutating func carryOutHeld(
        _ decision: FragmentTable<IPv4>.Decision, _ port: PortIndex, _ first: PacketView, _ isOwn: Bool,
        at now: Instant,
        into output: inout FrameQueue
    ) {
        while let bytes = translation.fragments.nextReleased(of: first) {
            guard let base = bytes.baseAddress, let packet = PacketView(bytes) else { continue }
            let frame = Frame(base: base, length: Int32(truncatingIfNeeded: bytes.count), port: port, side: .wire)
            switch decision {
            case .pass(let flow, let identification):
                ports.routeCopy(
                    frame, packet, as: PacketTranslation(flow, identification: identification), at: now, into: &output)
            case .drop(let reason):
                if isOwn, reason == .noMapping || reason == .noSession {
                    ports.deliverCopyToHost(frame, into: &output)
                } else {
                    ports.counters.drop(reason)
                }
            }
        }
    }

    private mutating func carryOut(
        _ decision: FragmentTable<IPv4>.Decision, _ frame: Frame, _ packet: PacketView, _ isOwn: Bool, at now: Instant,
        into output: inout FrameQueue
    ) {
        switch decision {
        case .pass(let flow, let identification):
            leave(frame, packet, as: PacketTranslation(flow, identification: identification), at: now, into: &output)
        case .drop(let reason):
            if isOwn, reason == .noMapping || reason == .noSession {
                ports.deliverToHost(frame, into: &output)
            } else if packet.layout.fragment == .later {
                // The first one was counted when that was decided.
                ports.counters.drop(reason)
            }
        }
    }
}
