import Dataplane
public import LabEvents
public import Wire

extension Firewall {
    public var counters: [CounterReading] {
        var readings = ports.counters.readings()
        readings += sessionReadings
        readings += translationReadings
        readings += pinholeReadings
        switch pair {
        case .some(let member): readings += member.readings(sessionCount: filter.count, conduit: conduit)
        case .none: break
        }
        return readings
    }

    private var sessionReadings: [CounterReading] {
        var applications = [UInt64](repeating: 0, count: Application.allCases.count)
        var categories = [UInt64](repeating: 0, count: filter.inspector.categories.names.count + 1)
        var index = filter.table.next(after: nil)
        while let place = index {
            let session = filter.table[place]
            applications[Int(session.application.rawValue)] += 1
            if Int(session.category) < categories.count { categories[Int(session.category)] += 1 }
            index = filter.table.next(after: place)
        }
        let byApplication = Application.allCases.map {
            CounterReading(.sessionsOfApplication, [.application: $0.name], applications[Int($0.rawValue)])
        }
        let byCategory = filter.inspector.categories.names.enumerated().map {
            CounterReading(.sessionsOfCategory, [.category: $0.element], categories[$0.offset + 1])
        }
        return [
            CounterReading(.sessions, filter.count),
            CounterReading(.sessionsOpened, filter.table.opened),
            CounterReading(.sessionsExpired, filter.table.expired),
            CounterReading(.sessionsLookups, filter.lookups),
        ] + byApplication + byCategory
    }
}
