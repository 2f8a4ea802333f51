internal import LabEvents
internal import Netlink
internal import Wire

/// How two lists of routes differ.
struct RouteChanges: Hashable, Sendable {
    struct Change: Hashable, Sendable {
        var kind: EventKind
        var destination: IPNetwork
        /// Of a route that is gone, those that it had.
        var nextHops: [PreferredRoute.NextHop]
    }

    /// In the order of their destinations, of each kind as many as a second may have.
    var changes: [Change] = []
    /// Further ones, by kind.
    var leftOut: [EventKind: Int] = [:]

    var isEmpty: Bool { changes.isEmpty }

    /// - Parameters: both in order
    /// - Complexity: O(n)
    init(from old: [PreferredRoute], to new: [PreferredRoute]) {
        var counts: [EventKind: Int] = [:]
        var (before, after) = (old[...], new[...])
        while true {
            let (kind, route): (EventKind, PreferredRoute)
            switch (before.first, after.first) {
            case (nil, nil): return
            case (let gone?, nil): (kind, route) = (.routeRemoved, gone)
            case (nil, let come?): (kind, route) = (.routeAdded, come)
            case (let gone?, let come?) where gone.destination == come.destination:
                before.removeFirst()
                after.removeFirst()
                if gone.nextHops != come.nextHops { add(.routeChanged, come, &counts) }
                continue
            case (let gone?, let come?): (kind, route) = gone < come ? (.routeRemoved, gone) : (.routeAdded, come)
            }
            if kind == .routeRemoved { before.removeFirst() } else { after.removeFirst() }
            add(kind, route, &counts)
        }
    }

    private mutating func add(_ kind: EventKind, _ route: PreferredRoute, _ counts: inout [EventKind: Int]) {
        counts[kind, default: 0] += 1
        if counts[kind, default: 0] <= KernelEventLimit.most {
            changes.append(Change(kind: kind, destination: route.destination, nextHops: route.nextHops))
        } else {
            leftOut[kind, default: 0] += 1
        }
    }
}
