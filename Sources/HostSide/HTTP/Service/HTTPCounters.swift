internal import LabEvents
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
        let words: CounterWords = [.service: service]
        func reading(_ counter: Counter, _ value: Int, _ more: CounterWords = [:]) -> CounterReading {
            CounterReading(counter, words.merging(more) { $1 }, value)
        }
        let fixed = [
            reading(.httpAccepted, accepted.value), reading(.httpOpen, open.value),
            reading(.httpOverLimit, overLimit.value), reading(.httpRequests, requests.value),
            reading(.httpServerConnections, serverConnections.value), reading(.httpReused, reused.value),
            reading(.httpBusyPorts, busyPorts.value),
        ]
        let statuses = (1...5).map { reading(.httpAnswers, answered[$0].value, [.class: "\($0)xx"]) }
        let failures = reasons.withLock { $0 }.sorted { $0.key < $1.key }.map { name, count in
            reading(.httpFailed, count, [.reason: name])
        }
        let tlsFailures = tlsFailures.withLock { $0 }
        let tls =
            tlsHandshakes.value == 0 && tlsFailures.isEmpty
            ? [] : [reading(.httpTLSHandshakes, tlsHandshakes.value)]
        let tlsReasons = tlsFailures.sorted { $0.key < $1.key }.map { name, count in
            reading(.httpTLSFailed, count, [.reason: name])
        }
        return fixed + statuses + failures + tls + tlsReasons
    }
}
