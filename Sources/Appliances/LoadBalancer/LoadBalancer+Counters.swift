import Configuration
import Dataplane

extension LoadBalancer {
    public var counters: [CounterReading] {
        var all = ports.counters.readings()
        func add(_ name: String, _ value: Int, _ meaning: String) {
            all.append(CounterReading(name: name, value: UInt64(clamping: value), meaning: meaning))
        }
        add("neighbors", ports.neighbors.count, "Neighbours that are known or asked for now.")
        add(
            "neighbors.evicted", Int(clamping: ports.neighbors.evictions),
            "Neighbours forgotten in favour of others because the table was full.")
        add("flows", ipv4Flows.pointee.count + ipv6Flows.pointee.count, "Sessions of fast-path services now.")
        add(
            "mappings", ipv4Mappings.pointee.count + ipv6Mappings.pointee.count,
            "Client endpoints of per-packet services with a translated source port now.")
        add(
            "snat.ports-taken", (0..<(ports.count * 4)).reduce(0) { $0 + translators[$1].count },
            "Source ports towards members that sessions and mappings have now.")
        for (index, configured) in configuration.services.enumerated() {
            let name = "service.\(configured.name)"
            add(
                "\(name).packets-to-members", Int(clamping: services[index].packetsToMembers),
                "Packets from clients that went on to a member.")
            add(
                "\(name).packets-to-clients", Int(clamping: services[index].packetsToClients),
                "Packets from members that went on to a client.")
            add("\(name).members-up", services[index].membersUp, "Pool members that are up now.")
            for (place, member) in configured.members.enumerated() {
                let running = services[index].members[place]
                add(
                    "\(name).member.\(member.name).chosen", Int(clamping: running.chosen),
                    "Sessions, or datagrams of a per-packet service, that this member was chosen for.")
                add("\(name).member.\(member.name).sessions", running.sessions, "Sessions that this member has now.")
            }
        }
        return all
    }
}
