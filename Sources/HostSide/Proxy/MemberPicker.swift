internal import Configuration
internal import Dataplane
internal import Wire

/// Chooses a pool's member for a new connection, among those that are up: by the schedulers of the dataplane, and
/// for consistent hash by the same hash, so that a client has the same member whatever the service's profile.
struct MemberPicker: ~Copyable {
    private let scheduler: Scheduler
    private let members: [PoolMemberConfiguration]
    private var isUp: [Bool]
    private var roundRobin: SmoothRoundRobin
    private var maglev: Maglev

    init(_ members: [PoolMemberConfiguration], scheduler: Scheduler) {
        self.scheduler = scheduler
        self.members = members
        isUp = members.map { _ in true }
        roundRobin = SmoothRoundRobin(capacity: members.count)
        maglev = Maglev(capacity: scheduler == .consistentHash ? members.count : 0)
        updateShares()
    }

    mutating func set(_ name: String, isUp: Bool) {
        for index in members.indices where members[index].name == name { self.isUp[index] = isUp }
        updateShares()
    }

    /// The members that are up: the chosen one, then the others in the pool's order, which are tried if it fails.
    mutating func order(client: IPAddress, port: UInt16) -> [PoolMemberConfiguration] {
        var order: [PoolMemberConfiguration] = []
        guard let first = choose(client: client, port: port) else { return order }
        var next: Int? = first
        while let member = next {
            order.append(members[member])
            next = self.next(after: member, first: first)
        }
        return order
    }

    /// The member that is up behind one that failed, in the pool's order around from the first one tried; nil when
    /// all had their turn.
    func next(after member: Int, first: Int) -> Int? {
        var next = (member + 1) % members.count
        while next != first {
            if isUp[next] { return next }
            next = (next + 1) % members.count
        }
        return nil
    }

    /// The member for a new connection, by its place in the pool; nil where none is up.
    mutating func choose(client: IPAddress, port: UInt16) -> Int? {
        switch scheduler {
        case .roundRobin: return roundRobin.next()
        case .consistentHash:
            let place = maglev.member(for: Maglev.mix(Maglev.identity(client.universal, port)))
            return place == Maglev.none ? nil : Int(place)
        }
    }

    private mutating func updateShares() {
        let weights = members.indices.map { isUp[$0] ? members[$0].weight : 0 }
        for index in members.indices { roundRobin.setWeight(weights[index], of: index) }
        guard scheduler == .consistentHash else { return }
        maglev.fill(
            members.indices.map {
                Maglev.Member(
                    identity: Maglev.identity(members[$0].address.universal, members[$0].port), weight: weights[$0])
            })
    }
}
