internal import LabTime
internal import Measurement
internal import TrafficModel
internal import Wire

/// From where a flow has asked: one end for each of its sockets.
struct FlowEnds {
    private struct End {
        var endpoint: Endpoint?
        var start: Instant
        var isAnswered = false
    }

    private var ends: [End] = []

    /// Of the first socket; nil of a flow that never had one.
    var first: Endpoint? { ends.first?.endpoint }

    /// - Returns: the number of the end
    mutating func add(_ endpoint: Endpoint?, at now: Instant) -> Int {
        ends.append(End(endpoint: endpoint, start: now))
        return ends.count - 1
    }

    /// What the kernel has chosen for it by now.
    mutating func set(_ endpoint: Endpoint?, of number: Int) {
        if let endpoint { ends[number].endpoint = endpoint }
    }

    mutating func markAnswered(_ number: Int) { ends[number].isAnswered = true }

    /// All but the first; nil where there are none.
    func later(on clock: ClockReference) -> [FlowEnd]? {
        let later = ends.dropFirst().compactMap { end in
            end.endpoint.map {
                FlowEnd(
                    source: $0.address, sourcePort: $0.port, start: clock.timestamp(of: end.start),
                    isAnswered: end.isAnswered)
            }
        }
        return later.isEmpty ? nil : later
    }
}
