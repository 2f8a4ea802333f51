import Dataplane
public import LabEvents
import Redundancy
public import Wire

extension Firewall {
    public var counters: [CounterReading] {
        var readings = ports.counters.readings()
        readings += sessionReadings
        readings += translationReadings
        readings += pinholeReadings
        if redundancy != nil { readings += redundancyReadings }
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

    private var redundancyReadings: [CounterReading] {
        var readings: [CounterReading] = []
        func add(_ counter: Counter, _ value: UInt64) { readings.append(CounterReading(counter, value)) }
        add(.heartbeatSent, tally.heartbeatsSent)
        add(.heartbeatReceived, tally.heartbeatsReceived)
        add(.heartbeatStale, tally.heartbeatsStale)
        add(.vrrpSent, tally.advertisementsSent)
        add(.vrrpReceived, tally.advertisementsReceived)
        add(.vrrpOtherRouter, tally.advertisementsOfOthers)
        add(.vrrpNotLocal, tally.advertisementsNotLocal)
        add(.arpAnnounced, tally.announcementsSent)
        add(.syncRecordsSent, tally.recordsSent)
        add(.syncRecordsResent, tally.recordsResent)
        add(.syncRecordsAcknowledged, tally.recordsAcknowledged)
        add(.syncMessagesUnderWay, UInt64(channel.messagesUnderWay))
        add(.syncSessionsNoted, UInt64(min(journal.pendingCount, filter.count)))
        add(.syncRecordsApplied, tally.recordsApplied)
        add(.syncRecordsRefused, tally.recordsRefused)
        add(.syncStrangers, tally.messagesOfStrangers)
        add(.syncUnconfirmed, tally.unconfirmedEpochs)
        add(.syncRuleUnknown, journal.unknownRules)
        add(.syncRepeated, tally.messagesRepeated)
        add(.syncHellos, tally.hellos)
        add(.vrrpOverruled, election.overruled)
        add(.deferHeld, tally.deferred)
        add(.deferExpired, tally.deferralsExpired)
        add(.deferNoRoom, tally.deferralsWithoutRoom)
        if redundancy?.conduit != nil {
            add(.conduitForwarded, tally.conduitForwarded)
            add(.conduitReturned, tally.conduitReturned)
            add(.conduitReceived, tally.conduitReceived)
            add(.conduitDelivered, tally.conduitDelivered)
            add(.conduitTooBig, tally.conduitTooBig)
            for (number, frames) in workers.enumerated() {
                readings.append(CounterReading(.conduitWorker, [.worker: "\(number)"], frames))
            }
        }
        for reason in WireError.Reason.allCases {
            readings.append(CounterReading(.vrrpDiscarded, reason.counterWords, tally.advertisementErrors[reason]))
            readings.append(CounterReading(.syncDiscarded, reason.counterWords, tally.messageErrors[reason]))
        }
        return readings
    }
}

extension WireError.Reason {
    /// In the counters `vrrp.discarded.<reason>` and `sync.discarded.<reason>`.
    public var counterWords: CounterWords { [.reason: counterWord, .meaning: meaning] }

    private var counterWord: String {
        switch self {
        case .truncated: "truncated"
        case .wrongVersion: "wrong-version"
        case .wrongHeaderLength: "wrong-header-length"
        case .wrongLength: "wrong-length"
        case .wrongChecksum: "wrong-checksum"
        case .unknownKind: "unknown-kind"
        case .forbiddenValue: "forbidden-value"
        case .wrongOption: "wrong-option"
        case .tooManyHeaders: "too-many-headers"
        case .foreign: "foreign"
        case .notAuthenticated: "not-authenticated"
        case .unexpectedAuthenticator: "unexpected-authenticator"
        case .wrongAuthenticator: "wrong-authenticator"
        case .replayed: "replayed"
        }
    }

    private var meaning: String {
        switch self {
        case .truncated: "truncated."
        case .wrongVersion: "of a version that this box does not speak."
        case .wrongHeaderLength: "with a header length that cannot be."
        case .wrongLength: "with a length that contradicts the packet."
        case .wrongChecksum: "with a wrong checksum."
        case .unknownKind: "of an unknown kind."
        case .forbiddenValue: "with a field whose value is forbidden."
        case .wrongOption: "with a wrong option."
        case .tooManyHeaders: "with too many headers."
        case .foreign: "of another protocol."
        case .notAuthenticated: "without an authenticator, where this box has a key."
        case .unexpectedAuthenticator: "with an authenticator, where this box has no key."
        case .wrongAuthenticator: "whose authenticator this box's key does not make."
        case .replayed: "of an earlier life of either box: late, or repeated by somebody."
        }
    }
}
