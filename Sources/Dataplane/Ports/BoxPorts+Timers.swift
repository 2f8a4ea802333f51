public import LabTime
import Wire

extension BoxPorts {
    /// When `advance` has something to do; nil where no timer runs.
    public var deadline: Instant? {
        guard let gatewaysDue else { return neighbors.deadline }
        return min(gatewaysDue, neighbors.deadline ?? gatewaysDue)
    }

    private static var gatewayInterval: Duration { .seconds(1) }

    /// From now on the gateways of all IPv4 routes are known before a packet wants to go there: who stands by for
    /// another box has no time to ask when it takes over.
    public mutating func keepGatewaysKnown(from now: Instant) { gatewaysDue = now }

    private mutating func askForGateways(at now: Instant, into output: inout FrameQueue) {
        gatewaysDue = now + Self.gatewayInterval
        for hop in routes.gateways where ports[Int(hop.port)].isUp {
            if neighbors.want(hop.address, on: hop.port, at: now) {
                solicit(hop.address.erased, by: hop.port, into: &output)
            }
        }
    }

    /// Asks again for neighbours that have not answered, and gives up on those that never do.
    public mutating func advance(to now: Instant, into output: inout FrameQueue) {
        if let gatewaysDue, gatewaysDue <= now { askForGateways(at: now, into: &output) }
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
