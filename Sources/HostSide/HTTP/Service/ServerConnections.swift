internal import Appliances
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Wire

/// A service's connections to its members: opens them from the configured sources, and keeps idle ones where TCP
/// multiplexing is on. Used on its event loop alone.
final class ServerConnections {
    /// Ports in a row that the kernel may refuse for one connection. They come oldest first, so after so many that are
    /// still busy the younger ones are as well.
    private static let mostRefusals = 512

    typealias Completion = (Result<ServerConnection, ExchangeFailure>) -> Void

    let limits: HTTPLimits
    let multiplexing: ConnectionMultiplexing?
    private let connectTimeout: TimeAmount
    private let eventLoop: any EventLoop
    private let count: ((inout HTTPCounters) -> Void) -> Void
    private var cycle: SourceCycle
    /// Idle connections by member; the one used last is used first, so that those not needed run out.
    private var idle: [PoolMemberConfiguration: [ServerConnection]] = [:]
    /// Sources in use, by member.
    private var taken: [PoolMemberConfiguration: Set<SourceEndpoint>] = [:]
    private var autoMap: [IPAddress: IPAddress] = [:]

    init(
        _ configuration: HTTPServiceConfiguration, on eventLoop: any EventLoop,
        count: @escaping ((inout HTTPCounters) -> Void) -> Void
    ) {
        limits = configuration.limits
        multiplexing = configuration.multiplexing
        connectTimeout = TimeAmount(configuration.timeouts.serverConnect)
        cycle = SourceCycle(addresses: configuration.sourceAddresses, ports: configuration.sourcePorts)
        self.eventLoop = eventLoop
        self.count = count
    }

    /// A connection to that member; one that waits for a request, if there is one and `reuses` allows it.
    ///
    /// - Parameters:
    ///   - attempt: told the source of a new connection before its SYN leaves
    ///   - completion: called once, perhaps before this returns
    func connection(
        to member: PoolMemberConfiguration, reuses: Bool, attempt: @escaping (SourceEndpoint) -> Void,
        completion: @escaping Completion
    ) {
        if reuses {
            while let connection = idle[member]?.popLast() {
                guard connection.isActive else { continue }
                count { $0.reused += 1 }
                attempt(connection.source)
                return completion(.success(connection))
            }
        }
        open(member, refusals: 0, attempt: attempt, completion: completion)
    }

    func keep(_ connection: ServerConnection) { idle[connection.member, default: []].append(connection) }

    func forget(_ connection: ServerConnection) { idle[connection.member]?.removeAll { $0 === connection } }

    private func open(
        _ member: PoolMemberConfiguration, refusals: Int, attempt: @escaping (SourceEndpoint) -> Void,
        completion: @escaping Completion
    ) {
        let own = autoMap[member.address] ?? IPAddress.ownAddress(towards: member.address)
        guard let own else {
            return completion(.failure(ExchangeFailure(.memberUnreachable, "no route to \(member.address)")))
        }
        autoMap[member.address] = own
        guard refusals < Self.mostRefusals, let source = freeSource(towards: member, autoMap: own) else {
            return completion(.failure(ExchangeFailure(.noSourcePort, exhaustion)))
        }
        taken[member, default: []].insert(source)
        attempt(source)
        let handler = ServerConnection(member, from: source, of: self)
        let giveBack = { [self] in _ = taken[member]?.remove(source) }
        do {
            let target = try SocketAddress(ipAddress: member.address.description, port: Int(member.port))
            let from = try SocketAddress(ipAddress: source.address.description, port: Int(source.port))
            ClientBootstrap(group: eventLoop)
                .connectTimeout(connectTimeout)
                .channelOption(.autoRead, value: false)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                // A port whose last connection is over may be bound again at once; connecting tells whether it may be used.
                .channelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(to: from)
                .connect(to: target)
                .assumeIsolated()
                .whenComplete { [self] result in
                    switch result {
                    case .success(let channel):
                        count { $0.serverConnections += 1 }
                        channel.closeFuture.assumeIsolated().whenComplete { _ in giveBack() }
                        do {
                            try channel.pipeline.syncOperations.addHandler(handler)
                            completion(.success(handler))
                        } catch {
                            // It was closed in the same moment.
                            completion(.failure(ExchangeFailure(.memberClosedEarly, "before the request")))
                        }
                    case .failure(let error):
                        giveBack()
                        let code = (error as? IOError)?.errnoCode
                        guard code == EADDRINUSE || code == EADDRNOTAVAIL else {
                            return completion(.failure(ExchangeFailure(connecting: error)))
                        }
                        count { $0.busyPorts += 1 }
                        open(member, refusals: refusals + 1, attempt: attempt, completion: completion)
                    }
                }
        } catch {
            giveBack()
            completion(.failure(ExchangeFailure(.memberUnreachable, "\(error)")))
        }
    }

    private func freeSource(towards member: PoolMemberConfiguration, autoMap: IPAddress) -> SourceEndpoint? {
        let inUse = taken[member] ?? []
        guard inUse.count < cycle.count else { return nil }
        for _ in 0..<cycle.count {
            let source = cycle.next(autoMap: autoMap)
            if !inUse.contains(source) { return source }
        }
        return nil
    }

    private var exhaustion: String {
        let addresses = cycle.addresses.isEmpty ? "the balancer's own address" : "\(cycle.addresses.count) addresses"
        return "all ports \(cycle.ports.lowerBound) to \(cycle.ports.upperBound) of \(addresses) are in use"
    }
}
