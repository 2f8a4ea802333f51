import Dataplane
import Wire

extension LoadBalancer {
    /// What must hold before a balancer can work at all.
    static func check(_ configuration: LoadBalancerConfiguration, _ ports: borrowing BoxPorts) throws(ConfigurationError) {
        guard !configuration.ports.isEmpty else {
            throw ConfigurationError("\(configuration.name) has no interface; a load balancer needs one at least")
        }
        guard configuration.services.count < Int(UInt16.max) else {
            throw ConfigurationError("\(configuration.name) has \(configuration.services.count) services; 65534 are allowed")
        }
        var listeners: [String: String] = [:]
        var answerers: [String: String] = [:]
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
            if service.profile == .http, let problem = service.http?.problem {
                throw ConfigurationError("service \(service.name): \(problem)")
            }
            for member in service.members {
                guard (1...100).contains(member.weight) else {
                    throw ConfigurationError(
                        "member \(member.name) of service \(service.name) has weight \(member.weight); 1 to 100 are allowed")
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
                guard service.profile == .udpPerPacket, service.sourceTranslation == .off else { continue }
                let answerer = member.address.endpoint(port: member.port)
                if let other = answerers.updateValue(service.name, forKey: answerer), other != service.name {
                    throw ConfigurationError(
                        "the per-packet services \(other) and \(service.name) share member \(answerer), so an answer could be either's; give one of them source-translation auto-map"
                    )
                }
            }
        }
    }

    /// The port that packets to an address leave by.
    private static func port(towards address: IPAddress, _ ports: borrowing BoxPorts) -> PortIndex? {
        switch address {
        case .ipv4(let address): ports.routes.lookup(address)?.port
        case .ipv6(let address): ports.ipv6Routes.lookup(address)?.port
        }
    }

    private static func hasAddress(_ port: BoxPort, of family: AddressFamily) -> Bool {
        family == .ipv4 ? port.address != nil : port.ipv6 != nil
    }
}
