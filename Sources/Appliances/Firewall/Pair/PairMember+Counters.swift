import LabEvents
import Redundancy
import Wire

extension PairMember {
    /// - Parameters:
    ///   - sessionCount: sessions of the box
    ///   - conduit: whose counters are among those of the pair
    func readings(sessionCount: Int, conduit: Conduit?) -> [CounterReading] {
        var readings: [CounterReading] = []
        func add(_ events: PairTally.Event...) {
            readings += events.map { CounterReading($0.counter, tally[$0]) }
        }
        func add(_ counter: Counter, _ value: UInt64) { readings.append(CounterReading(counter, value)) }
        add(.heartbeatSent, .heartbeatReceived, .heartbeatStale)
        add(.advertisementSent, .advertisementReceived, .advertisementOfOtherRouter, .advertisementNotLocal)
        add(.addressAnnounced)
        add(.recordsSent, .recordsResent, .recordsAcknowledged)
        add(.syncMessagesUnderWay, UInt64(channel.messagesUnderWay))
        add(.syncSessionsNoted, UInt64(min(journal.pendingCount, sessionCount)))
        add(.recordsApplied, .recordsRefused, .strangerMessage, .unconfirmedEpoch)
        add(.syncRuleUnknown, journal.unknownRules)
        add(.messageRepeated, .hello)
        add(.vrrpOverruled, election.overruled)
        add(.packetDeferred, .deferralExpired, .deferralWithoutRoom)
        if let conduit { readings += conduit.readings }
        for reason in WireError.Reason.allCases {
            readings.append(
                CounterReading(.vrrpDiscarded, reason.counterWords, tally.discardedAdvertisements[reason]))
            readings.append(CounterReading(.syncDiscarded, reason.counterWords, tally.discardedMessages[reason]))
        }
        return readings
    }
}
