import Dataplane
import LabTime
import Mutants
import Redundancy
import Wire

extension Firewall {
    /// Decides about one frame.
    ///
    /// | from the wire | a lone box or the Active | the Backup |
    /// |---|---|---|
    /// | advertisement | election | election |
    /// | cross-connect message of the peer | election, session table, agreement | the same |
    /// | for an own address | host side | host side |
    /// | data frame of the peer's conduit | as if it had come in by the port that it names | sent on |
    /// | for a pool's address | filter, translate, route; an own one's rest to the host side | to the Active, or dropped as `standby` |
    /// | for a virtual address | dropped as `virtualAddress` | to the Active, or dropped as `standby` |
    /// | transit | filter, translate, route | to the Active, or dropped as `standby` |
    mutating func handle(_ frame: Frame, at now: Instant, into output: inout FrameQueue) {
        switch ports.receive(frame, at: now, into: &output) {
        case .done:
            return
        case .ipv4(let packet):
            receiveIPv4(frame, packet, at: now, into: &output)
        case .group(let packet):
            receiveGroup(frame, packet.layout, at: now, into: &output)
        case .other, .ipv6, .ipv6Group:
            ports.counters.drop(.unsupportedEtherType)
        }
    }

    /// A packet from a link, or one that came in by the peer's.
    mutating func receiveIPv4(
        _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) {
        if ports.owned.contains(packet.destination) {
            receiveOwn(frame, packet, at: now, into: &output)
        } else if isForwarding || Mutant.isOn(.standbyForwards) {
            forward(frame, packet, at: now, into: &output)
        } else {
            // Before any session is looked up.
            passToActive(frame, at: now, into: &output)
        }
    }

    private mutating func receiveOwn(
        _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) {
        let layout = packet.layout
        if let cross = pair?.settings.crossConnect, frame.port == cross.port,
            layout.fiveTuple.destination == cross.ownAddress
        {
            if layout.fiveTuple.protocol == .udp,
                [SyncChannel.udpPort, PairSettings.configurationPort].contains(layout.fiveTuple.destinationPort)
            {
                return receiveMessage(frame, layout, from: cross, at: now, into: &output)
            }
            if layout.fiveTuple.protocol == .gre {
                return receiveConduit(frame, layout, from: cross, at: now, into: &output)
            }
        }
        if isForwarding, filter.nat.isExternal(layout.fiveTuple.destination) {
            return receiveForPool(frame, packet, at: now, into: &output)
        }
        if pair?.settings.isVirtual(layout.fiveTuple.destination) == true {
            return ports.counters.drop(.virtualAddress)
        }
        ports.deliverToHost(frame, into: &output)
    }

    private mutating func receiveGroup(
        _ frame: Frame, _ layout: FrameLayout, at now: Instant, into output: inout FrameQueue
    ) {
        if layout.fiveTuple.protocol == .vrrp {
            guard pair != nil else { return ports.counters.drop(.multicast) }
            pair?.receiveAdvertisement(frame, layout, at: now)
            carryOutElection(at: now, into: &output)
        } else if layout.fiveTuple.destination.isLinkLocalMulticast {
            // Routing daemons on the host side listen to such groups.
            ports.deliverToHost(frame, into: &output)
        } else {
            ports.counters.drop(.multicast)
        }
    }
}
