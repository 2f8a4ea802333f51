import LabEvents
import Wire

/// What a box of a pair counts of its control channel.
struct PairTally {
    enum Event: Int, CaseIterable {
        case heartbeatSent
        case heartbeatReceived
        case heartbeatStale
        case advertisementSent
        case advertisementReceived
        case advertisementOfOtherRouter
        case advertisementNotLocal
        case addressAnnounced
        case recordsSent
        case recordsResent
        case recordsAcknowledged
        case recordsApplied
        case recordsRefused
        case strangerMessage
        case unconfirmedEpoch
        case messageRepeated
        case hello
        case packetDeferred
        case deferralExpired
        case deferralWithoutRoom
    }

    private var events = EventTally<Event>()
    var discardedAdvertisements = ErrorTally()
    var discardedMessages = ErrorTally()

    mutating func count(_ event: Event, times: Int = 1) { events.count(event, times: times) }
    subscript(event: Event) -> UInt64 { events[event] }
}

extension PairTally.Event {
    /// The declared counter: its name and what it means.
    var counter: Counter {
        switch self {
        case .heartbeatSent: .heartbeatSent
        case .heartbeatReceived: .heartbeatReceived
        case .heartbeatStale: .heartbeatStale
        case .advertisementSent: .vrrpSent
        case .advertisementReceived: .vrrpReceived
        case .advertisementOfOtherRouter: .vrrpOtherRouter
        case .advertisementNotLocal: .vrrpNotLocal
        case .addressAnnounced: .arpAnnounced
        case .recordsSent: .syncRecordsSent
        case .recordsResent: .syncRecordsResent
        case .recordsAcknowledged: .syncRecordsAcknowledged
        case .recordsApplied: .syncRecordsApplied
        case .recordsRefused: .syncRecordsRefused
        case .strangerMessage: .syncStrangers
        case .unconfirmedEpoch: .syncUnconfirmed
        case .messageRepeated: .syncRepeated
        case .hello: .syncHellos
        case .packetDeferred: .deferHeld
        case .deferralExpired: .deferExpired
        case .deferralWithoutRoom: .deferNoRoom
        }
    }
}

/// Malformed messages by reason.
struct ErrorTally {
    private var counts = [UInt64](repeating: 0, count: WireError.Reason.allCases.count)

    mutating func count(_ reason: WireError.Reason) { counts[Int(reason.rawValue)] &+= 1 }

    subscript(reason: WireError.Reason) -> UInt64 { counts[Int(reason.rawValue)] }
}
