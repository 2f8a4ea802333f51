import Configuration
import Dataplane
public import LabEvents

extension LoadBalancer {
    public var counters: [CounterReading] {
        var all =
            ports.counters.readings() + [
                CounterReading(.neighbors, ports.neighbors.count),
                CounterReading(.neighborsEvicted, ports.neighbors.evictions),
                CounterReading(.flows, ipv4Flows.pointee.count + ipv6Flows.pointee.count),
                CounterReading(.mappings, ipv4Mappings.pointee.count + ipv6Mappings.pointee.count),
                CounterReading(
                    .snatPortsTaken, (0..<(ports.count * 4)).reduce(0) { $0 + translators[$1].count }),
            ]
        for (index, configured) in configuration.services.enumerated() {
            let words: CounterWords = [.service: configured.name]
            all.append(CounterReading(.servicePacketsToMembers, words, services[index].packetsToMembers))
            all.append(CounterReading(.servicePacketsToClients, words, services[index].packetsToClients))
            all.append(CounterReading(.membersUp, words, services[index].membersUp))
            for (place, member) in configured.members.enumerated() {
                let running = services[index].members[place]
                let words = words.merging([.member: member.name]) { $1 }
                all.append(CounterReading(.memberChosen, words, running.chosen))
                all.append(CounterReading(.memberSessions, words, running.sessions))
            }
        }
        return all
    }
}
