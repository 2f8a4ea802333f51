import Configuration
import Dataplane
import LabTime
import Mutants
import Wire

/// Direct server return: addresses, ports and transport checksums stay as the client wrote them.
///
/// - A packet without a flow goes to the member of its hash, whatever its flags: another balancer with the same pool may
///   have had the connection until now, and hashed alike. A SYN and what acknowledges open a flow, so that the
///   connection stays with its member when the pool changes.
/// - One side of a TCP connection is all that comes by: a flow ends with its idle time, `halfClosed` after the client's
///   FIN, or `linger` after its RST.
/// - Where no flow can be opened, a packet of a hashed service is carried all the same.
extension LoadBalancer {
    /// How long a TCP flow is kept after its client's FIN without another packet, in nanoseconds.
    static var halfClosed: Int64 { 30_000_000_000 }

    /// A packet of a client that belongs to no flow.
    mutating func acceptDirectly<Tuple: BalancedTuple>(
        _ service: Int, _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant, into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        if packet.hasOptions { return ports.counters.drop(.ipOptions) }
        // Members send from the service's address; to it, nobody does.
        guard !ports.owned.contains(tuple.source) else { return ports.counters.drop(.sourceAddressInvalid) }
        guard let place = services[service].choose(for: tuple) else { return ports.counters.drop(.noMemberUp) }
        guard let address = Tuple.Address(services[service].members[place].address),
            let hop = Tuple.hop(to: address, in: ports)
        else {
            return ports.counters.drop(.noRoute)
        }
        let opens =
            switch services[service].profile {
            case .udpPerPacket: false
            case .tcpFastPath: !packet.tcpFlags.contains(.rst) && !packet.tcpFlags.isEmpty
            default: true
            }
        guard opens else {
            if services[service].profile != .udpPerPacket { ports.counters.count(.carriedWithoutFlow) }
            return sendDirectly(service, place, frame, packet, to: hop, at: now, into: &output)
        }
        var progress = TCPProgress()
        if tuple.protocol == .tcp { progress.noteUnanswered(packet.tcpFlags) }
        let insertion = Tuple.flows(of: self).pointee.insert(
            original: tuple, reply: nil,
            value: BalancerFlow<Tuple>(
                original: IPFlowAction(rewrite: IPPacketRewrite(from: tuple, to: tuple), hop: hop),
                reply: IPFlowAction(rewrite: IPPacketRewrite(from: tuple, to: tuple), hop: hop),
                service: UInt16(service),
                member: UInt16(place), translationPort: 0, translationOwner: hop.port, progress: progress),
            expires: Instant(nanoseconds: now.nanoseconds &+ lifetime(service, progress, tuple.protocol)), now: now)
        if case .inserted = insertion {
            ports.counters.count(.flowsCreated)
            services[service].addSession(to: place)
        } else if services[service].scheduler == .consistentHash {
            ports.counters.count(.carriedWithoutFlow)
        } else {
            return ports.counters.drop(insertion == .full ? .flowTableFull : .flowConflict)
        }
        sendDirectly(service, place, frame, packet, to: hop, at: now, into: &output)
    }

    /// A packet of a client whose flow is known.
    mutating func carryDirectly<Tuple: BalancedTuple>(
        _ match: FlowMatch, _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant,
        into output: inout FrameQueue
    ) {
        let flows = Tuple.flows(of: self)
        let flow = flows.pointee[match.index]
        let service = Int(flow.service)
        if packet.hasOptions { return ports.counters.drop(.ipOptions) }
        if packet.ipProtocol == .tcp {
            if packet.tcpFlags.isInitialSYN, flow.progress.isClientDone {
                // The client uses its port again before the old connection was forgotten.
                ports.counters.count(.flowsClosed)
                end(Tuple.self, match.index)
                return acceptDirectly(service, frame, packet, at: now, into: &output)
            }
            flows.pointee[match.index].progress.noteUnanswered(packet.tcpFlags)
        }
        // A reset ends the flow for good; what comes after it does not keep it.
        if !flow.progress.isReset {
            let lifetime = lifetime(service, flows.pointee[match.index].progress, packet.ipProtocol)
            flows.pointee.keep(match.index, until: Instant(nanoseconds: now.nanoseconds &+ lifetime), now: now)
        }
        if Mutant.isOn(.forgetsMembers) {
            end(Tuple.self, match.index)
            return acceptDirectly(service, frame, packet, at: now, into: &output)
        }
        sendDirectly(service, Int(flow.member), frame, packet, to: flow.original.hop, at: now, into: &output)
    }

    /// Nanoseconds that a flow is kept from now on.
    private func lifetime(_ service: Int, _ progress: TCPProgress, _ transport: IPProtocol) -> Int64 {
        let idle = services[service].idleTimeout
        guard transport == .tcp else { return idle }
        if progress.isReset { return Self.linger }
        if progress.isClientDone { return min(idle, Self.halfClosed) }
        return progress.isAnswered ? idle : min(idle, Self.opening)
    }

    /// Sends a packet to a member as it is, but for its time to live.
    mutating func sendDirectly<Tuple: BalancedTuple>(
        _ service: Int, _ place: Int, _ frame: Frame, _ packet: IPPacketView<Tuple>, to hop: IPNextHop<Tuple>,
        at now: Instant,
        into output: inout FrameQueue
    ) {
        guard let direct = services[service].directReturn else { return }
        let encapsulation = direct.mode.encapsulation
        guard packet.timeToLive > 1 else {
            ports.counters.drop(.timeToLiveExceeded)
            return ports.sendError(.timeExceeded, about: frame, packet, at: now, into: &output)
        }
        let mtu = largestPacket(service, place, by: hop.port, at: now) - (encapsulation?.overhead ?? 0)
        guard packet.layout.packetLength <= mtu else {
            ports.counters.drop(.packetTooBig)
            guard direct.reportsPathMTU else { return }
            return ports.sendError(.packetTooBig(mtu: mtu), about: frame, packet, at: now, into: &output)
        }
        if direct.clampsSegmentSize,
            packet.clampMaximumSegmentSize(to: UInt16(clamping: mtu - Tuple.headerLength - TCPHeader.minimumLength))
        {
            ports.counters.count(.segmentSizeClamped)
        }
        _ = packet.decrementTimeToLive()
        if Mutant.isOn(.rewritesDestination), let member = Tuple.Address(services[service].members[place].address) {
            var rewritten = packet
            rewritten.rewriteDestination(member)
        }
        services[service].packetsToMembers &+= 1
        guard let encapsulation else { return ports.forward(frame, to: hop, at: now, into: &output) }
        // Guard: the balancer was made only with members of the service's family and an address of its own on the way.
        guard let own = Tuple.own(on: ports[hop.port]),
            let remote = Tuple.Address(services[service].members[place].address)
        else { return ports.counters.drop(.noRoute) }
        ports.send(
            packet, through: IPTunnel(encapsulation, from: own, to: remote), to: hop, at: now, into: &output)
    }

    /// Bytes of the largest packet, outer header included, that goes to a member.
    private func largestPacket(_ service: Int, _ place: Int, by port: PortIndex, at now: Instant) -> Int {
        let mtu = Int(ports[port].mtu)
        let known = services[service].members[place].pathMTU
        guard known != .max, services[service].members[place].pathMTUExpires > now else { return mtu }
        return min(mtu, Int(known))
    }
}
