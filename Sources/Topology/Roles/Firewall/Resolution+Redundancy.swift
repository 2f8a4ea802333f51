import Configuration
import LabFile
import Wire

extension Resolution {
    /// What a firewall of a pair is configured with; nil of a lone one.
    func redundancy(of name: String) -> RedundancyConfiguration? {
        guard let pair = pairs.first(where: { $0.index(of: name) != nil }), let index = pair.index(of: name) else {
            return nil
        }
        let (own, peer) = (pair.members[index], pair.members[1 - index])
        let crossConnect = own.crossConnect.flatMap { port -> CrossConnectConfiguration? in
            let peerInterface = interfaces[peer.name]?.first { $0.name == peer.crossConnect }
            guard let address = peerInterface?.address?.address,
                interfaces[name]?.first(where: { $0.name == port })?.address != nil
            else {
                reader.report(
                    "the cross-connect of '\(own.name)' and '\(peer.name)' needs an address on both sides",
                    at: definition(of: name)?.redundancy?.position)
                return nil
            }
            return CrossConnectConfiguration(port: port, peerAddress: address)
        }
        return RedundancyConfiguration(
            peer: peer.name, priority: own.priority, preempts: pair.preemption != .off,
            usesVirtualMAC: pair.usesVirtualMAC,
            advertisementInterval: pair.advertisementInterval, heartbeatInterval: pair.heartbeatInterval,
            heartbeatMisses: pair.heartbeatMisses, crossConnect: crossConnect,
            virtualRouters: pair.routers.map {
                VirtualRouterConfiguration(port: $0.ports[index], id: $0.id, addresses: $0.addresses)
            },
            key: own.key, deferral: pair.deferral, conduit: pair.conduit, trackedLinks: own.tracked,
            announcements: pair.announcements, preemptsEmpty: pair.preemption == .empty,
            startupSilentPeriod: pair.startupSilentPeriod)
    }
}
