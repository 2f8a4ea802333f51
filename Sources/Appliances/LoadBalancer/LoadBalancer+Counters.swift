import Configuration
import Dataplane
public import LabEvents

extension LoadBalancer {
    public var counters: [CounterReading] {
        var all =
            core.ports.counters.readings() + [
                CounterReading(.neighbors, core.ports.neighbors.count),
                CounterReading(.neighborsEvicted, core.ports.neighbors.evictions),
                CounterReading(.flows, ipv4.flows.count + ipv6.flows.count),
                CounterReading(.mappings, ipv4.mappings.count + ipv6.mappings.count),
                CounterReading(.snatPortsTaken, ipv4.portsTaken + ipv6.portsTaken),
            ]
        for (index, configured) in configuration.services.enumerated() {
            let words: CounterWords = [.service: configured.name]
            all.append(CounterReading(.servicePacketsToMembers, words, core.services[index].packetsToMembers))
            all.append(CounterReading(.servicePacketsToClients, words, core.services[index].packetsToClients))
            all.append(CounterReading(.membersUp, words, core.services[index].membersUp))
            for (place, member) in configured.members.enumerated() {
                let running = core.services[index].members[place]
                let words = words.merging([.member: member.name]) { $1 }
                all.append(CounterReading(.memberChosen, words, running.chosen))
                all.append(CounterReading(.memberSessions, words, running.sessions))
            }
        }
        return all
    }
}
