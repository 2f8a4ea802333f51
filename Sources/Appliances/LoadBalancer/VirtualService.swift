import Configuration
import Dataplane
import LabTime
import Mutants
import Wire

/// A pool member while the balancer runs.
struct PoolMember {
    let address: IPAddress
    let port: UInt16
    var weight: Int
    var isUp = true
    /// The largest packet that the way to it takes, where a router has said so. Source: RFC 1191
    var pathMTU: Int32 = .max
    /// When that is forgotten, because the way may have changed.
    var pathMTUExpires = Instant(nanoseconds: 0)
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
    let directReturn: DirectReturnConfiguration?
    var members: [PoolMember]
    /// What the members' weights promise each, of 1.
    private var shares: [Double] = []
    /// Of 1, the share of clients that had to move at the last change of the pool: what members gained, together.
    private(set) var idealMove = 0.0
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
        directReturn = configuration.directReturn
        members = configuration.members.map { PoolMember(address: $0.address, port: $0.port, weight: $0.weight) }
        roundRobin = SmoothRoundRobin(capacity: members.count)
        maglev = Maglev(capacity: scheduler == .consistentHash ? members.count : 0)
        updateShares()
    }

    var transport: IPProtocol { profile.transport }
    var membersUp: Int { members.count(where: \.isUp) }

    /// The member for a packet that belongs to no session; nil where none is up.
    mutating func choose(for client: FlowKey<some AddressFamily>) -> Int? {
        guard let chosen = scheduler == .consistentHash ? hashed(client) : roundRobin.next() else { return nil }
        members[chosen].chosen &+= 1
        return chosen
    }

    /// The member of a client's hash, the same on every balancer with the same pool; nil where none is up.
    func hashed(_ client: FlowKey<some AddressFamily>) -> Int? {
        guard scheduler == .consistentHash else { return nil }
        let port = Mutant.isOn(.hashIgnoresPort) ? 0 : client.sourcePort
        let place = maglev.member(for: Maglev.mix(Maglev.identity(client.source.universal, port)))
        return place == Maglev.none ? nil : Int(place)
    }

    /// - Returns: whether that changed anything
    mutating func setMember(_ index: Int, isUp: Bool) -> Bool {
        guard members[index].isUp != isUp else { return false }
        members[index].isUp = isUp
        if !Mutant.isOn(.servesDeadMembers) { updateShares() }
        return true
    }

    /// - Returns: whether that changed anything
    mutating func setWeight(_ index: Int, _ weight: Int) -> Bool {
        guard members[index].weight != weight else { return false }
        members[index].weight = weight
        if !Mutant.isOn(.ignoresWeights) { updateShares() }
        return true
    }

    mutating func addSession(to member: Int) { members[member].sessions += 1 }
    mutating func removeSession(from member: Int) { members[member].sessions -= 1 }

    func hasMember(_ address: some InternetAddress, _ port: UInt16) -> Bool {
        members.contains { $0.address.universal == address.universal && $0.port == port }
    }

    /// Of 1, the share of clients that moved at the last change of the pool; nil where no hash decides.
    var moved: Double? { scheduler == .consistentHash ? Double(maglev.movedSlots) / Double(maglev.size) : nil }

    private static func shares(_ members: [PoolMember]) -> [Double] {
        let weights = members.map { Double($0.isUp ? $0.weight : 0) }
        let sum = weights.reduce(0, +)
        return weights.map { sum > 0 ? $0 / sum : 0 }
    }

    private mutating func updateShares() {
        let before = shares
        shares = Self.shares(members)
        idealMove = zip(before, shares).reduce(0) { $0 + max(0, $1.1 - $1.0) }
        for index in members.indices {
            roundRobin.setWeight(members[index].isUp ? members[index].weight : 0, of: index)
        }
        guard scheduler == .consistentHash else { return }
        maglev.fill(
            members.map {
                Maglev.Member(
                    identity: Maglev.identity($0.address.universal, $0.port), weight: $0.isUp ? $0.weight : 0)
            })
    }
}
