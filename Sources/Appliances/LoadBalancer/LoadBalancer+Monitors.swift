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
extension LoadBalancer {
    /// Takes a frame of the host side that is a monitor's.
    /// - Returns: false where it is anything else
    mutating func probe(_ frame: Frame, at now: Instant, into output: inout FrameQueue) -> Bool {
        if let packet = PacketView(frame.bytes) { return probe(frame, packet, at: now, into: &output) }
        if let packet = IPv6PacketView(frame.bytes) { return probe(frame, packet, at: now, into: &output) }
        return false
    }

    private mutating func probe<Tuple: BalancedTuple>(
        _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant, into output: inout FrameQueue
    ) -> Bool {
        guard packet.ipProtocol == .tcp, !packet.layout.isFragment, !Mutant.isOn(.monitorAsksDirectly),
            let found = monitored.lookup(packet.destination, packet.destinationPort, .tcp)
        else { return false }
        let flows = Tuple.flows(of: self)
        ports.counters.count(.receivedFromHost)
        let tuple = packet.fiveTuple
        if let match = flows.pointee.find(tuple) {
            carryMonitor(match, frame, packet, at: now, into: &output)
            return true
        }
        let (service, place) = (Int(found >> 16), Int(found & 0xffff))
        guard packet.tcpFlags.isInitialSYN else {
            ports.counters.drop(.notSYN)
            return true
        }
        guard let hop = Tuple.hop(to: tuple.destination, in: ports),
            let address = Tuple.Address(services[service].address)
        else {
            ports.counters.drop(.noRoute)
            return true
        }
        guard let number = takePort(Tuple.self, of: hop.port, isUDP: false) else {
            ports.counters.drop(.translationPortsExhausted)
            return true
        }
        var toMember = tuple
        toMember.destination = address
        toMember.sourcePort = number
        let insertion = flows.pointee.insert(
            original: tuple, reply: toMember.reversed,
            value: BalancerFlow<Tuple>(
                original: IPFlowAction(rewrite: IPPacketRewrite(from: tuple, to: toMember), hop: hop),
                reply: IPFlowAction(rewrite: IPPacketRewrite(from: toMember.reversed, to: tuple.reversed), hop: hop),
                service: UInt16(service), member: UInt16(place), translationPort: number, translationOwner: hop.port,
                progress: TCPProgress(), kind: .monitor),
            expires: Instant(nanoseconds: now.nanoseconds &+ Self.opening), now: now)
        guard case .inserted(let index) = insertion else {
            releasePort(Tuple.self, number, of: hop.port, false)
            ports.counters.drop(insertion == .full ? .flowTableFull : .flowConflict)
            return true
        }
        carryMonitor(FlowMatch(index: index, direction: .original), frame, packet, at: now, into: &output)
        return true
    }

    /// Carries a monitor's packet to its member, or a member's to the host side.
    mutating func carryMonitor<Tuple: BalancedTuple>(
        _ match: FlowMatch, _ frame: Frame, _ packet: IPPacketView<Tuple>, at now: Instant,
        into output: inout FrameQueue
    ) {
        let flows = Tuple.flows(of: self)
        let isFromHost = frame.side == .host
        // Its own words that come back over a switch, or a stranger's in its name.
        guard isFromHost == (match.direction == .original) else { return ports.counters.drop(.sourceAddressInvalid) }
        guard packet.timeToLive > 1 else { return ports.counters.drop(.timeToLiveExceeded) }
        let wasOver = flows.pointee[match.index].progress.note(packet.tcpFlags, match.direction)
        let flow = flows.pointee[match.index]
        if !wasOver {
            let lifetime = flow.progress.isOver ? Self.linger : Self.opening
            flows.pointee.keep(match.index, until: Instant(nanoseconds: now.nanoseconds &+ lifetime), now: now)
        }
        var rewritten = packet
        // What it becomes is what the other direction is, turned round.
        let tuple =
            match.direction == .original
            ? flows.pointee.reply(of: match.index) : flows.pointee.original(of: match.index)
        guard let tuple else { return }
        rewritten.rewrite(to: tuple.reversed)
        guard isFromHost else {
            _ = rewritten.decrementTimeToLive()
            return ports.deliverToHost(frame, into: &output)
        }
        sendDirectly(
            Int(flow.service), Int(flow.member), frame, rewritten, to: flow.original.hop, at: now, into: &output)
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
