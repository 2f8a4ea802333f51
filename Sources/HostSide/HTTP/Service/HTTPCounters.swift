internal import Appliances
internal import Synchronization

/// A number that one thread counts and others read: adding is a load and a store, not an exchange among processors.
final class SharedCount: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    /// On the counting thread alone.
    func add(_ more: Int = 1) { count.store(value &+ more, ordering: .relaxed) }
}

/// What an HTTP service has done; counted on its thread, read on any.
final class HTTPCounters: Sendable {
    let accepted = SharedCount()
    let open = SharedCount()
    let overLimit = SharedCount()
    let requests = SharedCount()
    /// Requests that were answered by a member, by the first digit of the status.
    let answered = (0...5).map { _ in SharedCount() }
    let serverConnections = SharedCount()
    /// Requests that went over a connection that had carried one before.
    let reused = SharedCount()
    /// Source ports that were passed over because the kernel still had them in use.
    let busyPorts = SharedCount()
    let tlsHandshakes = SharedCount()
    private let reasons = Mutex<[String: Int]>([:])
    private let tlsFailures = Mutex<[String: Int]>([:])

    func countFailure(_ reason: String) { reasons.withLock { $0[reason, default: 0] += 1 } }

    func countTLSFailure(_ reason: String) { tlsFailures.withLock { $0[reason, default: 0] += 1 } }

    func readings(of service: String) -> [CounterReading] {
        func reading(_ name: String, _ value: Int, _ meaning: String) -> CounterReading {
            CounterReading(name: "http.\(service).\(name)", value: UInt64(max(0, value)), meaning: meaning)
        }
        let fixed = [
            reading("accepted", accepted.value, "Connections of clients that were accepted."),
            reading("open", open.value, "Connections of clients that are open now."),
            reading(
                "over-limit", overLimit.value, "Connections that were reset because there were too many at a time."),
            reading("requests", requests.value, "Requests whose head was read."),
            reading("server-connections", serverConnections.value, "Connections to members that were opened."),
            reading(
                "reused", reused.value, "Requests on a connection that had carried one before (TCP multiplexing)."),
            reading("busy-ports", busyPorts.value, "Source ports passed over because the kernel had them in use."),
        ]
        let statuses = (1...5).map {
            reading("answers-\($0)xx", answered[$0].value, "Answers of members with status \($0)xx.")
        }
        let failures = reasons.withLock { $0 }.sorted { $0.key < $1.key }.map { name, count in
            reading("failed.\(name)", count, "Requests that no member answered to the end, for this reason.")
        }
        let tlsFailures = tlsFailures.withLock { $0 }
        let tls =
            tlsHandshakes.value == 0 && tlsFailures.isEmpty
            ? [] : [reading("tls-handshakes", tlsHandshakes.value, "TLS handshakes with clients that were completed.")]
        let tlsReasons = tlsFailures.sorted { $0.key < $1.key }.map { name, count in
            reading("tls-failed.\(name)", count, "Clients with which TLS failed, for this reason.")
        }
        return fixed + statuses + failures + tls + tlsReasons
    }
}
