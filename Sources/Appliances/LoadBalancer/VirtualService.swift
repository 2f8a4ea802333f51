import Dataplane
import LabTime
import Wire

/// A pool member while the balancer runs.
struct PoolMember {
    let address: IPAddress
    let port: UInt16
    let weight: Int
    var isUp = true
    /// Sessions that it has now.
    var sessions = 0
    /// Sessions, or datagrams of a per-packet service, that it was chosen for.
    var chosen: UInt64 = 0
}

/// A virtual service while the balancer runs: its pool and whose turn it is.
struct VirtualService: ~Copyable {
    let address: IPAddress
    let port: UInt16
    let profile: ServiceProfile
    let scheduler: Scheduler
    let sourceTranslation: SourceTranslation
    /// Nanoseconds
    let idleTimeout: Int64
    private(set) var members: [PoolMember]
    private var roundRobin: SmoothRoundRobin
    private var maglev: Maglev
    var packetsToMembers: UInt64 = 0
    var packetsToClients: UInt64 = 0

    init(_ configuration: VirtualServiceConfiguration) {
        address = configuration.address
        port = configuration.port
        profile = configuration.profile
        scheduler = configuration.scheduler
        sourceTranslation = configuration.sourceTranslation
        idleTimeout = configuration.idleTimeout.nanoseconds
        members = configuration.members.map { PoolMember(address: $0.address, port: $0.port, weight: $0.weight) }
        roundRobin = SmoothRoundRobin(capacity: members.count)
        maglev = Maglev(capacity: scheduler == .consistentHash ? members.count : 0)
        updateShares()
    }

    var transport: IPProtocol { profile.transport }
    var membersUp: Int { members.count(where: \.isUp) }

    /// The member for a packet that belongs to no session; nil where none is up.
    mutating func choose(for client: some FlowTuple) -> Int? {
        let chosen: Int
        switch scheduler {
        case .roundRobin:
            guard let next = roundRobin.next() else { return nil }
            chosen = next
        case .consistentHash:
            let place = maglev.member(for: Maglev.mix(Maglev.identity(client.source.universal, client.sourcePort)))
            guard place != Maglev.none else { return nil }
            chosen = Int(place)
        }
        members[chosen].chosen &+= 1
        return chosen
    }

    /// - Returns: whether that changed anything
    mutating func setMember(_ index: Int, isUp: Bool) -> Bool {
        guard members[index].isUp != isUp else { return false }
        members[index].isUp = isUp
        updateShares()
        return true
    }

    mutating func addSession(to member: Int) { members[member].sessions += 1 }
    mutating func removeSession(from member: Int) { members[member].sessions -= 1 }

    func hasMember(_ address: some InternetAddress, _ port: UInt16) -> Bool {
        members.contains { $0.address.universal == address.universal && $0.port == port }
    }

    private mutating func updateShares() {
        for index in members.indices { roundRobin.setWeight(members[index].isUp ? members[index].weight : 0, of: index) }
        guard scheduler == .consistentHash else { return }
        maglev.fill(
            members.map {
                Maglev.Member(
                    identity: Maglev.identity($0.address.universal, $0.port), weight: $0.isUp ? $0.weight : 0)
            })
    }
}
