import Configuration
public import Dataplane
import LabEvents
public import LabTime
import Mutants
import Wire

extension LoadBalancer {
    public mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        switch command {
        case .switchover:
            return .refused(
                reason: "\(configuration.name) is a load balancer without a peer; only a firewall pair switches over")
        case .carrier(let name, let isUp):
            guard let index = configuration.ports.firstIndex(where: { $0.name == name }) else {
                let names = configuration.ports.map(\.name).joined(separator: ", ")
                return .refused(reason: "\(configuration.name) has no interface \(name); it has \(names)")
            }
            core.ports.setCarrier(of: PortIndex(index), isUp: isUp)
            return .done
        case .member(let service, let member, let isUp):
            return setMember(member, of: service, isUp: isUp, at: now)
        case .routes(let routes): return core.ports.takeOver(routes)
        case .weight(let service, let member, let weight):
            return setWeight(member, of: service, weight, at: now)
        case .connections:
            advance(to: now, into: &output)
            return .connections(connections(at: now))
        case .policy:
            return .refused(
                reason: "\(configuration.name) is a load balancer; only a firewall has rules that can be changed")
        case .clear:
            return .refused(reason: "\(configuration.name) is a load balancer; sessions of firewalls are cleared")
        case .fault:
            return .refused(reason: "\(configuration.name) is a load balancer and no in-line element")
        }
    }

    /// Sessions of fast-path services and mappings of per-packet services. What ends at the host side, its kernel knows.
    private func connections(at now: Instant) -> ConnectionList {
        ipv4.sessions(at: now) + ipv6.sessions(at: now)
            + ipv4.datagrams(of: configuration.services, at: now) + ipv6.datagrams(of: configuration.services, at: now)
    }

    private mutating func setMember(
        _ memberName: String, of serviceName: String, isUp: Bool, at now: Instant
    ) -> ApplianceReply {
        let (service, places): (Int, [Int])
        switch find(memberName, of: serviceName) {
        case .failure(let refusal): return .refused(reason: refusal.reason)
        case .success(let found): (service, places) = found
        }
        for place in places where core.services[service].setMember(place, isUp: isUp) {
            let removed = isUp ? 0 : removeSessions(of: service, member: place)
            if Mutant.isOn(.takesMembersOutSilently) { continue }
            reportMember(isUp ? .memberUp : .memberDown, service, place, [.sessionsRemoved: "\(removed)"], at: now)
        }
        return .done
    }

    /// Sessions stay with their members; what is new follows the weights.
    private mutating func setWeight(
        _ memberName: String, of serviceName: String, _ weight: Int, at now: Instant
    ) -> ApplianceReply {
        guard (1...100).contains(weight) else {
            return .refused(reason: "\(weight) is no weight of a member; 1 to 100 are allowed")
        }
        let (service, places): (Int, [Int])
        switch find(memberName, of: serviceName) {
        case .failure(let refusal): return .refused(reason: refusal.reason)
        case .success(let found): (service, places) = found
        }
        for place in places where core.services[service].setWeight(place, weight) {
            reportMember(.memberWeight, service, place, [.weight: "\(weight)"], at: now)
        }
        return .done
    }

    private struct Refusal: Error {
        var reason: String
    }

    private func find(_ memberName: String, of serviceName: String) -> Result<(Int, [Int]), Refusal> {
        guard let service = configuration.services.firstIndex(where: { $0.name == serviceName }) else {
            let names = configuration.services.map(\.name).joined(separator: ", ")
            return .failure(Refusal(reason: "\(configuration.name) has no service \(serviceName); it has \(names)"))
        }
        let members = configuration.services[service].members
        let places = members.indices.filter { members[$0].name == memberName }
        guard !places.isEmpty else {
            let names = members.map(\.name).joined(separator: ", ")
            return .failure(Refusal(reason: "service \(serviceName) has no member \(memberName); it has \(names)"))
        }
        return .success((service, places))
    }

    /// An event about a member, with the share of clients that the change moved where a hash decides.
    private mutating func reportMember(
        _ kind: EventKind, _ service: Int, _ place: Int, _ more: EventDetails, at now: Instant
    ) {
        let member = configuration.services[service].members[place]
        var details: EventDetails = [
            .service: configuration.services[service].name, .member: member.name,
            .address: member.address.endpoint(port: member.port), .membersUp: "\(core.services[service].membersUp)",
        ].merging(more) { $1 }
        if let moved = core.services[service].moved {
            details[.shareMoved] = Self.percent(moved)
            details[.shareIdeal] = Self.percent(core.services[service].idealMove)
        }
        events.append(ApplianceEvent(kind, at: now, details: details))
    }

    /// `33.4 %`
    private static func percent(_ share: Double) -> String {
        let tenths = Int((share * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10) %"
    }

    /// Ends every session of a member that went down.
    private mutating func removeSessions(of service: Int, member: Int) -> Int {
        switch core.services[service].address {
        case .ipv4: ipv4.removeSessions(of: service, member: member, &core)
        case .ipv6: ipv6.removeSessions(of: service, member: member, &core)
        }
    }
}

extension Balancer {
    fileprivate func sessions(at now: Instant) -> ConnectionList {
        flows.connections { place in
            let flow = flows.original(of: place)
            let toMember = flows.reply(of: place)?.reversed ?? flow
            return ConnectionReading(
                source: flow.sourceWords, destination: flow.destinationWords, protocol: "\(flow.protocol)",
                state: flow.protocol == .tcp ? flows[place].progress.words : "OPEN",
                remaining: max(.zero, flows.expiry(of: place) - now),
                translated: toMember == flow ? nil : toMember.connectionWords)
        }
    }

    fileprivate func datagrams(of services: [VirtualServiceConfiguration], at now: Instant) -> ConnectionList {
        mappings.connections { place in
            let mapping = mappings[place]
            let service = services[Int(mapping.service)]
            let own = mappings.original(of: place).destination.erased
            return ConnectionReading(
                source: mapping.client.erased.endpoint(port: mapping.clientPort),
                destination: service.address.endpoint(port: service.port),
                protocol: "udp", state: "OPEN", remaining: max(.zero, mappings.expiry(of: place) - now),
                translated: "\(own.endpoint(port: mapping.translationPort)) -> \(service.name)")
        }
    }
}
