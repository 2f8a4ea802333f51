import Dataplane
import LabTime
import Mutants
import Redundancy
import Wire

extension Firewall {
    /// Lets packets go whose session the peer knows now, or that have waited long enough.
    mutating func releaseDeferred(at now: Instant, into output: inout FrameQueue) {
        var position = 0
        while let (frame, index) = pair?.nextReleased(&position, filter, at: now) {
            guard isForwarding else {
                passToActive(frame, at: now, into: &output)
                continue
            }
            guard let packet = PacketView(frame.bytes), let match = filter.table.find(packet.fiveTuple),
                match.index == index
            else {
                ports.counters.drop(.noSession)
                continue
            }
            send(frame, packet, of: match.index, at: now, into: &output)
        }
    }
}

extension PairMember {
    /// Holds a packet of a session that the peer does not know yet, where the pair defers.
    /// - Returns: whether the packet waits
    mutating func holds(_ frame: Frame, of index: FlowIndex, at now: Instant) -> Bool {
        guard journal.isAwaited(index), !Mutant.isOn(.defersNothing) else { return false }
        guard deferred.hold(frame, of: index, at: now) else {
            journal.confirm(index)
            tally.count(.deferralWithoutRoom)
            return false
        }
        tally.count(.packetDeferred)
        return true
    }

    /// The next packet that waits no longer.
    /// - Parameter position: where to look on; 0 at the beginning
    fileprivate mutating func nextReleased(
        _ position: inout Int, _ filter: borrowing SessionEngine<IPv4>, at now: Instant
    ) -> (Frame, FlowIndex)? {
        while position < deferred.count {
            let entry = deferred[position]
            if filter.table.contains(entry.index), journal.isAwaited(entry.index) {
                if let message = journal.message(with: entry.index), channel.hasArrived(message: message) {
                    journal.confirm(entry.index)
                } else if entry.due <= now {
                    journal.confirm(entry.index)
                    tally.count(.deferralExpired)
                } else {
                    position += 1
                    continue
                }
            }
            // Behind a session that is confirmed, or nobody's any more.
            return (deferred.take(at: position), entry.index)
        }
        return nil
    }
}
