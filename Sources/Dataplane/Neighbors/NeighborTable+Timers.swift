public import LabTime
import Wire

extension NeighborTable {
    /// The earliest time at which `nextTimeout` may have something; nil where no neighbour is known.
    public var deadline: Instant? { wheel.deadline }

    /// What the next timer that is due asks for; nil where none is left at `now`.
    public mutating func nextTimeout(at now: Instant) -> NeighborTimeout? {
        while let place = wheel.next(at: now) {
            let entry = entries + Int(place)
            let (address, port) = (IPAddress(universal: entry.pointee.address), entry.pointee.port)
            switch entry.pointee.state {
            case .free: continue
            case .incomplete, .probing:
                // The wheel hands out early what is due beyond its turn; requests never are.
                guard entry.pointee.attempts < timing.attempts else {
                    return .unreachable(address, port: port, dropped: remove(entry))
                }
                entry.pointee.attempts &+= 1
                wheel.schedule(place, at: now + timing.retransmit, now: now)
                return entry.pointee.state == .probing
                    ? .probe(address, entry.pointee.mac, port: port) : .request(address, port: port)
            case .reachable, .stale:
                let confirmed = Instant(nanoseconds: entry.pointee.confirmed)
                let age = now - confirmed
                if age < timing.reachable {
                    wheel.schedule(place, at: confirmed + timing.reachable, now: now)
                } else if entry.pointee.isUsed {
                    entry.pointee.isUsed = false
                    entry.pointee.state = .probing
                    entry.pointee.attempts = 1
                    wheel.schedule(place, at: now + timing.retransmit, now: now)
                    return .probe(address, entry.pointee.mac, port: port)
                } else if age >= timing.unused {
                    _ = remove(entry)
                } else {
                    entry.pointee.state = .stale
                    wheel.schedule(place, at: now + timing.staleCheck, now: now)
                }
            }
        }
        return nil
    }
}
