import Dataplane
import Redundancy
import Wire

extension Firewall {
    public var counters: [CounterReading] {
        var readings = ports.counters.readings()
        readings += sessionReadings
        readings += translationReadings
        if redundancy != nil { readings += redundancyReadings }
        return readings
    }

    private var sessionReadings: [CounterReading] {
        [
            CounterReading(name: "sessions", value: UInt64(filter.count), meaning: "Sessions known at the moment."),
            CounterReading(
                name: "sessions.opened", value: filter.opened, meaning: "Sessions opened by packets that passed here."),
            CounterReading(
                name: "sessions.expired", value: filter.expired, meaning: "Sessions forgotten because no packet came."),
        ]
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
        add("sync.records-applied", tally.recordsApplied, "Session records of the peer that were applied.")
        add(
            "sync.records-refused", tally.recordsRefused, "Session records of the peer for which the table had no room."
        )
        add(
            "sync.strangers", tally.messagesOfStrangers,
            "Cross-connect messages that are not the peer's, or not from this link.")
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
        }
    }
}
