import Dataplane
import LabEvents
import LabTime
import Wire

/// The main path: `forward` decides about a packet by its session, `send` lets it go as its session has it, `leave` finds
/// the way out.
extension Firewall {
    /// Filters, translates and routes a packet for somebody else.
    mutating func forward(
        _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) {
        if packet.layout.isFragment { return forwardFragment(frame, packet, at: now, into: &output) }
        switch evaluate(packet.layout, in: frame, at: now) {
        case .pass(let index):
            if pair?.holds(frame, of: index, at: now) != true {
                send(frame, packet, of: index, at: now, into: &output)
            }
        case .drop(let reason): refuse(frame, packet, reason, at: now, into: &output)
        }
    }

    /// Decides by its session about a packet that is to be forwarded.
    @inline(__always)
    mutating func evaluate(_ layout: FrameLayout, in frame: Frame, at now: Instant) -> FilterVerdict {
        filter.evaluate(layout, in: UnsafeRawPointer(frame.base), from: frame.port, at: now, reporting: &pair)
    }

    /// A packet for an address that is the box's own and a pool's: the host side gets what no mapping is for.
    mutating func receiveForPool(
        _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) {
        guard translation.addresses.sharedWithHost.contains(packet.destination) else {
            return forward(frame, packet, at: now, into: &output)
        }
        // The host's own fragments and a mapping's cannot be told apart before the first one.
        if packet.layout.isFragment { return forwardFragment(frame, packet, isOwn: true, at: now, into: &output) }
        switch evaluate(packet.layout, in: frame, at: now) {
        case .pass(let index): send(frame, packet, of: index, at: now, into: &output)
        case .drop(.noMapping), .drop(.noSession): ports.deliverToHost(frame, into: &output)
        case .drop(let reason): refuse(frame, packet, reason, at: now, into: &output)
        }
    }

    /// Sends a packet of a session, as it came in.
    mutating func send(
        _ frame: Frame, _ packet: PacketView, of index: FlowIndex, at now: Instant, into output: inout FrameQueue
    ) {
        guard filter.table[index].isTranslated else { return leave(frame, packet, as: nil, at: now, into: &output) }
        if packet.icmp?.type.isError == true {
            guard let translation = filter.translation(ofError: packet, about: index) else {
                return ports.counters.drop(.malformedTransport)
            }
            ports.counters.count(.icmpTranslated)
            return leave(frame, packet, as: translation, at: now, into: &output)
        }
        let outgoing = filter.outgoing(of: index, arrivedAs: packet.fiveTuple)
        if packet.tcpFlags.isInitialSYN { translation.unsolicited.forget(outgoing.reversed) }
        leave(frame, packet, as: PacketTranslation(outgoing), at: now, into: &output)
    }

    /// Every packet that was let through takes its way from here: by a port, or by the peer's where that port has no
    /// carrier.
    mutating func leave(
        _ frame: Frame, _ packet: PacketView, as translation: PacketTranslation<IPv4>?, at now: Instant,
        into output: inout FrameQueue
    ) {
        if returnsThroughPeer(frame, packet, as: translation, at: now, into: &output) { return }
        ports.route(frame, packet, as: translation, at: now, into: &output)
    }

    /// Counts a packet that opens no session, and sends an error to its sender where it should know.
    mutating func refuse(
        _ frame: Frame, _ packet: PacketView, _ reason: DropReason, at now: Instant, into output: inout FrameQueue
    ) {
        ports.counters.drop(reason)
        switch reason {
        case .translationPortsExhausted, .flowTableFull:
            guard filter.nat.isActive else { return }
            // Source: RFC 5508, REQ-8
            ports.sendError(.prohibited, about: frame, packet, at: now, into: &output)
            if reason == .translationPortsExhausted { reportExhausted(packet.fiveTuple, at: now) }
        case .noMapping, .mappingFilter:
            if packet.tcpFlags.isInitialSYN, packet.layout.fragment == .whole {
                translation.unsolicited.keep(frame, packet.fiveTuple, at: now)
            }
        default: return
        }
    }

    private mutating func reportExhausted(_ flow: FiveTuple, at now: Instant) {
        guard let pool = filter.nat.poolName(for: flow) else { return }
        guard log.mayReport(.exhausted(pool: pool), at: now) else { return }
        log.report(
            .natPoolExhausted, at: now,
            [.pool: pool, .flow: "\(flow)", .refused: String(filter.nat.tally.exhausted)])
    }
}
