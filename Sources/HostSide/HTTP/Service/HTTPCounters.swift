internal import Appliances

/// What an HTTP service has done.
struct HTTPCounters: Hashable, Sendable {
    var accepted = 0
    var open = 0
    var overLimit = 0
    var requests = 0
    /// Requests that were answered by a member, by the first digit of the status.
    var answered = [0, 0, 0, 0, 0, 0]
    var serverConnections = 0
    /// Requests that went over a connection that had carried one before.
    var reused = 0
    /// Source ports that were passed over because the kernel still had them in use.
    var busyPorts = 0
    var reasons: [String: Int] = [:]
    var tlsHandshakes = 0
    var tlsFailures: [String: Int] = [:]

    func readings(of service: String) -> [CounterReading] {
        func reading(_ name: String, _ value: Int, _ meaning: String) -> CounterReading {
            CounterReading(name: "http.\(service).\(name)", value: UInt64(max(0, value)), meaning: meaning)
        }
        let fixed = [
            reading("accepted", accepted, "Connections of clients that were accepted."),
            reading("open", open, "Connections of clients that are open now."),
            reading("over-limit", overLimit, "Connections that were reset because there were too many at a time."),
            reading("requests", requests, "Requests whose head was read."),
            reading("server-connections", serverConnections, "Connections to members that were opened."),
            reading("reused", reused, "Requests on a connection that had carried one before (TCP multiplexing)."),
            reading("busy-ports", busyPorts, "Source ports passed over because the kernel had them in use."),
        ]
        let statuses = (1...5).map {
            reading("answers-\($0)xx", answered[$0], "Answers of members with status \($0)xx.")
        }
        let failures = reasons.sorted { $0.key < $1.key }.map { name, count in
            reading("failed.\(name)", count, "Requests that no member answered to the end, for this reason.")
        }
        let tls =
            tlsHandshakes == 0 && tlsFailures.isEmpty
            ? [] : [reading("tls-handshakes", tlsHandshakes, "TLS handshakes with clients that were completed.")]
        let tlsFailures = tlsFailures.sorted { $0.key < $1.key }.map { name, count in
            reading("tls-failed.\(name)", count, "Clients with which TLS failed, for this reason.")
        }
        return fixed + statuses + failures + tls + tlsFailures
    }
}
