import Appliances
import LabTime
import VirtualNetwork
import Wire

struct NoPinholeIsLost: PairPromise {
    private struct Promise {
        var expected: FiveTuple
        var expires: Instant
        /// Boxes that have it, as bits.
        var holders: UInt8 = 0b11
    }

    let sentence = "no box that processes lacks a pinhole that its peer has reported to it"
    /// By control connection: what it announced last, and nobody connected to.
    private var latest: [FiveTuple: UInt16] = [:]
    private var promises: [FiveTuple: Promise] = [:]

    mutating func happened(_ what: PairHappening, _ pair: PairView) {
        switch what {
        case .announced(let port, on: let control):
            latest[control] = port
            promises[control] = nil
        case .usesPinhole(let control):
            latest[control] = nil
            promises[control] = nil
        case .crashed(let box):
            for control in promises.keys { promises[control]?.holders &= ~(1 << UInt8(box)) }
            promises = promises.filter { $0.value.holders != 0 }
        default: break
        }
    }

    mutating func check(_ pair: inout PairView) -> String? {
        if pair.forwarding.count == 1, pair.alive.count == 2, let active = pair.forwarding.first,
            pair.lab.boxes[active].firewall.isPeerUpToDate, pair.receives(active)
        {
            record(pair.lab.boxes[active])
        }
        for box in pair.forwarding {
            if let port = lost(by: box, pair) {
                return "box \(box) processes without the pinhole of port \(port), which it has received"
            }
        }
        return nil
    }

    /// The box's peer has everything that it has.
    private mutating func record(_ box: VirtualBox<Firewall>) {
        for (control, port) in latest {
            guard let pinhole = box.firewall.pinhole(of: control), pinhole.expected.destinationPort == port else {
                continue
            }
            promises[control] = Promise(expected: pinhole.expected, expires: pinhole.expires)
        }
    }

    private func lost(by box: Int, _ pair: PairView) -> UInt16? {
        var lost: UInt16?
        for promise in promises.values where promise.holders & 1 << UInt8(box) != 0 {
            // A lifetime crosses in whole milliseconds, and may wait for a message.
            guard promise.expires - pair.now >= .seconds(5) else { continue }
            let isOpen = pair.lab.boxes[box].firewall.hasPinhole(for: promise.expected)
            // Whatever the order of the dictionary: a seed always finds the same one.
            if !isOpen { lost = min(lost ?? .max, promise.expected.destinationPort) }
        }
        return lost
    }
}
