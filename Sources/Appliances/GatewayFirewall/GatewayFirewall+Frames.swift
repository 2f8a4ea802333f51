import Configuration
import Dataplane
import LabTime
import Mutants
import Wire

extension GatewayFirewall {
    mutating func handle(_ frame: Frame, at now: Instant, into output: inout FrameQueue) {
        guard Int(frame.port) < ports.count, frame.length >= 14 else { return ports.counters.drop(.malformedFrame) }
        if frame.side == .host {
            sendOwn(frame, at: now, into: &output)
        } else if configuration.mode == .transparent {
            bridge(frame, at: now, into: &output)
        } else {
            route(frame, at: now, into: &output)
        }
    }

    // MARK: Transparent

    private mutating func bridge(_ frame: Frame, at now: Instant, into output: inout FrameQueue) {
        ports.counters.count(.receivedFromWire)
        // Two ports, by the initializer.
        let other = frame.port ^ 1
        // 18: an Ethernet header with a VLAN tag.
        guard Int(frame.length) <= Int(ports[other].mtu) + 18 else { return ports.counters.drop(.malformedFrame) }
        switch ParsedFrame(frame.bytes) {
        case .ipv4(let packet):
            guard admits(packet, in: frame, leavingBy: other, at: now, into: &output) else { return }
        case .arp, .ipv6, .other: break
        case .malformed(let error):
            // ARP of other kinds than the one that this parse knows is still ARP, and IPv6 is not looked at.
            guard error.layer == .arp || UnsafeRawPointer(frame.base).readUInt16(at: 12) == EtherType.ipv6.rawValue
            else { return ports.counters.drop(BoxPorts.reason(of: error)) }
        }
        ports.passThrough(frame, by: other, into: &output)
        releaseFragments(behind: frame, at: now, into: &output)
    }

    // MARK: Routed

    private mutating func route(_ frame: Frame, at now: Instant, into output: inout FrameQueue) {
        switch ports.receive(frame, at: now, into: &output) {
        case .done: return
        case .ipv4(let packet):
            if ports.owned.contains(packet.destination) {
                guard admits(packet, in: frame, leavingBy: nil, at: now, into: &output) else { return }
                ports.deliverToHost(frame, into: &output)
            } else {
                // What exceeds the next link's MTU leaves in fragments where it may.
                let hop = ports.routes.lookup(packet.destination, for: packet.fiveTuple)
                guard admits(packet, in: frame, leavingBy: hop?.port, at: now, into: &output) else { return }
                ports.route(frame, packet, as: nil, at: now, into: &output)
            }
            releaseFragments(behind: frame, at: now, into: &output)
        case .group(let packet):
            guard packet.destination.isLinkLocalMulticast else { return ports.counters.drop(.multicast) }
            ports.deliverToHost(frame, into: &output)
        case .other, .ipv6, .ipv6Group: ports.counters.drop(.unsupportedEtherType)
        }
    }

    /// What the host side sends leaves by its port, judged where the port judges what leaves.
    private mutating func sendOwn(_ frame: Frame, at now: Instant, into output: inout FrameQueue) {
        if filtering[Int(frame.port)] == .both, case .ipv4(let packet) = ParsedFrame(frame.bytes) {
            guard evaluate(packet, .out, on: frame.port, frame, at: now, into: &output) else { return }
        }
        _ = ports.receive(frame, at: now, into: &output)
        releaseFragments(behind: frame, at: now, into: &output)
    }

    // MARK: Judgement

    /// Whether a packet goes on. Where not, everything about it is done and counted.
    private mutating func admits(
        _ packet: PacketView, in frame: Frame, leavingBy out: PortIndex?, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        if filtering[Int(frame.port)] != .off {
            evaluate(packet, .in, on: frame.port, frame, at: now, into: &output)
        } else if let out, filtering[Int(out)] == .both {
            evaluate(packet, .out, on: out, frame, at: now, into: &output)
        } else {
            true
        }
    }

    /// - Parameter port: the interface at which the packet is judged
    private mutating func evaluate(
        _ packet: PacketView, _ direction: StateDirection, on port: PortIndex, _ frame: Frame, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        guard packet.layout.isFragment else {
            return carryOut(
                states.evaluate(packet, direction, on: port, at: now), packet, frame, at: now, into: &output)
        }
        switch fragments.receive(packet, in: frame, at: now) {
        case .held: return false
        case .drop(let reason):
            ports.counters.drop(reason)
            return false
        case .decided(.pass): return true
        case .decided(.drop(let reason)):
            ports.counters.drop(reason)
            return false
        case .first:
            let judgement = states.evaluate(packet, direction, on: port, at: now)
            let passes = carryOut(judgement, packet, frame, at: now, into: &output)
            let decision: FragmentTable<IPv4>.Decision =
                switch judgement.verdict {
                case .pass: .pass(as: packet.fiveTuple, identification: packet.identification)
                case .drop(let reason): .drop(reason)
                case .outOfState: .drop(.invalidTCPState)
                }
            fragments.decide(packet, decision, at: now)
            if case .drop(let reason) = decision {
                while fragments.nextReleased(of: packet) != nil { ports.counters.drop(reason) }
            }
            return passes
        }
    }

    /// Sends on what waited for a datagram's first fragment, which has left.
    private mutating func releaseFragments(behind first: Frame, at now: Instant, into output: inout FrameQueue) {
        // What sending rewrites, addresses of the link and time to live, does not tell datagrams apart.
        guard fragments.heldCount > 0, let packet = PacketView(first.bytes), packet.layout.fragment == .first else {
            return
        }
        while let bytes = fragments.nextReleased(of: packet) {
            guard let base = bytes.baseAddress, let held = PacketView(bytes) else { continue }
            let frame = Frame(
                base: base, length: Int32(truncatingIfNeeded: bytes.count), port: first.port, side: first.side)
            if first.side == .host || configuration.mode == .transparent {
                ports.passCopy(frame, by: first.side == .host ? first.port : first.port ^ 1, into: &output)
            } else if ports.owned.contains(held.destination) {
                ports.deliverCopyToHost(frame, into: &output)
            } else {
                ports.routeCopy(frame, held, as: nil, at: now, into: &output)
            }
        }
    }

    private mutating func carryOut(
        _ judgement: StateJudgement, _ packet: PacketView, _ frame: Frame, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        tell(of: judgement, packet, at: now)
        switch judgement.verdict {
        case .pass: return true
        case .drop(let reason): ports.counters.drop(reason)
        case .outOfState(let policy):
            ports.counters.drop(.invalidTCPState)
            switch Mutant.isOn(.refusesSilently) ? .drop : policy {
            case .drop: break
            case .reset: ports.reset(frame, packet, into: &output)
            case .icmp: ports.refuse(frame, packet, at: now, into: &output)
            }
        }
        return false
    }
}
