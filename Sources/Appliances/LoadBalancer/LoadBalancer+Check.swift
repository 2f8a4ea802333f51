import Configuration
import Dataplane
import Wire

extension LoadBalancer {
    /// What must hold before a balancer can work at all.
    static func check(_ configuration: LoadBalancerConfiguration, _ ports: borrowing BoxPorts)
        throws(ConfigurationError)
    {
        guard !configuration.ports.isEmpty else {
            throw ConfigurationError("\(configuration.name) has no interface; a load balancer needs one at least")
        }
        guard configuration.services.count < Int(UInt16.max) else {
            throw ConfigurationError(
                "\(configuration.name) has \(configuration.services.count) services; 65534 are allowed")
        }
        var listeners: [String: String] = [:]
        var answerers: [String: String] = [:]
        var monitored: [String: VirtualServiceConfiguration] = [:]
        for service in configuration.services {
            let transport = service.profile.transport
            let listener = service.address.endpoint(port: service.port) + "/\(transport)"
            if let other = listeners.updateValue(service.name, forKey: listener) {
                throw ConfigurationError("services \(other) and \(service.name) both listen at \(listener)")
            }
            guard !service.members.isEmpty, service.members.count <= 6553 else {
                throw ConfigurationError(
                    "the pool of service \(service.name) has \(service.members.count) members; 1 to 6553 are allowed")
            }
            try check(directReturnOf: service)
            for (_, member) in service.monitoredMembers {
                let asked = "\(member.address):\(member.port)"
                if let other = monitored.updateValue(service, forKey: asked), other.address != service.address {
                    throw ConfigurationError(
                        "the monitors of services \(other.name) and \(service.name) both ask port \(member.port) of member \(member.address), which has both service addresses; give them ports of their own"
                    )
                }
            }
            if service.profile == .http, let problem = service.http?.problem {
                throw ConfigurationError("service \(service.name): \(problem)")
            }
            for member in service.members {
                guard (1...100).contains(member.weight) else {
                    throw ConfigurationError(
                        "member \(member.name) of service \(service.name) has weight \(member.weight); 1 to 100 are allowed"
                    )
                }
                guard member.address.family == service.address.family else {
                    throw ConfigurationError(
                        "service \(service.name) listens on \(service.address), but member \(member.name) has the \(member.address.family.rawValue) address \(member.address); all must be of one family"
                    )
                }
                guard let port = Self.port(towards: member.address, ports) else {
                    throw ConfigurationError(
                        "no route of \(configuration.name) leads to member \(member.name) (\(member.address)) of service \(service.name)"
                    )
                }
                guard service.sourceTranslation == .off || hasAddress(ports[port], of: member.address.family) else {
                    throw ConfigurationError(
                        "service \(service.name) translates sources, but the interface towards member \(member.name) has no address"
                    )
                }
                if let direct = service.directReturn { try check(direct, service, member, port, ports) }
                guard service.profile == .udpPerPacket, service.sourceTranslation == .off, service.directReturn == nil
                else { continue }
                let answerer = member.address.endpoint(port: member.port)
                if let other = answerers.updateValue(service.name, forKey: answerer), other != service.name {
                    throw ConfigurationError(
                        "the per-packet services \(other) and \(service.name) share member \(answerer), so an answer could be either's; give one of them source-translation auto-map"
                    )
                }
            }
        }
    }

    /// What direct server return asks of a service.
    private static func check(directReturnOf service: VirtualServiceConfiguration) throws(ConfigurationError) {
        guard let direct = service.directReturn else { return }
        guard !service.profile.endsAtHostSide else {
            throw ConfigurationError(
                "service \(service.name) has direct server return and the profile \(service.profile.rawValue), which ends connections at the balancer"
            )
        }
        guard service.scheduler == .consistentHash || direct.allowsAnyScheduler else {
            throw ConfigurationError(
                "service \(service.name) has direct server return and the scheduler \(service.scheduler.rawValue); only \(Scheduler.consistentHash.rawValue) is supported"
            )
        }
        guard service.sourceTranslation == .off else {
            throw ConfigurationError(
                "service \(service.name) has direct server return, which translates nothing; its source translation must be off"
            )
        }
    }

    /// What direct server return asks of a member.
    private static func check(
        _ direct: DirectReturnConfiguration, _ service: VirtualServiceConfiguration, _ member: PoolMemberConfiguration,
        _ port: PortIndex, _ ports: borrowing BoxPorts
    ) throws(ConfigurationError) {
        guard member.port == service.port else {
            throw ConfigurationError(
                "member \(member.name) of service \(service.name) has port \(member.port); with direct server return it must be the service's, \(service.port)"
            )
        }
        if direct.mode == .l2, !isOnLink(member.address, ports) {
            throw ConfigurationError(
                "member \(member.name) of service \(service.name) is behind a router; direct server return at layer 2 needs it on the balancer's own network"
            )
        }
        guard let tunnel = direct.mode.encapsulation else { return }
        if tunnel.family != member.address.family {
            throw ConfigurationError(
                "service \(service.name) has the \(member.address.family.rawValue) address \(service.address), and direct server return by \(tunnel.rawValue), whose tunnels are of \(tunnel.family.rawValue)"
            )
        }
        if tunnel.family == .ipv6, Int(ports[port].mtu) < tunnel.leastPathMTU {
            throw ConfigurationError(
                "the interface towards member \(member.name) of service \(service.name) has the MTU \(ports[port].mtu); \(tunnel.rawValue) needs \(tunnel.leastPathMTU)"
            )
        }
        if !hasAddress(ports[port], of: tunnel.family) {
            throw ConfigurationError(
                "the interface towards member \(member.name) of service \(service.name) has no address, so no tunnel can begin there"
            )
        }
    }

    /// Whether an address is a neighbour's.
    private static func isOnLink(_ address: IPAddress, _ ports: borrowing BoxPorts) -> Bool {
        switch address {
        case .ipv4(let address): ports.routes.lookup(address)?.address == address
        case .ipv6(let address): ports.ipv6Routes.lookup(address)?.address == address
        }
    }

    /// The port that packets to an address leave by.
    private static func port(towards address: IPAddress, _ ports: borrowing BoxPorts) -> PortIndex? {
        switch address {
        case .ipv4(let address): ports.routes.lookup(address)?.port
        case .ipv6(let address): ports.ipv6Routes.lookup(address)?.port
        }
    }

    private static func hasAddress(_ port: BoxPort, of family: IPVersion) -> Bool {
        family == .ipv4 ? port.address != nil : port.ipv6 != nil
    }
}
