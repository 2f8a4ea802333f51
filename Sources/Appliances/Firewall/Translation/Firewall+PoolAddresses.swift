import Dataplane
import LabEvents
import LabTime
import Wire

extension Firewall {
    mutating func ownPoolAddresses() {
        for entry in translation.addresses.all { ports.own(entry.address, on: entry.port, answering: entry.mac) }
    }

    mutating func removePoolAddresses() {
        for entry in translation.addresses.all { ports.removeAddress(entry.address, on: entry.port) }
    }

    mutating func announcePoolAddresses(into output: inout FrameQueue) {
        for entry in translation.addresses.all { announce(entry, into: &output) }
    }

    private mutating func announce(_ entry: PoolAddresses.Address, into output: inout FrameQueue) {
        ports.announce(entry.address, at: entry.mac, on: entry.port, into: &output)
        pair?.tally.count(.addressAnnounced)
    }

    /// Pools came or went, or the last session of an address that is no pool's any more: what the box answers ARP for
    /// follows, and what is new is announced to neighbours.
    mutating func settlePoolAddresses(at now: Instant, into output: inout FrameQueue) {
        let routers = pair?.settings.routers ?? []
        guard let change = translation.addresses.update(from: filter.nat, ports, routers) else { return }
        for entry in change.gone {
            log.report(.natAddressReleased, at: now, [.address: "\(entry.address)"])
            if isForwarding { ports.removeAddress(entry.address, on: entry.port) }
        }
        guard isForwarding, !change.new.isEmpty else { return }
        for entry in change.new {
            ports.own(entry.address, on: entry.port, answering: entry.mac)
            announce(entry, into: &output)
        }
        guard let times = pair?.settings.announcementTimes, times.count > 1 else { return }
        // Repeated as often as after a takeover: who did not receive it keeps an entry that leads nowhere.
        pair?.announcements.begin(at: now)
        pair?.announcements.proceed(through: times)
    }
}
