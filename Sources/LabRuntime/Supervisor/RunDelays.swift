internal import Evidence
internal import LabTime

/// When the machine kept processes of a lab from running, since its scenario began.
struct RunDelays {
    /// More than any useful run has. Beyond it the last stretch of the process is extended; a process that
    /// has none yet gets one all the same.
    static let most = 4096
    /// Stops of a node that are remembered: a delay is reported as soon as the node runs again.
    static let mostStops = 64

    private(set) var delays: [ProcessDelay] = []
    private(set) var longest = Duration.zero
    /// By process: the place of its last delay.
    private var last: [String: Int] = [:]
    /// By node: when a fault stopped it. It is not the machine that kept it from running then.
    private var stopped: [String: [(from: Timestamp, to: Timestamp?)]] = [:]

    /// A node is stopped by a fault (`hang`) from now on.
    mutating func stops(_ node: String, at time: Timestamp) {
        stopped[node, default: []].append((time, nil))
        if stopped[node, default: []].count > Self.mostStops { stopped[node]?.removeFirst() }
    }

    func stops(of node: String) -> Int { stopped[node]?.count ?? 0 }

    mutating func resumes(_ node: String, at time: Timestamp) {
        guard let place = stopped[node]?.indices.last else { return }
        stopped[node]?[place].to = time
    }

    mutating func add(_ process: String, from: Timestamp, to: Timestamp, waited: Duration) {
        let isOfFault = stopped[process]?.contains { $0.from <= to && ($0.to.map { $0 >= from } ?? true) } ?? false
        guard !isOfFault, to >= from else { return }
        longest = max(longest, waited)
        if let place = last[process], delays.count >= Self.most || from <= delays[place].to {
            delays[place].to = to
            delays[place].milliseconds = max(delays[place].milliseconds, waited.milliseconds)
            return
        }
        last[process] = delays.count
        delays.append(ProcessDelay(process: process, from: from, to: to, milliseconds: waited.milliseconds))
    }
}
