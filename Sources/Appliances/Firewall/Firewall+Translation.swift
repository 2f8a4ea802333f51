import Dataplane
import LabEvents
import LabTime
import Wire

extension Firewall {
    /// Filters, translates and routes a packet for somebody else.
    mutating func forward(
        _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) {
        if packet.layout.isFragment { return forwardFragment(frame, packet, at: now, into: &output) }
        switch evaluate(packet.layout, in: frame, at: now) {
        case .pass(let index):
            if !holds(frame, of: index, at: now) { send(frame, packet, of: index, at: now, into: &output) }
        case .drop(let reason): refuse(frame, packet, reason, at: now, into: &output)
        }
    }

    /// Decides by its session about a packet that is to be forwarded.
    @inline(__always)
    mutating func evaluate(_ layout: FrameLayout, in frame: Frame, at now: Instant) -> FilterVerdict {
        filter.evaluate(layout, in: UnsafeRawPointer(frame.base), from: frame.port, at: now, reporting: &journal)
    }

    /// A packet for an address that is the box's own and a pool's: the host side gets what no mapping is for.
    mutating func receiveForPool(
        _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) {
        guard translation.sharedWithHost.contains(packet.destination) else {
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
    private mutating func leave(
        _ frame: Frame, _ packet: PacketView, as translation: PacketTranslation<IPv4>?, at now: Instant,
        into output: inout FrameQueue
    ) {
        if returnsThroughPeer(frame, packet, as: translation, at: now, into: &output) { return }
        ports.route(frame, packet, as: translation, at: now, into: &output)
    }

    /// Counts a packet that opens no session, and tells its sender where it should know.
    private mutating func refuse(
        _ frame: Frame, _ packet: PacketView, _ reason: DropReason, at now: Instant, into output: inout FrameQueue
    ) {
        ports.counters.drop(reason)
        switch reason {
        case .translationPortsExhausted, .flowTableFull:
            guard filter.nat.isActive else { return }
            // Source: RFC 5508, REQ-8
            ports.sendError(.prohibited, about: frame, packet, at: now, into: &output)
            if reason == .translationPortsExhausted { tellExhausted(packet.fiveTuple, at: now) }
        case .noMapping, .mappingFilter:
            if packet.tcpFlags.isInitialSYN, packet.layout.fragment == .whole {
                translation.unsolicited.keep(frame, packet.fiveTuple, at: now)
            }
        default: return
        }
    }

    private mutating func tellExhausted(_ flow: FiveTuple, at now: Instant) {
        guard let pool = filter.nat.poolName(for: flow) else { return }
        if let last = translation.toldAt[pool], now - last < FirewallTranslation.eventInterval { return }
        translation.toldAt[pool] = now
        report(
            .natPoolExhausted, at: now,
            [.pool: pool, .flow: "\(flow)", .refused: String(filter.nat.tally.exhausted)])
    }

    // MARK: Fragments

    /// - Parameter isOwn: the destination is a port's own address
    private mutating func forwardFragment(
        _ frame: Frame, _ packet: PacketView, isOwn: Bool = false, at now: Instant, into output: inout FrameQueue
    ) {
        switch fragments.receive(packet, in: frame, at: now) {
        case .held: return
        case .drop(let reason): ports.counters.drop(reason)
        case .decided(let decision): carryOut(decision, frame, packet, isOwn, at: now, into: &output)
        case .first:
            let decision = decide(frame, packet, isOwn, at: now, into: &output)
            fragments.decide(packet, decision, at: now)
            // Held ones first need the packet's own addresses, which sending it rewrites.
            carryOutHeld(decision, frame.port, packet, isOwn, at: now, into: &output)
            carryOut(decision, frame, packet, isOwn, at: now, into: &output)
        }
    }

    /// Judges a datagram by its first fragment.
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
            if case .pass(outgoing, let identification)? = fragments.decision(about: packet) {
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
        while let bytes = fragments.nextReleased(of: first) {
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
                // The first one was counted when it was judged.
                ports.counters.drop(reason)
            }
        }
    }

    // MARK: Addresses of pools

    mutating func ownPoolAddresses() {
        for entry in translation.addresses { ports.own(entry.address, on: entry.port, answering: entry.mac) }
    }

    mutating func removePoolAddresses() {
        for entry in translation.addresses { ports.removeAddress(entry.address, on: entry.port) }
    }

    /// Pools came or went, or the last session of an address that is no pool's any more: what the box answers ARP for
    /// follows, and neighbours are told of what is new.
    mutating func settlePoolAddresses(at now: Instant, into output: inout FrameQueue) {
        guard let change = translation.update(from: filter.nat, ports, redundancy?.routers ?? []) else { return }
        for entry in change.gone {
            report(.natAddressReleased, at: now, [.address: "\(entry.address)"])
            if isForwarding { ports.removeAddress(entry.address, on: entry.port) }
        }
        guard isForwarding, !change.new.isEmpty else { return }
        for entry in change.new {
            ports.own(entry.address, on: entry.port, answering: entry.mac)
            ports.announce(entry.address, at: entry.mac, on: entry.port, into: &output)
            tally.announcementsSent &+= 1
        }
        guard let redundancy, redundancy.announcementTimes.count > 1 else { return }
        // Said again as often as after a takeover: who did not hear it keeps an entry that leads nowhere.
        (becameActiveAt, announcements) = (now, 1)
        announceAt = now + redundancy.announcementTimes[1]
    }

    mutating func announcePoolAddresses(into output: inout FrameQueue) {
        for entry in translation.addresses {
            ports.announce(entry.address, at: entry.mac, on: entry.port, into: &output)
            tally.announcementsSent &+= 1
        }
    }

    // MARK: Time

    var translationDeadline: Instant? {
        guard let first = fragments.deadline, let second = translation.unsolicited.deadline else {
            return fragments.deadline ?? translation.unsolicited.deadline
        }
        return min(first, second)
    }

    mutating func advanceTranslation(to now: Instant, into output: inout FrameQueue) {
        ports.counters.drop(.fragment, times: fragments.advance(to: now))
        while let frame = translation.unsolicited.next(at: now) {
            // A box that has handed over leaves its answers to its peer.
            guard isForwarding, let packet = PacketView(frame.bytes) else { continue }
            ports.sendError(.portUnreachable, about: frame, packet, at: now, into: &output)
        }
    }

    // MARK: Counters

    var translationReadings: [CounterReading] {
        let tally = filter.nat.tally
        return [
            CounterReading(.natMappings, filter.nat.count),
            CounterReading(.natGranted, tally.granted),
            CounterReading(.natPreserved, tally.preserved),
            CounterReading(.natExhausted, tally.exhausted),
            CounterReading(.natRetired, filter.nat.retiredCount),
            CounterReading(.natAdopted, tally.adopted),
            CounterReading(.natForeign, tally.foreign),
            CounterReading(.natUnsolicited, translation.unsolicited.count),
            CounterReading(.fragmentsHeld, fragments.heldCount),
            CounterReading(.fragmentsDatagrams, fragments.count),
            CounterReading(.fragmentsEvicted, fragments.evicted),
        ]
    }
}
