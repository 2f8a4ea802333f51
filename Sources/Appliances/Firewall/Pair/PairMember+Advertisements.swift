import Dataplane
import LabTime
import Mutants
import Redundancy
import Wire

extension PairMember {
    /// Sends an advertisement: from the virtual MAC address where there is one, even when the Active resigns.
    /// Source: RFC 9568, 5.1 and 7.2
    mutating func sendAdvertisement(
        router number: Int, priority: UInt8, by ports: inout BoxPorts, into output: inout FrameQueue
    ) {
        guard settings.routers.indices.contains(number) else { return }
        let router = settings.routers[number]
        guard ports[router.port].isUp else { return }
        let vrrp = VRRPHeader(
            version: .v3, id: router.id, priority: priority, centiseconds: settings.centiseconds)
        let length = VRRPHeader.fixedLength + 4 * router.addresses.count
        let offset = EthernetHeader.length + IPv4Header.minimumLength
        guard let bytes = output.make(length: offset + length, port: router.port, side: .wire) else {
            return ports.counters.drop(.outputFull)
        }
        let ethernet = EthernetHeader(
            destination: .multicast(for: IPv4Address.vrrpRouters), source: router.mac, etherType: .ipv4)
        let isRouted = Mutant.isOn(.advertisesWithTTL254) || Mutant.isOn(.pairUsesTTL254)
        let ip = IPv4Header(
            source: router.ownAddress, destination: .vrrpRouters, protocol: .vrrp,
            timeToLive: isRouted ? 254 : VRRPHeader.timeToLive, trafficClass: 0xc0)
        // With the pseudo-header, as other implementations send and analysers expect it.
        let written = vrrp.emit(
            into: UnsafeMutableRawBufferPointer(rebasing: bytes[offset...]), addresses: router.addresses,
            checksum: .pseudoHeader, source: router.ownAddress)
        let header = ip.emit(
            into: UnsafeMutableRawBufferPointer(rebasing: bytes[EthernetHeader.length...]), payloadLength: length)
        precondition(ethernet.emit(into: bytes) != nil && header != nil && written == length)
        ports.counters.count(.made)
        tally.count(.advertisementSent)
    }

    /// Source: RFC 9568, 7.1
    mutating func receiveAdvertisement(_ frame: Frame, _ layout: FrameLayout, at now: Instant) {
        let flow = layout.fiveTuple
        let packet = UnsafeRawPointer(frame.base)
        // A packet that was routed is no neighbour's. Guard: the layout vouches for the IPv4 header.
        let timeToLive = packet.readUInt8(at: Int(layout.networkOffset) + 8)
        guard timeToLive == VRRPHeader.timeToLive || Mutant.isOn(.pairUsesTTL254),
            flow.destination == .vrrpRouters, !layout.isFragment
        else { return tally.count(.advertisementNotLocal) }
        let message = UnsafeRawBufferPointer(
            start: packet + Int(layout.transportOffset), count: Int(layout.endOffset - layout.transportOffset))
        let header: VRRPHeader
        do throws(WireError) {
            header = VRRPHeader(try VRRPView(message, source: flow.source, destination: flow.destination))
            guard header.version == .v3 else { throw WireError(.vrrp, .wrongVersion, found: 2, expected: 3) }
        } catch {
            return tally.discardedAdvertisements.count(error.reason)
        }
        guard let number = settings.routers.firstIndex(where: { $0.port == frame.port && $0.id == header.id })
        else { return tally.count(.advertisementOfOtherRouter) }
        tally.count(.advertisementReceived)
        election.receive(
            Advertisement(
                priority: header.priority, interval: header.advertisementInterval, source: flow.source),
            on: number, at: now)
    }
}
