internal import LabEvents
internal import Netlink
internal import Wire

/// What a node's kernel has of links, addresses and neighbours. Turns its notifications into what a person cares about:
/// of a neighbour, which MAC address it has and whether it answers, not each step of its state machine.
struct KernelState {
    struct Event: Hashable {
        var kind: EventKind
        var details: EventDetails
    }

    /// Kinds of event that come from these notifications.
    static let kinds: [EventKind] = [.addressAdded, .addressRemoved, .neighborChanged, .carrierUp, .carrierDown]

    /// Neighbours that are remembered, which is more than a kernel keeps by default. Of others, every notification that
    /// could be a change counts as one.
    static let mostNeighbors = 4096

    private struct KnownLink {
        var name: String
        var hasCarrier: Bool
    }

    private struct HeldAddress: Hashable {
        var link: Int32
        var address: NetworkAddress
        var prefixLength: Int

        init(_ address: InterfaceAddress) {
            link = address.link
            self.address = address.address
            prefixLength = address.prefixLength
        }
    }

    private struct Place: Hashable {
        var link: Int32
        var address: NetworkAddress
    }

    private enum Reachability: Hashable {
        case at(MACAddress)
        case failed
    }

    private let reportsCarriers: Bool
    private var links: [Int32: KnownLink] = [:]
    private var addresses: Set<HeldAddress> = []
    private var neighbors: [Place: Reachability] = [:]

    /// - Parameter reportsCarriers: false of a box's host side, whose links lead to the box
    init(links: [Link], addresses: [InterfaceAddress], neighbors: [Neighbor], reportsCarriers: Bool) {
        self.reportsCarriers = reportsCarriers
        _ = resync(links: links, addresses: addresses, neighbors: neighbors)
    }

    mutating func apply(_ change: KernelChange) -> Event? {
        switch change {
        case .link(let link): see(link)
        case .linkRemoved(let link): forget(link.index)
        case .address(let address): add(address)
        case .addressRemoved(let address): remove(HeldAddress(address))
        case .neighbor(let neighbor): see(neighbor)
        case .neighborRemoved(let neighbor): forget(neighbor)
        }
    }

    /// Notifications were lost: what differs from the present lists.
    mutating func resync(links new: [Link], addresses listed: [InterfaceAddress], neighbors entries: [Neighbor])
        -> [Event]
    {
        let present = Set(new.map(\.index))
        var events = links.keys.filter { !present.contains($0) }.sorted().compactMap { forget($0) }
        events += new.compactMap { see($0) }
        let held = Set(listed.map(HeldAddress.init))
        events += addresses.subtracting(held).compactMap { remove($0) }
        events += listed.compactMap { add($0) }
        let places = Set(entries.map { Place(link: $0.link, address: $0.address) })
        neighbors = neighbors.filter { places.contains($0.key) }
        events += entries.compactMap { see($0) }
        return events
    }

    // MARK: Links

    private mutating func see(_ link: Link) -> Event? {
        let before = links.updateValue(KnownLink(name: link.name, hasCarrier: link.hasCarrier), forKey: link.index)
        guard let before, before.hasCarrier != link.hasCarrier else { return nil }
        return carrier(of: link.name, isUp: link.hasCarrier)
    }

    private mutating func forget(_ index: Int32) -> Event? {
        guard let before = links.removeValue(forKey: index), before.hasCarrier else { return nil }
        return carrier(of: before.name, isUp: false)
    }

    private func carrier(of name: String, isUp: Bool) -> Event? {
        guard reportsCarriers else { return nil }
        return Event(kind: isUp ? .carrierUp : .carrierDown, details: [.interface: name])
    }

    private func name(of link: Int32) -> String { links[link]?.name ?? "#\(link)" }

    // MARK: Addresses

    /// IPv6 addresses are notified again whenever one of their flags changes.
    private mutating func add(_ address: InterfaceAddress) -> Event? {
        let held = HeldAddress(address)
        guard addresses.insert(held).inserted else { return nil }
        return event(.addressAdded, of: held)
    }

    private mutating func remove(_ held: HeldAddress) -> Event? {
        guard addresses.remove(held) != nil else { return nil }
        return event(.addressRemoved, of: held)
    }

    private func event(_ kind: EventKind, of held: HeldAddress) -> Event {
        Event(kind: kind, details: [.interface: name(of: held.link), .address: "\(held.address)"])
    }

    // MARK: Neighbours

    private mutating func see(_ neighbor: Neighbor) -> Event? {
        let new: Reachability
        switch neighbor.state {
        case .reachable, .stale, .delay, .probe, .permanent:
            guard let mac = neighbor.mac else { return nil }
            new = .at(mac)
        case .failed: new = .failed
        // Nothing is known yet; or nothing need be, of a multicast address.
        case .incomplete, .noarp, .none: return nil
        }
        let place = Place(link: neighbor.link, address: neighbor.address)
        let before = neighbors[place]
        guard before != new else { return nil }
        if before != nil || neighbors.count < Self.mostNeighbors { neighbors[place] = new }
        var details: EventDetails = [
            .interface: name(of: neighbor.link), .address: "\(neighbor.address)", .state: neighbor.state.rawValue,
        ]
        if case .at(let mac) = new { details[.mac] = "\(mac)" }
        if case .at(let mac) = before { details[.from] = "\(mac)" }
        return Event(kind: .neighborChanged, details: details)
    }

    /// The kernel has dropped the entry, which reaches nobody: it may be learned again.
    private mutating func forget(_ neighbor: Neighbor) -> Event? {
        neighbors[Place(link: neighbor.link, address: neighbor.address)] = nil
        return nil
    }
}
