internal import Configuration
internal import EventLoop
internal import Glibc
internal import HTTPExchange
internal import LabEvents
internal import LabTime
internal import SystemPackage
internal import Wire

/// A service's connections to its members: opens them from the configured sources, and keeps idle ones where TCP
/// multiplexing is on. Members are known by their place in the pool. Used on its loop's thread alone.
final class ServerConnections {
    /// Ports in a row that the kernel may refuse for one connection. They come oldest first, so after so many that are
    /// still busy the younger ones are as well.
    private static let mostRefusals = 512

    private struct Member {
        let configuration: PoolMemberConfiguration
        /// The one used last is used first, so that those not needed run out.
        var idle: ContiguousArray<ServerConnection> = []
        var taken: TakenTurns
        /// The balancer's own address towards it.
        var autoMap: IPAddress?
    }

    let limits: HTTPLimits
    let multiplexing: ConnectionMultiplexing?
    /// In nanoseconds.
    let idleTime: Int64
    let thread: ServiceThread
    private let counters: HTTPCounters
    private var cycle: SourceCycle
    private var members: ContiguousArray<Member>

    init(
        _ configuration: HTTPServiceConfiguration, to members: [PoolMemberConfiguration], on thread: ServiceThread,
        counters: HTTPCounters
    ) {
        limits = configuration.limits
        multiplexing = configuration.multiplexing
        idleTime = configuration.multiplexing?.idleTime.nanoseconds ?? 0
        self.thread = thread
        self.counters = counters
        let cycle = SourceCycle(addresses: configuration.sourceAddresses, ports: configuration.sourcePorts)
        self.cycle = cycle
        self.members = ContiguousArray(members.map { Member(configuration: $0, taken: TakenTurns(of: cycle)) })
    }

    /// A connection to that member: one that waits for a request, if there is one and `reuses` allows it, or a new one
    /// whose SYN is sent.
    /// - Parameter head: of the request; a new connection has sent it already where the member has accepted at once
    func connection(
        to member: Int, reuses: Bool, head: UnsafeRawBufferPointer
    ) throws(ExchangeFailure) -> ServerConnection {
        if reuses {
            while let connection = members[member].idle.popLast() {
                guard connection.isUsable else { continue }
                counters.reused.add()
                return connection
            }
        }
        return try open(member, head)
    }

    /// Keeps a connection for a further request.
    func keep(_ connection: ServerConnection) {
        members[connection.member].idle.append(connection)
    }

    /// An idle connection that is not to be used again.
    func forget(_ connection: ServerConnection) {
        guard connection.isIdle else { return }
        members[connection.member].idle.removeAll { $0 === connection }
    }

    func countConnected() { counters.serverConnections.add() }

    /// A connection's socket is closed.
    func giveBack(_ turn: Int, of member: Int) { members[member].taken.remove(turn) }

    private func open(_ member: Int, _ head: UnsafeRawBufferPointer) throws(ExchangeFailure) -> ServerConnection {
        let target = members[member].configuration
        guard let own = members[member].autoMap ?? IPAddress.ownAddress(towards: target.address) else {
            throw ExchangeFailure(.memberUnreachable, "no route to \(target.address)")
        }
        members[member].autoMap = own
        for _ in 0..<Self.mostRefusals {
            guard let turn = freeTurn(towards: member) else { break }
            let source = cycle.endpoint(turn, autoMap: own)
            let descriptor: Int32
            do throws(ConnectingSocket.Failure) {
                descriptor = try ConnectingSocket.open(from: source, to: target.address, port: target.port)
            } catch {
                guard error.isBusyPort else {
                    throw ExchangeFailure(connecting: error.code)
                }
                counters.busyPorts.add()
                continue
            }
            let sent: Int
            do throws(ConnectingSocket.Failure) {
                sent = try ConnectingSocket.send(head, on: descriptor)
            } catch {
                close(descriptor)
                throw ExchangeFailure(connecting: error.code, source: source)
            }
            let connection = ServerConnection(
                member, on: descriptor, from: source, turn: turn, sent: sent, of: self)
            if sent > 0 { countConnected() }
            do throws(Errno) {
                try thread.loop.watch(descriptor, for: EdgeSocket.interest, telling: connection)
            } catch {
                close(descriptor)
                throw ExchangeFailure(connecting: error.rawValue)
            }
            members[member].taken.insert(turn)
            return connection
        }
        throw ExchangeFailure(.noSourcePort, exhaustion)
    }

    private func freeTurn(towards member: Int) -> Int? {
        guard members[member].taken.count < cycle.count else { return nil }
        for _ in 0..<cycle.count {
            let turn = cycle.nextTurn()
            if !members[member].taken.contains(turn) { return turn }
        }
        return nil
    }

    private var exhaustion: String {
        let addresses = cycle.addresses.isEmpty ? "the balancer's own address" : "\(cycle.addresses.count) addresses"
        return "all ports \(cycle.ports.lowerBound) to \(cycle.ports.upperBound) of \(addresses) are in use"
    }
}
