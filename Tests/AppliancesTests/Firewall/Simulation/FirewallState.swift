import Configuration
import LabTime
import Wire

@testable import Appliances
@testable import Dataplane
@testable import Redundancy

/// What the simulation reads of a firewall's inside, and does there: all of it is in this file.
extension Firewall {
    /// Whether transit traffic passes.
    var forwards: Bool { isForwarding }
    /// Has completed its start: it has a role, or waits for one by VRRP's own time.
    var hasSettled: Bool { election.isReady }
    var hasPairsSessions: Bool { election.knowsSessions }
    /// Boot epoch of this box, and of the incarnation of the peer whose heartbeats it receives.
    var bootEpoch: UInt64 { election.epoch }
    var receivedEpoch: UInt64? { election.receivesHeartbeat ? election.monitor?.statement?.epoch : nil }
    /// Messages of the peer have arrived that wait for one before them.
    var hasMessagesThatWait: Bool { channel.receiveWindow.arrived != 0 }
    /// Packets that left although the peer did not have their record.
    var packetsNotDeferred: UInt64 { tally.deferralsExpired &+ tally.deferralsWithoutRoom }

    // MARK: Sessions

    var sessionsOpened: UInt64 { filter.table.opened }

    /// The flow of the first packet of the session that a flow belongs to.
    func original(of flow: FiveTuple) -> FiveTuple? {
        filter.table.find(flow).map { filter.table.original(of: $0.index) }
    }

    /// The flows of the first packets of all sessions.
    var sessions: [FiveTuple] {
        var (flows, index): ([FiveTuple], _) = ([], filter.table.next(after: nil))
        while let place = index {
            flows.append(filter.table.original(of: place))
            index = filter.table.next(after: place)
        }
        return flows
    }

    struct Mapping {
        var flow: FiveTuple
        var external: NATEndpoint<IPv4>
        /// Whether the endpoint is this session's in the table of mappings, too.
        var isOwn: Bool
    }

    /// Of each session of a source: what it leaves as.
    func mappings(of source: IPv4Address) -> [Mapping] {
        var (mappings, index): ([Mapping], _) = ([], filter.table.next(after: nil))
        while let place = index {
            let (flow, binding) = (filter.table.original(of: place), filter.table[place].source)
            index = filter.table.next(after: place)
            guard flow.source == source else { continue }
            let outgoing = filter.outgoing(of: place, arrivedAs: flow)
            let external = NATEndpoint<IPv4>(outgoing.source, outgoing.sourcePort)
            mappings.append(
                Mapping(
                    flow: flow, external: external,
                    isOwn: binding.isNone || filter.nat.binding(ofExternal: external, .tcp) == binding))
        }
        return mappings
    }

    // MARK: Pinholes

    /// The pinhole of a control connection: the flow that it is for, and when it closes.
    func pinhole(of control: FiveTuple) -> (expected: FiveTuple, expires: Instant)? {
        guard let match = filter.gateways.pinholes.find(control), match.direction == .reply else { return nil }
        return (
            filter.gateways.pinholes.original(of: match.index), filter.gateways.pinholes.expiry(of: match.index)
        )
    }

    func hasPinhole(for expected: FiveTuple) -> Bool { filter.gateways.pinholes.find(expected) != nil }

    // MARK: Configuration

    var runningConfiguration: RunningConfiguration { policy.running }
    var poolsInEffect: [String] { filter.nat.pools.map(\.name) }
    /// Whether an agreement with the peer is under way; nil in a box without one.
    var isAgreeing: Bool? { agreement?.isOpen }

    /// As a box that starts with what it saved.
    mutating func restore(_ running: RunningConfiguration, at now: Instant, into output: inout FrameQueue) throws {
        policy.running = running
        let items = items(of: running)
        agreement?.changed(running: items, at: now)
        _ = try install(running, at: now, into: &output)
    }

    /// What a box does that frees mappings with their pool.
    mutating func freeRetiredMappings() {
        guard filter.nat.retiredCount > 0 else { return }
        var next = filter.nat.bindings.next(after: nil)
        while let index = next {
            let binding = filter.nat.bindings[index]
            next = filter.nat.bindings.next(after: index)
            guard binding.isRetired else { continue }
            filter.nat.giveBack(binding.external, binding.protocol)
            filter.nat.bindings.remove(index)
        }
    }
}
