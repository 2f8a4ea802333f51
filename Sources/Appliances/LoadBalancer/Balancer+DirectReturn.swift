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
extension Balancer {
    /// A packet of a client that belongs to no flow.
    mutating func acceptDirectly(
        _ service: Int, _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) {
        let tuple = packet.fiveTuple
        if packet.hasOptions { return core.ports.counters.drop(.ipOptions) }
        // Members send from the service's address; to it, nobody does.
        guard !core.ports.owned.contains(tuple.source) else { return core.ports.counters.drop(.sourceAddressInvalid) }
        guard let place = core.services[service].choose(for: tuple) else {
            return core.ports.counters.drop(.noMemberUp)
        }
        guard let address = Family.Address(core.services[service].members[place].address),
            let hop = Family.hop(to: address, in: core.ports)
        else {
            return core.ports.counters.drop(.noRoute)
        }
        let opens =
            switch core.services[service].profile {
            case .udpPerPacket: false
            case .tcpFastPath: !packet.tcpFlags.contains(.rst) && !packet.tcpFlags.isEmpty
            default: true
            }
        guard opens else {
            if core.services[service].profile != .udpPerPacket { core.ports.counters.count(.carriedWithoutFlow) }
            return sendDirectly(service, place, frame, packet, &core, to: hop, at: now, into: &output)
        }
        var progress = TCPProgress()
        if tuple.protocol == .tcp { progress.noteUnanswered(packet.tcpFlags) }
        let insertion = flows.insert(
            original: tuple, reply: nil,
            value: BalancerFlow<Family>(
                original: IPFlowAction(rewrite: IPPacketRewrite(from: tuple, to: tuple), hop: hop),
                reply: IPFlowAction(rewrite: IPPacketRewrite(from: tuple, to: tuple), hop: hop),
                service: UInt16(service),
                member: UInt16(place), translationPort: 0, translationOwner: hop.port, progress: progress),
            expires: Instant(nanoseconds: now.nanoseconds &+ core.lifetime(service, progress, tuple.protocol)), now: now
        )
        if case .inserted = insertion {
            core.ports.counters.count(.flowsCreated)
            core.services[service].addSession(to: place)
        } else if core.services[service].scheduler == .consistentHash {
            core.ports.counters.count(.carriedWithoutFlow)
        } else {
            return core.ports.counters.drop(insertion == .full ? .flowTableFull : .flowConflict)
        }
        sendDirectly(service, place, frame, packet, &core, to: hop, at: now, into: &output)
    }

    /// A packet of a client whose flow is known.
    mutating func carryDirectly(
        _ match: FlowMatch, _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) {
        let flow = flows[match.index]
        let service = Int(flow.service)
        if packet.hasOptions { return core.ports.counters.drop(.ipOptions) }
        if packet.ipProtocol == .tcp {
            if packet.tcpFlags.isInitialSYN, flow.progress.isClientDone {
                // The client uses its port again before the old connection was forgotten.
                core.ports.counters.count(.flowsClosed)
                end(match.index, &core)
                return acceptDirectly(service, frame, packet, &core, at: now, into: &output)
            }
            flows[match.index].progress.noteUnanswered(packet.tcpFlags)
        }
        // A reset ends the flow for good; what comes after it does not keep it.
        if !flow.progress.isReset {
            let lifetime = core.lifetime(service, flows[match.index].progress, packet.ipProtocol)
            flows.keep(match.index, until: Instant(nanoseconds: now.nanoseconds &+ lifetime), now: now)
        }
        if Mutant.isOn(.forgetsMembers) {
            end(match.index, &core)
            return acceptDirectly(service, frame, packet, &core, at: now, into: &output)
        }
        sendDirectly(service, Int(flow.member), frame, packet, &core, to: flow.original.hop, at: now, into: &output)
    }

    /// Sends a packet to a member as it is, but for its time to live.
    mutating func sendDirectly(
        _ service: Int, _ place: Int, _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore,
        to hop: IPNextHop<Family>,
        at now: Instant,
        into output: inout FrameQueue
    ) {
        guard let direct = core.services[service].directReturn else { return }
        let encapsulation = direct.mode.encapsulation
        guard packet.timeToLive > 1 else {
            core.ports.counters.drop(.timeToLiveExceeded)
            return core.ports.sendError(.timeExceeded, about: frame, packet, at: now, into: &output)
        }
        let mtu = core.largestPacket(service, place, by: hop.port, at: now) - (encapsulation?.overhead ?? 0)
        guard packet.layout.packetLength <= mtu else {
            core.ports.counters.drop(.packetTooBig)
            guard direct.reportsPathMTU else { return }
            return core.ports.sendError(.packetTooBig(mtu: mtu), about: frame, packet, at: now, into: &output)
        }
        if direct.clampsSegmentSize,
            packet.clampMaximumSegmentSize(to: UInt16(clamping: mtu - Family.headerLength - TCPHeader.minimumLength))
        {
            core.ports.counters.count(.segmentSizeClamped)
        }
        _ = packet.decrementTimeToLive()
        if Mutant.isOn(.rewritesDestination), let member = Family.Address(core.services[service].members[place].address)
        {
            var rewritten = packet
            rewritten.rewriteDestination(member)
        }
        core.services[service].packetsToMembers &+= 1
        guard let encapsulation else { return core.ports.forward(frame, to: hop, at: now, into: &output) }
        // Guard: the balancer was made only with members of the service's family and an address of its own on the way.
        guard let own = Family.own(on: core.ports[hop.port]),
            let remote = Family.Address(core.services[service].members[place].address)
        else { return core.ports.counters.drop(.noRoute) }
        core.ports.send(
            packet, through: IPTunnel(encapsulation, from: own, to: remote), to: hop, at: now, into: &output)
    }
}

extension BalancerCore {
    /// How long a TCP flow is kept after its client's FIN without another packet, in nanoseconds.
    private static var halfClosed: Int64 { 30_000_000_000 }

    /// Nanoseconds that a flow is kept from now on.
    func lifetime(_ service: Int, _ progress: TCPProgress, _ transport: IPProtocol) -> Int64 {
        let idle = services[service].idleTimeout
        guard transport == .tcp else { return idle }
        if progress.isReset { return Self.linger }
        if progress.isClientDone { return min(idle, Self.halfClosed) }
        return progress.isAnswered ? idle : min(idle, Self.opening)
    }

    /// Bytes of the largest packet, outer header included, that goes to a member.
    func largestPacket(_ service: Int, _ place: Int, by port: PortIndex, at now: Instant) -> Int {
        let mtu = Int(ports[port].mtu)
        let known = services[service].members[place].pathMTU
        guard known != .max, services[service].members[place].pathMTUExpires > now else { return mtu }
        return min(mtu, Int(known))
    }
}
