import Wire

/// What a box of a pair counts of its conversation with the peer.
struct RedundancyTally {
    var heartbeatsSent: UInt64 = 0
    var heartbeatsReceived: UInt64 = 0
    var heartbeatsStale: UInt64 = 0
    var advertisementsSent: UInt64 = 0
    var advertisementsReceived: UInt64 = 0
    var advertisementsOfOthers: UInt64 = 0
    var advertisementsNotLocal: UInt64 = 0
    var announcementsSent: UInt64 = 0
    var recordsSent: UInt64 = 0
    var recordsResent: UInt64 = 0
    var recordsAcknowledged: UInt64 = 0
    var recordsApplied: UInt64 = 0
    var recordsRefused: UInt64 = 0
    var messagesOfStrangers: UInt64 = 0
    var unconfirmedEpochs: UInt64 = 0
    var messagesRepeated: UInt64 = 0
    var hellos: UInt64 = 0
    var deferred: UInt64 = 0
    var deferralsExpired: UInt64 = 0
    var deferralsWithoutRoom: UInt64 = 0
    var conduitForwarded: UInt64 = 0
    var conduitReturned: UInt64 = 0
    var conduitReceived: UInt64 = 0
    var conduitDelivered: UInt64 = 0
    var conduitTooBig: UInt64 = 0
    var advertisementErrors = ErrorTally()
    var messageErrors = ErrorTally()
}

/// Malformed messages by reason.
struct ErrorTally {
    private var counts = [UInt64](repeating: 0, count: WireError.Reason.allCases.count)

    mutating func count(_ reason: WireError.Reason) { counts[Int(reason.rawValue)] &+= 1 }

    subscript(reason: WireError.Reason) -> UInt64 { counts[Int(reason.rawValue)] }
}
