import Dataplane
import LabTime
import Mutants
import Redundancy
import Wire

extension Firewall {
    /// Holds a packet of a session that the peer does not know yet, where the pair defers.
    /// - Returns: whether the packet waits
    mutating func holds(_ frame: Frame, of index: FlowIndex, at now: Instant) -> Bool {
        guard journal.isAwaited(index), !Mutant.isOn(.defersNothing) else { return false }
        guard deferred.hold(frame, of: index, at: now) else {
            journal.confirm(index)
            tally.deferralsWithoutRoom &+= 1
            return false
        }
        tally.deferred &+= 1
        return true
    }

    /// Lets packets go whose session the peer knows now, or that have waited long enough.
    mutating func releaseDeferred(at now: Instant, into output: inout FrameQueue) {
        var position = 0
        while position < deferred.count {
            let entry = deferred[position]
            if filter.table.contains(entry.index), journal.isAwaited(entry.index) {
                if let message = journal.message(with: entry.index), channel.hasArrived(message: message) {
                    journal.confirm(entry.index)
                } else if entry.due <= now {
                    journal.confirm(entry.index)
                    tally.deferralsExpired &+= 1
                } else {
                    position += 1
                    continue
                }
            }
            // Behind a session that is confirmed, or nobody's any more.
            let frame = deferred.take(at: position)
            guard isForwarding else {
                passToActive(frame, at: now, into: &output)
                continue
            }
            guard let packet = PacketView(frame.bytes), let match = filter.table.find(packet.fiveTuple),
                match.index == entry.index
            else {
                ports.counters.drop(.noSession)
                continue
            }
            send(frame, packet, of: match.index, at: now, into: &output)
        }
    }

    /// The peer can be told nothing any more: nobody waits.
    mutating func endDeferral(at now: Instant, into output: inout FrameQueue) {
        journal.isDeferring = false
        releaseDeferred(at: now, into: &output)
    }
}
