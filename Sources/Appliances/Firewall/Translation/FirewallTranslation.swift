import Dataplane
import LabEvents
import LabTime
import Wire

/// What a firewall's translation needs beside its session engine.
struct FirewallTranslation: ~Copyable {
    var addresses = PoolAddresses()
    var fragments = FragmentTable<IPv4>()
    var unsolicited = UnsolicitedSYNs<IPv4>()

    var deadline: Instant? {
        guard let first = fragments.deadline, let second = unsolicited.deadline else {
            return fragments.deadline ?? unsolicited.deadline
        }
        return min(first, second)
    }
}

extension Firewall {
    mutating func advanceTranslation(to now: Instant, into output: inout FrameQueue) {
        ports.counters.drop(.fragment, times: translation.fragments.advance(to: now))
        while let frame = translation.unsolicited.next(at: now) {
            // A box that has handed over leaves its answers to its peer.
            guard isForwarding, let packet = PacketView(frame.bytes) else { continue }
            ports.sendError(.portUnreachable, about: frame, packet, at: now, into: &output)
        }
    }

    var translationReadings: [CounterReading] {
        let tally = filter.nat.tally
        return [
            CounterReading(.natMappings, filter.nat.count),
            CounterReading(.natGranted, tally.granted),
            CounterReading(.natPreserved, tally.preserved),
            CounterReading(.natExhausted, tally.exhausted),
            CounterReading(.natRetired, filter.nat.retiredCount),
            CounterReading(.natAdopted, tally.adopted),
            CounterReading(.natForeign, tally.foreign),
            CounterReading(.natUnsolicited, translation.unsolicited.count),
            CounterReading(.fragmentsHeld, translation.fragments.heldCount),
            CounterReading(.fragmentsDatagrams, translation.fragments.count),
            CounterReading(.fragmentsEvicted, translation.fragments.evicted),
        ]
    }
}
