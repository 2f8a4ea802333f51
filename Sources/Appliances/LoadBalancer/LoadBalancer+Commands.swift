public import Dataplane
public import LabTime
import Wire

extension LoadBalancer {
    public mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        switch command {
        case .switchover:
            return .refused(reason: "\(configuration.name) is a load balancer without a peer; only a firewall pair switches over")
        case .carrier(let name, let isUp):
            guard let index = configuration.ports.firstIndex(where: { $0.name == name }) else {
                let names = configuration.ports.map(\.name).joined(separator: ", ")
                return .refused(reason: "\(configuration.name) has no interface \(name); it has \(names)")
            }
            ports.setCarrier(of: PortIndex(index), isUp: isUp)
            return .done
        case .member(let service, let member, let isUp):
            return setMember(member, of: service, isUp: isUp, at: now)
        case .routes(let routes): return ports.takeOver(routes)
        case .connections:
            return .refused(
                reason: "\(configuration.name) is a load balancer; only a gateway firewall shows its connection table")
        case .policy:
            return .refused(reason: "\(configuration.name) is a load balancer; only a firewall has rules that can be changed")
        case .fault:
            return .refused(reason: "\(configuration.name) is a load balancer and no in-line element")
        }
    }

    private mutating func setMember(
        _ memberName: String, of serviceName: String, isUp: Bool, at now: Instant
    ) -> ApplianceReply {
        guard let service = configuration.services.firstIndex(where: { $0.name == serviceName }) else {
            let names = configuration.services.map(\.name).joined(separator: ", ")
            return .refused(reason: "\(configuration.name) has no service \(serviceName); it has \(names)")
        }
        let members = configuration.services[service].members
        let places = members.indices.filter { members[$0].name == memberName }
        guard !places.isEmpty else {
            let names = members.map(\.name).joined(separator: ", ")
            return .refused(reason: "service \(serviceName) has no member \(memberName); it has \(names)")
        }
        for place in places where services[service].setMember(place, isUp: isUp) {
            let removed = isUp ? 0 : removeSessions(of: service, member: place)
            events.append(
                ApplianceEvent(
                    isUp ? "member-up" : "member-down", at: now,
                    details: [
                        "service": serviceName, "member": memberName,
                        "address": members[place].address.endpoint(port: members[place].port),
                        "members-up": "\(services[service].membersUp)", "sessions-removed": "\(removed)",
                    ]))
        }
        return .done
    }

    /// Ends every session of a member that went down.
    private mutating func removeSessions(of service: Int, member: Int) -> Int {
        switch services[service].address {
        case .ipv4: removeSessions(FiveTuple.self, of: service, member: member)
        case .ipv6: removeSessions(IPv6FiveTuple.self, of: service, member: member)
        }
    }

    private mutating func removeSessions<Tuple: BalancedTuple>(
        _ family: Tuple.Type, of service: Int, member: Int
    ) -> Int {
        let flows = Tuple.flows(of: self)
        var removed = 0
        var next = flows.pointee.next(after: nil)
        while let index = next {
            if flows.pointee[index].service == UInt16(service), flows.pointee[index].member == UInt16(member) {
                end(Tuple.self, index)
                removed += 1
            }
            next = flows.pointee.next(after: index)
        }
        ports.counters.count(.flowsRemoved, times: removed)
        return removed
    }
}
