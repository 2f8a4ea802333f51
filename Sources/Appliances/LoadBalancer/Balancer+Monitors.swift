import Configuration
import Dataplane
import LabTime
import Mutants
import Wire

/// Health monitors of members with direct server return.
///
/// The host side's monitor connects to the member's own address, as it does for any member. Here its packets become
/// packets to the service's address, which take the way of a client's, tunnel included; the member's answers come from
/// the service's address and become the member's again. So a member is up only if the whole way works: tunnel, service
/// address, program.
///
/// Each connection has a source port of the balancer's choice, because answers of all members come from one address.
extension Balancer {
    /// Takes a packet of the host side that is a monitor's.
    /// - Returns: false where it is anything else
    mutating func probe(
        _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        guard packet.ipProtocol == .tcp, !packet.layout.isFragment, !Mutant.isOn(.monitorAsksDirectly),
            let found = core.monitored.lookup(packet.destination, packet.destinationPort, .tcp)
        else { return false }
        core.ports.counters.count(.receivedFromHost)
        let tuple = packet.fiveTuple
        if let match = flows.find(tuple) {
            carryMonitor(match, frame, packet, &core, at: now, into: &output)
            return true
        }
        let (service, place) = (Int(found >> 16), Int(found & 0xffff))
        guard packet.tcpFlags.isInitialSYN else {
            core.ports.counters.drop(.notSYN)
            return true
        }
        guard let hop = Family.hop(to: tuple.destination, in: core.ports),
            let address = Family.Address(core.services[service].address)
        else {
            core.ports.counters.drop(.noRoute)
            return true
        }
        guard let number = takePort(of: hop.port, isUDP: false) else {
            core.ports.counters.drop(.translationPortsExhausted)
            return true
        }
        var toMember = tuple
        toMember.destination = address
        toMember.sourcePort = number
        let insertion = flows.insert(
            original: tuple, reply: toMember.reversed,
            value: BalancerFlow<Family>(
                original: IPFlowAction(rewrite: IPPacketRewrite(from: tuple, to: toMember), hop: hop),
                reply: IPFlowAction(rewrite: IPPacketRewrite(from: toMember.reversed, to: tuple.reversed), hop: hop),
                service: UInt16(service), member: UInt16(place), translationPort: number, translationOwner: hop.port,
                progress: TCPProgress(), kind: .monitor),
            expires: Instant(nanoseconds: now.nanoseconds &+ BalancerCore.opening), now: now)
        guard case .inserted(let index) = insertion else {
            releasePort(number, of: hop.port, false)
            core.ports.counters.drop(insertion == .full ? .flowTableFull : .flowConflict)
            return true
        }
        carryMonitor(FlowMatch(index: index, direction: .original), frame, packet, &core, at: now, into: &output)
        return true
    }

    /// Carries a monitor's packet to its member, or a member's to the host side.
    mutating func carryMonitor(
        _ match: FlowMatch, _ frame: Frame, _ packet: IPPacketView<Family>, _ core: inout BalancerCore, at now: Instant,
        into output: inout FrameQueue
    ) {
        let isFromHost = frame.side == .host
        // Its own words that come back over a switch, or a stranger's in its name.
        guard isFromHost == (match.direction == .original) else {
            return core.ports.counters.drop(.sourceAddressInvalid)
        }
        guard packet.timeToLive > 1 else { return core.ports.counters.drop(.timeToLiveExceeded) }
        let wasOver = flows[match.index].progress.note(packet.tcpFlags, match.direction)
        let flow = flows[match.index]
        if !wasOver {
            let lifetime = flow.progress.isOver ? BalancerCore.linger : BalancerCore.opening
            flows.keep(match.index, until: Instant(nanoseconds: now.nanoseconds &+ lifetime), now: now)
        }
        var rewritten = packet
        // What it becomes is what the other direction is, turned round.
        let tuple =
            match.direction == .original
            ? flows.reply(of: match.index) : flows.original(of: match.index)
        guard let tuple else { return }
        rewritten.rewrite(to: tuple.reversed)
        guard isFromHost else {
            _ = rewritten.decrementTimeToLive()
            return core.ports.deliverToHost(frame, into: &output)
        }
        sendDirectly(
            Int(flow.service), Int(flow.member), frame, rewritten, &core, to: flow.original.hop, at: now, into: &output)
    }
}

extension VirtualServiceConfiguration {
    /// The members whose monitors ask for the service through direct server return: their places, and what the monitor
    /// connects to.
    var monitoredMembers: [(place: Int, member: (address: IPAddress, port: UInt16))] {
        guard directReturn != nil, let monitor, monitor.target == .service else { return [] }
        return members.enumerated().map { ($0, ($1.address, monitor.port ?? $1.port)) }
    }
}
