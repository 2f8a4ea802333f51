import Configuration
import Dataplane
import LabTime
import Redundancy
import Wire

/// What a firewall knows of its pair, from the configuration.
struct PairSettings {
    var peer: String
    var routers: [VirtualRouterPort]
    var crossConnect: CrossConnect?
    var election: ElectionSettings
    /// Interval as VRRP's wire format carries it.
    var centiseconds: UInt16
    var key: SyncKey?
    var deferral: Duration?
    var conduit: ConduitConfiguration?
    /// Ports whose loss lowers the priority, in the order of `ElectionSettings.decrements`.
    var tracked: [PortIndex] = []
    var announcementTimes: [Duration]

    /// UDP port on which two boxes compare configurations; the next one after that of sessions.
    static let configurationPort = SyncChannel.udpPort + 1

    var heartbeatInterval: Duration { election.heartbeat?.interval ?? .seconds(1) }

    /// Whether a virtual router has an address.
    func isVirtual(_ address: IPv4Address) -> Bool { routers.contains { $0.addresses.contains(address) } }

    struct CrossConnect {
        var port: PortIndex
        var ownAddress: IPv4Address
        var peerAddress: IPv4Address
        /// Largest message: what one packet carries behind IPv4 and UDP headers.
        var messageSize: Int
    }

    init(
        _ configuration: RedundancyConfiguration, of name: String, ports: [PortConfiguration]
    ) throws(ConfigurationError) {
        func port(_ wanted: String, for purpose: String) throws(ConfigurationError) -> (PortIndex, IPv4Address) {
            guard let index = ports.firstIndex(where: { $0.name == wanted }) else {
                let known = ports.map(\.name).joined(separator: ", ")
                throw ConfigurationError("\(name) has no port '\(wanted)' for \(purpose); its ports are \(known)")
            }
            guard let address = ports[index].address else {
                throw ConfigurationError(
                    "port '\(wanted)' of \(name) needs an address of its own for \(purpose)")
            }
            return (PortIndex(index), address.address)
        }
        peer = configuration.peer
        announcementTimes = configuration.announcements.times
        key = configuration.key.map { SyncKey(text: $0) }
        deferral = configuration.deferral
        guard (1...254).contains(configuration.priority) else {
            throw ConfigurationError(
                "the priority of \(name) is \(configuration.priority); a VRRP priority is 1 to 254")
        }
        guard let interval = VRRPHeader.centiseconds(configuration.advertisementInterval, version: .v3) else {
            throw ConfigurationError(
                "\(name) advertises every \(configuration.advertisementInterval); VRRP can say 10 ms to 40.95 s in steps of 10 ms"
            )
        }
        guard !configuration.virtualRouters.isEmpty else {
            throw ConfigurationError("\(name) has a peer but no virtual address; give it at least one")
        }
        centiseconds = interval
        routers = []
        for router in configuration.virtualRouters {
            let (index, own) = try port(router.port, for: "virtual router \(router.id)")
            guard router.id != 0, !router.addresses.isEmpty, router.addresses.count <= 255 else {
                throw ConfigurationError(
                    "virtual router \(router.id) of \(name) on '\(router.port)' needs an id of 1 to 255 and 1 to 255 addresses"
                )
            }
            routers.append(
                VirtualRouterPort(
                    id: router.id, port: index, portName: router.port, addresses: router.addresses, ownAddress: own,
                    mac: configuration.usesVirtualMAC ? .virtualRouter(ipv4: router.id) : ports[Int(index)].mac,
                    usesVirtualMAC: configuration.usesVirtualMAC))
        }
        var heartbeat: HeartbeatSettings?
        if let cross = configuration.crossConnect {
            guard configuration.heartbeatInterval >= .milliseconds(1), configuration.heartbeatMisses > 0 else {
                throw ConfigurationError(
                    "the heartbeat of \(name) is \(configuration.heartbeatInterval) × \(configuration.heartbeatMisses); at least 1 ms and one miss are needed"
                )
            }
            let (index, own) = try port(cross.port, for: "the cross-connect")
            crossConnect = CrossConnect(
                port: index, ownAddress: own, peerAddress: cross.peerAddress,
                messageSize: max(256, min(ports[Int(index)].mtu, 1500)) - 28)
            heartbeat = HeartbeatSettings(
                interval: configuration.heartbeatInterval, misses: configuration.heartbeatMisses)
        }
        if let conduit = configuration.conduit {
            guard let crossConnect else {
                throw ConfigurationError("\(name) has a conduit but no cross-connect that it could use")
            }
            guard (1...64).contains(conduit.workers) else {
                throw ConfigurationError("the conduit of \(name) has \(conduit.workers) workers; allowed are 1 to 64")
            }
            let largest = routers.map { Int(ports[Int($0.port)].mtu) }.max() ?? 0
            let mtu = Int(ports[Int(crossConnect.port)].mtu)
            guard mtu >= largest + ConduitKey.overhead else {
                throw ConfigurationError(
                    "the cross-connect of \(name) has MTU \(mtu); its conduit needs \(largest + ConduitKey.overhead) to carry packets of \(largest)"
                )
            }
            self.conduit = conduit
        }
        for link in configuration.trackedLinks ?? [] {
            guard let index = ports.firstIndex(where: { $0.name == link.port }) else {
                throw ConfigurationError("\(name) has no port '\(link.port)' to track")
            }
            tracked.append(PortIndex(index))
        }
        var rules = PairRules.all
        if configuration.preemptsEmpty { rules.remove(.waitsForSessions) }
        election = ElectionSettings(
            priority: configuration.priority, preempts: configuration.preempts,
            advertisementInterval: configuration.advertisementInterval, heartbeat: heartbeat,
            routerAddresses: routers.map(\.ownAddress), ownAddress: crossConnect?.ownAddress ?? .any,
            peerAddress: crossConnect?.peerAddress ?? .any,
            decrements: configuration.trackedLinks.map { $0.map(\.decrement) },
            startupSilentPeriod: configuration.startupSilentPeriod, rules: rules)
    }
}
