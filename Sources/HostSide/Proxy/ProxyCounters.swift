internal import LabEvents

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
        let words: CounterWords = [.service: service]
        return [
            CounterReading(.proxyAccepted, words, accepted), CounterReading(.proxyOpen, words, open),
            CounterReading(.proxyMemberFailures, words, memberFailures),
            CounterReading(.proxyUnserved, words, unserved),
            CounterReading(.proxyOverLimit, words, overLimit),
        ]
    }
}
