internal import Appliances
internal import Wire

/// Chooses a pool's member for a new connection, among those that are up.
struct MemberPicker: Sendable {
    private struct Member {
        var configuration: PoolMemberConfiguration
        var isUp = true
        /// Smooth weighted round robin: grows by the weight at each turn, and falls by all weights when chosen.
        var credit = 0
    }

    private let scheduler: Scheduler
    private var members: [Member]

    init(_ members: [PoolMemberConfiguration], scheduler: Scheduler) {
        self.scheduler = scheduler
        self.members = members.map { Member(configuration: $0) }
    }

    mutating func set(_ name: String, isUp: Bool) {
        for index in members.indices where members[index].configuration.name == name { members[index].isUp = isUp }
    }

    /// The members that are up: the chosen one, then the others in the order in which they are tried if it fails.
    /// O(members × log members)
    mutating func order(client: IPv4Address, port: UInt16) -> [PoolMemberConfiguration] {
        let up = members.indices.filter { members[$0].isUp }
        switch scheduler {
        case .consistentHash:
            return up.map { (index: $0, score: score(of: members[$0].configuration, client: client, port: port)) }
                .sorted { ($1.score, $0.index) < ($0.score, $1.index) }
                .map { members[$0.index].configuration }
        case .roundRobin:
            guard let first = nextInTurn(up), let position = up.firstIndex(of: first) else { return [] }
            return (up[position...] + up[..<position]).map { members[$0].configuration }
        }
    }

    /// In a cycle as long as the sum of the weights each member comes as often as its weight says, well spread.
    private mutating func nextInTurn(_ up: [Int]) -> Int? {
        var total = 0
        for index in up {
            members[index].credit += members[index].configuration.weight
            total += members[index].configuration.weight
        }
        guard let chosen = up.max(by: { (members[$0].credit, $1) < (members[$1].credit, $0) }) else { return nil }
        members[chosen].credit -= total
        return chosen
    }

    /// Weighted rendezvous hashing: a client keeps its member while that member is up, and only the clients of a
    /// member that leaves move. With u uniform in (0, 1), −weight ÷ ln u ranks members in proportion to weight; as only the
    /// order counts, the highest of `weight` independent draws does the same without a logarithm.
    private func score(of member: PoolMemberConfiguration, client: IPv4Address, port: UInt16) -> UInt64 {
        let key = UInt64(client.rawValue) << 16 | UInt64(port)
        let own = UInt64(member.address.rawValue) << 16 | UInt64(member.port)
        return (0..<max(member.weight, 1)).lazy.map { draw in
            mixed(mixed(key &+ 0x9E37_79B9_7F4A_7C15) ^ mixed(own &+ UInt64(draw) << 48))
        }.max() ?? 0
    }

    /// The finalizer of SplitMix64: every bit of the input changes about half the bits of the output.
    private func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
