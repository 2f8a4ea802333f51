public import LabTime
import Wire

extension BoxPorts {
    /// When `advance` has something to do; nil where no timer runs.
    public var deadline: Instant? { neighbors.deadline }

    /// Asks again for neighbours that have not answered, and gives up on those that never do.
    public mutating func advance(to now: Instant, into output: inout FrameQueue) {
        while let timeout = neighbors.nextTimeout(at: now) {
            switch timeout {
            case .request(let address, let port):
                solicit(address, by: port, into: &output)
            case .probe(let address, let mac, let port):
                solicit(address, by: port, probing: mac, into: &output)
            case .unreachable(_, _, let dropped):
                counters.drop(.neighborUnreachable, times: dropped)
            }
        }
    }
}
