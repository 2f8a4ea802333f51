import LabTime
import Wire

@testable import Dataplane

/// Pinholes that a pair has promised to keep: an Active said that its peer has them.
struct PinholePromises {
    private struct Promise {
        var expected: FiveTuple
        var expires: Instant
        /// Boxes that have it, as bits.
        var holders: UInt8 = 0b11
    }

    /// By control connection: what it announced last, and nobody connected to.
    private var latest: [FiveTuple: UInt16] = [:]
    private var promises: [FiveTuple: Promise] = [:]

    mutating func announced(_ port: UInt16, on control: FiveTuple) {
        latest[control] = port
        promises[control] = nil
    }

    /// A packet that uses it up is under way.
    mutating func ended(_ control: FiveTuple) {
        latest[control] = nil
        promises[control] = nil
    }

    mutating func crashed(_ box: Int) {
        for control in promises.keys { promises[control]?.holders &= ~(1 << UInt8(box)) }
        promises = promises.filter { $0.value.holders != 0 }
    }

    /// The box's peer has everything that it has.
    mutating func note(_ filter: borrowing SessionEngine<IPv4>) {
        for (control, port) in latest {
            guard let match = filter.gateways.pinholes.find(control), match.direction == .reply else { continue }
            let expected = filter.gateways.pinholes.original(of: match.index)
            guard expected.destinationPort == port else { continue }
            promises[control] = Promise(expected: expected, expires: filter.gateways.pinholes.expiry(of: match.index))
        }
    }

    /// - Returns: the port of a pinhole that the box has been told of and does not have
    func lost(by box: Int, _ filter: borrowing SessionEngine<IPv4>, at now: Instant) -> UInt16? {
        var lost: UInt16?
        for promise in promises.values where promise.holders & 1 << UInt8(box) != 0 {
            // A lifetime crosses in whole milliseconds, and may wait for a message.
            if promise.expires - now < .seconds(5) || filter.gateways.pinholes.find(promise.expected) != nil {
                continue
            }
            // Whatever the order of the dictionary: a seed always finds the same one.
            lost = min(lost ?? .max, promise.expected.destinationPort)
        }
        return lost
    }
}
