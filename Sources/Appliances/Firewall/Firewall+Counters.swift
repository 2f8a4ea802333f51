import Dataplane
import Redundancy
import Wire

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
        var categories = [UInt64](repeating: 0, count: filter.categories.names.count + 1)
        var index = filter.table.next(after: nil)
        while let place = index {
            let session = filter.table[place]
            applications[Int(session.application.rawValue)] += 1
            if Int(session.category) < categories.count { categories[Int(session.category)] += 1 }
            index = filter.table.next(after: place)
        }
        let byApplication = Application.allCases.map {
            CounterReading(
                name: "sessions.application.\($0.name)", value: applications[Int($0.rawValue)],
                meaning: "Sessions known at the moment whose first payload was that of \($0.name).")
        }
        let byCategory = filter.categories.names.enumerated().map {
            CounterReading(
                name: "sessions.category.\($0.element)", value: categories[$0.offset + 1],
                meaning: "Sessions known at the moment that ask for a name of the category \($0.element).")
        }
        return [
            CounterReading(name: "sessions", value: UInt64(filter.count), meaning: "Sessions known at the moment."),
            CounterReading(
                name: "sessions.opened", value: filter.opened, meaning: "Sessions opened by packets that passed here."),
            CounterReading(
                name: "sessions.expired", value: filter.expired, meaning: "Sessions forgotten because no packet came."),
            CounterReading(
                name: "sessions.lookups", value: filter.lookups,
                meaning: "Packets for which a session was looked up."),
        ] + byApplication + byCategory
    }

    private var redundancyReadings: [CounterReading] {
        var readings: [CounterReading] = []
        func add(_ name: String, _ value: UInt64, _ meaning: String) {
            readings.append(CounterReading(name: name, value: value, meaning: meaning))
        }
        add("heartbeat.sent", tally.heartbeatsSent, "Heartbeats sent on the cross-connect.")
        add("heartbeat.received", tally.heartbeatsReceived, "Heartbeats of the peer.")
        add(
            "heartbeat.stale", tally.heartbeatsStale, "Heartbeats that a later one had overtaken; they changed nothing."
        )
        add("vrrp.sent", tally.advertisementsSent, "Advertisements sent.")
        add("vrrp.received", tally.advertisementsReceived, "Valid advertisements for a virtual router of this box.")
        add(
            "vrrp.other-router", tally.advertisementsOfOthers,
            "Advertisements of virtual routers that are not this box's.")
        add(
            "vrrp.not-local", tally.advertisementsNotLocal,
            "Advertisements not sent to the VRRP group with time to live 255.")
        add("arp.announced", tally.announcementsSent, "Gratuitous ARP announcements of virtual addresses.")
        add("sync.records-sent", tally.recordsSent, "Session records sent to the peer.")
        add("sync.records-resent", tally.recordsResent, "Session records sent again because no acknowledgement came.")
        add("sync.records-acknowledged", tally.recordsAcknowledged, "Session records that the peer has consumed.")
        add(
            "sync.messages-under-way", UInt64(channel.messagesUnderWay),
            "Messages with session records that wait at the moment for the peer to consume them; at most 64.")
        add(
            "sync.sessions-noted", UInt64(min(filter.noted, filter.count)),
            "Sessions with news that wait at the moment for a message to the peer; at most all.")
        add("sync.records-applied", tally.recordsApplied, "Session records of the peer that were applied.")
        add(
            "sync.records-refused", tally.recordsRefused, "Session records of the peer for which the table had no room."
        )
        add(
            "sync.strangers", tally.messagesOfStrangers,
            "Cross-connect messages that are not the peer's, or not from this link.")
        add(
            "sync.unconfirmed", tally.unconfirmedEpochs,
            "Heartbeats that claim a later start of the peer than the one that is heard; they changed nothing.")
        add(
            "sync.rule-unknown", filter.unknownRules,
            "Session records of the peer whose rule this box does not have or which denies here.")
        add(
            "sync.repeated", tally.messagesRepeated,
            "Messages of the peer that had been consumed before; they changed nothing.")
        add(
            "sync.greetings", tally.hellos,
            "Heartbeats that did not know this life of the box; they changed nothing.")
        add(
            "vrrp.overruled", election.overruled,
            "Advertisements with the better claim that the peer's heartbeat contradicts; they changed nothing.")
        add("defer.held", tally.deferred, "Packets that waited until the peer knew their session.")
        add("defer.expired", tally.deferralsExpired, "Sessions whose packets waited to the bound.")
        add("defer.no-room", tally.deferralsWithoutRoom, "Packets that should have waited and found no room.")
        if redundancy?.conduit != nil {
            add(
                "conduit.forwarded", tally.conduitForwarded,
                "Frames handed to the Active before any session was looked up.")
            add(
                "conduit.returned", tally.conduitReturned,
                "Packets that left through the peer because their port has no carrier.")
            add("conduit.received", tally.conduitReceived, "Data frames of the peer on the cross-connect.")
            add("conduit.delivered", tally.conduitDelivered, "Packets of the Active that left by a port of this box.")
            add("conduit.too-big", tally.conduitTooBig, "Packets that the cross-connect's MTU has no room for.")
            for (number, frames) in workers.enumerated() {
                add("conduit.worker.\(number)", frames, "Data frames of the conduit that this worker got.")
            }
        }
        for reason in WireError.Reason.allCases {
            add(
                "vrrp.discarded.\(reason.name)", tally.advertisementErrors[reason],
                "Advertisements that changed nothing: \(reason.meaning)")
            add(
                "sync.discarded.\(reason.name)", tally.messageErrors[reason],
                "Cross-connect messages that changed nothing: \(reason.meaning)")
        }
        return readings
    }
}

extension WireError.Reason {
    /// As in a counter's name.
    fileprivate var name: String {
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

    fileprivate var meaning: String {
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
