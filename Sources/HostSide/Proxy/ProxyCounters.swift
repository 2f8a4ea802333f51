internal import Appliances

/// What a proxy has done with its clients' connections.
struct ProxyCounters: Hashable, Sendable {
    var accepted = 0
    /// Connections of clients at this moment.
    var open = 0
    /// Attempts to reach a member that failed.
    var memberFailures = 0
    /// Connections that were reset because no member could be reached.
    var unserved = 0
    /// Connections that were reset because there were too many.
    var overLimit = 0

    func readings(of service: String) -> [CounterReading] {
        func reading(_ name: String, _ value: Int, _ meaning: String) -> CounterReading {
            CounterReading(name: "proxy.\(service).\(name)", value: UInt64(max(0, value)), meaning: meaning)
        }
        return [
            reading("accepted", accepted, "Connections of clients that were accepted."),
            reading("open", open, "Connections of clients that are open now."),
            reading("member-failures", memberFailures, "Attempts to connect to a member that failed."),
            reading("unserved", unserved, "Connections that were reset because no member could be reached."),
            reading("over-limit", overLimit, "Connections that were reset because there were too many at a time."),
        ]
    }
}
